"""What stages found on a photo, as rows: each function replaces what its stage wrote before."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Detections, Float
from alignimation_index.store.schema import EMBEDDER_SETTING
from alignimation_index.store.tables import Embedding, Face, Setting, Template, Transform

# A face found again covers its earlier box at least this far.
SAME_FACE_IOU = 0.5


def faces_of(session: Session, photo_ids: Collection[int]) -> dict[int, list[Face]]:
    """The faces of each photo, in the order of detection; photos without faces have an empty list."""
    faces: dict[int, list[Face]] = {photo_id: [] for photo_id in photo_ids}
    for face in session.scalars(select(Face).where(Face.photo_id.in_(photo_ids)).order_by(Face.id)):
        faces[face.photo_id].append(face)
    return faces


def replace_faces(session: Session, photo_id: int, found: Detections) -> list[Face]:
    """Store the faces of a photo, and return them as in `found`; one found before keeps its row, id and person."""
    known = faces_of(session, [photo_id])[photo_id]
    matches = _match(np.array([face.box for face in known], np.float32).reshape(-1, 4), found.boxes)
    for row, face in enumerate(known):
        if row not in matches.values():
            session.delete(face)
    faces = [known[matches[i]] if i in matches else Face(photo_id=photo_id) for i in range(len(found))]
    for index, face in enumerate(faces):
        face.box, face.score = found.boxes[index], float(found.scores[index])
        face.detected_landmarks = found.landmarks[index]
    session.add_all(faces)
    session.flush()
    return faces


def replace_embeddings(session: Session, faces: Sequence[Face], model: str, vectors: Float) -> None:
    """Store the vectors of faces, (N, D) float32."""
    ids = [face.id for face in faces]
    session.execute(delete(Embedding).where(Embedding.face_id.in_(ids), Embedding.model == model))
    session.add_all(Embedding(face_id=id_, model=model, vector=row) for id_, row in zip(ids, vectors, strict=True))


def replace_transforms(
    session: Session, faces: Sequence[Face], template_id: int, matrices: Float, residuals: Float, method: str
) -> None:
    """Store the (N, 2, 3) transforms of faces to a template."""
    ids = [face.id for face in faces]
    session.execute(delete(Transform).where(Transform.face_id.in_(ids), Transform.template_id == template_id))
    session.add_all(
        Transform(face_id=id_, template_id=template_id, matrix=matrix, residual=float(residual), method=method)
        for id_, matrix, residual in zip(ids, matrices, residuals, strict=True)
        if np.isfinite(matrix).all()
    )


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


def _match(known: Float, found: Float) -> dict[int, int]:
    """Pair boxes that are the same face, best overlap first: index in `found` → index in `known`."""
    overlap = _iou(found, known)
    pairs: dict[int, int] = {}
    for flat in np.argsort(-overlap, axis=None, kind="stable"):
        new, old = (int(i) for i in np.unravel_index(flat, overlap.shape))
        if overlap[new, old] < SAME_FACE_IOU:
            break
        if new not in pairs and old not in pairs.values():
            pairs[new] = old
    return pairs


def _iou(a: Float, b: Float) -> Float:
    """(N, M) intersection over union of (N, 4) and (M, 4) boxes."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    ratio: Float = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
    return ratio
