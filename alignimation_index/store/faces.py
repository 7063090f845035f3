"""What stages found on photos, as rows: each function replaces what its stage wrote before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from alignimation_index.datatypes import SAME_FACE_IOU, Detections, Float, box_overlaps
from alignimation_index.store.bulk import Row, delete_rows, insert_rows, update_rows, upsert_rows
from alignimation_index.store.face_tables import Embedding, Face, Template, Transform
from alignimation_index.store.schema import EMBEDDER_SETTING, MIN_FACE_SETTING
from alignimation_index.store.tables import Setting

# Columns of the faces of a photo: column of `Face` → (N, …) array.
FaceColumns = Mapping[str, NDArray[Any]]

_COLUMNS_OF_LATER_STAGES = tuple(column.name for column in Face.__table__.columns if column.nullable)


@dataclass(frozen=True, slots=True)
class StoredFaces:
    """The faces of a photo, in the order of their ids.

    Attributes:
        ids: of the N rows.
        detections: as the detector found them, in pixels of the upright photo.
        landmarks: (M, 5, 2) float32 refined landmarks, of those faces that have them; same pixels.
    """

    ids: list[int]
    detections: Detections
    landmarks: Float


def stored_faces(session: Session, photo_ids: Collection[int]) -> dict[int, StoredFaces]:
    """The faces of each photo; a photo without any has an entry like the others."""
    rows: dict[int, list[Any]] = {photo_id: [] for photo_id in photo_ids}
    columns = (Face.photo_id, Face.id, Face.box, Face.score, Face.detected_landmarks, Face.landmarks)
    statement = select(*columns).where(Face.photo_id.in_(photo_ids)).order_by(Face.id)
    for row in session.execute(statement):
        rows[row[0]].append(row)
    return {photo_id: _stored(faces) for photo_id, faces in rows.items()}


def replace_faces(
    session: Session, found: Mapping[int, Detections], columns: Mapping[int, FaceColumns] | None = None
) -> dict[int, list[int]]:
    """Store the faces of photos: one found before keeps its row, id and person; one that is not found again goes.

    Args:
        session: of the transaction to write in.
        found: photo id → its faces, in pixels of the upright photo.
        columns: photo id → what further stages found on these faces, in the order of `found`. A column that is not
            given stays as it was, and is null on a new face.

    Returns:
        Photo id → ids of its faces, in the order of `found`; new faces are numbered in the order of photos and faces.
    """
    stored = stored_faces(session, found.keys())
    kept = {photo_id: _found_again(stored[photo_id], faces) for photo_id, faces in found.items()}
    changed: dict[int, Row] = {}
    new: list[Row] = []
    for photo_id, faces in found.items():
        for id_, row in zip(kept[photo_id], _rows(_columns(faces, (columns or {}).get(photo_id, {}))), strict=True):
            if id_ is None:
                new.append({"photo_id": photo_id, **dict.fromkeys(_COLUMNS_OF_LATER_STAGES), **row})
            else:
                changed[id_] = row
    delete_rows(session, Face, [id_ for faces in stored.values() for id_ in faces.ids if id_ not in changed])
    update_rows(session, Face, changed)
    ids = iter(insert_rows(session, Face, new))
    return {photo_id: [next(ids) if id_ is None else id_ for id_ in faces] for photo_id, faces in kept.items()}


def update_faces(session: Session, columns: Iterable[tuple[Sequence[int], FaceColumns]]) -> None:
    """Store what later stages found on known faces: pairs of the ids of faces and columns in their order."""
    update_rows(session, Face, {id_: row for ids, some in columns for id_, row in zip(ids, _rows(some), strict=True)})


def replace_embeddings(session: Session, face_ids: Sequence[int], model: str, vectors: Float) -> None:
    """Store the vectors of faces, (N, D) float32."""
    pairs = zip(face_ids, vectors, strict=True)
    upsert_rows(session, Embedding, [{"face_id": id_, "model": model, "vector": vector} for id_, vector in pairs])


def replace_transforms(
    session: Session, face_ids: Sequence[int], template_id: int, matrices: Float, residuals: Float, method: str
) -> None:
    """Store the (N, 2, 3) transforms of faces to a template with their (N,) residuals; none where it is not finite."""
    finite = [bool(np.isfinite(matrix).all()) for matrix in matrices]
    rows = [
        {"face_id": id_, "template_id": template_id, "matrix": matrix, "residual": residual, "method": method}
        for id_, matrix, residual, fits in zip(face_ids, matrices, residuals.tolist(), finite, strict=True)
        if fits
    ]
    unfit = [id_ for id_, fits in zip(face_ids, finite, strict=True) if not fits]
    if unfit:
        session.execute(delete(Transform).where(Transform.face_id.in_(unfit), Transform.template_id == template_id))
    upsert_rows(session, Transform, rows)


def put_template(session: Session, name: str, landmarks: Float) -> int:
    """Store a template under its name; its id."""
    template = session.scalar(select(Template).where(Template.name == name))
    if template is None:
        template = Template(name=name, landmarks=landmarks)
        session.add(template)
    elif not np.array_equal(template.landmarks, np.asarray(landmarks, np.float32)):
        template.landmarks = landmarks
    session.flush()
    return template.id


def pinned_embedder(session: Session) -> str | None:
    """The embedder that this store's faces were embedded with, once there was one."""
    return session.scalar(select(Setting.value).where(Setting.name == EMBEDDER_SETTING))


def pin_embedder(session: Session, name: str) -> None:
    """Fix the store's embedder, unless it is fixed."""
    session.execute(insert(Setting).values(name=EMBEDDER_SETTING, value=name).on_conflict_do_nothing())


def min_face_share(session: Session) -> float | None:
    """The smallest face that is looked for in this store, where a person has chosen it."""
    value = session.scalar(select(Setting.value).where(Setting.name == MIN_FACE_SETTING))
    return None if value is None else float(value)


def keep_min_face_share(session: Session, share: float) -> None:
    """Look for faces down to this share of the photo's shorter side from now on."""
    row = insert(Setting).values(name=MIN_FACE_SETTING, value=repr(share))
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value}))


def _stored(rows: Sequence[Any]) -> StoredFaces:
    boxes = np.array([row.box for row in rows], np.float32).reshape(-1, 4)
    scores = np.array([row.score for row in rows], np.float32)
    detected = np.array([row.detected_landmarks for row in rows], np.float32).reshape(-1, 5, 2)
    refined = [row.landmarks for row in rows if row.landmarks is not None]
    return StoredFaces(
        [row.id for row in rows],
        Detections(boxes, scores, detected),
        np.array(refined, np.float32).reshape(-1, 5, 2),
    )


def _found_again(before: StoredFaces, found: Detections) -> list[int | None]:
    """For each face found the id it had before, if any."""
    if not before.ids:
        return [None] * len(found)
    matches = _match(before.detections.boxes, found.boxes)
    return [before.ids[matches[i]] if i in matches else None for i in range(len(found))]


def _columns(found: Detections, more: FaceColumns) -> FaceColumns:
    return {"box": found.boxes, "score": found.scores, "detected_landmarks": found.landmarks, **more}


def _rows(columns: FaceColumns) -> Iterator[Row]:
    """The rows of columns: numbers as Python's own, arrays as they are."""
    values = [column.tolist() if column.ndim == 1 else column for column in columns.values()]
    for row in zip(*values, strict=True):
        yield dict(zip(columns, row, strict=True))


def _match(known: Float, found: Float) -> dict[int, int]:
    """Pair boxes that are the same face, best overlap first: index in `found` → index in `known`."""
    overlap = box_overlaps(found, known)
    pairs: dict[int, int] = {}
    for flat in np.argsort(-overlap, axis=None, kind="stable"):
        new, old = (int(i) for i in np.unravel_index(flat, overlap.shape))
        if overlap[new, old] < SAME_FACE_IOU:
            break
        if new not in pairs and old not in pairs.values():
            pairs[new] = old
    return pairs
