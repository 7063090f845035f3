"""Bodies as rows."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from PIL import Image
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from alignimation_index.datatypes import BodyMask, Cutout, Float, PhotoBodies, Pixels
from alignimation_index.store.body_tables import Body
from alignimation_index.store.bulk import delete_rows, insert_rows, update_rows
from alignimation_index.store.schema import BODY_MASKS_SETTING, BODY_MODEL_SETTING
from alignimation_index.store.tables import Photo, Setting

_AT_ONCE = 10_000
_FULL, _REDUCED = "full", "reduced"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredBodies:
    """The bodies of a photo, in the order of their ids: boxes (N, 4), keypoints (N, 17, 3), pixels of the photo."""

    ids: list[int]
    boxes: Float
    keypoints: Float


@dataclass(frozen=True, slots=True)
class BodyToRegister:
    """What registering a body reads: keypoints (17, 3) in pixels of its photo, and the photo's (width, height)."""

    keypoints: Float
    mask: BodyMask
    photo_size: tuple[int, int]
    content_hash: str
    box: Float


def replace_bodies(session: Session, found: Mapping[int, PhotoBodies], model: str) -> None:
    """Store the bodies of photos in place of those that were there, with all that was computed of these."""
    _delete_by(session, Body.photo_id, found.keys())
    rows = [
        {
            "photo_id": photo_id,
            "face_id": None,
            "model": model,
            "box": bodies.boxes[i],
            "score": float(bodies.scores[i]),
            "keypoints": bodies.keypoints[i],
            "mask": to_png(bodies.masks[i].pixels),
            "photo_from_mask": bodies.masks[i].photo_from_mask,
        }
        for photo_id, bodies in found.items()
        for i in range(len(bodies))
    ]
    insert_rows(session, Body, rows)


def stored_bodies(session: Session, photo_ids: Collection[int]) -> dict[int, StoredBodies]:
    """The bodies of each photo; a photo without any is left out."""
    rows: dict[int, list[tuple[Any, ...]]] = {}
    columns = (Body.photo_id, Body.id, Body.box, Body.keypoints)
    for some in some_at_once(photo_ids):
        found = session.execute(select(*columns).where(Body.photo_id.in_(some)).order_by(Body.id))
        for photo_id, *row in found:
            rows.setdefault(photo_id, []).append(tuple(row))
    return {
        photo_id: StoredBodies(list(ids), np.array(boxes), np.array(keypoints))
        for photo_id, of_photo in rows.items()
        for ids, boxes, keypoints in [zip(*of_photo, strict=True)]
    }


def set_faces(session: Session, faces: Mapping[int, int | None]) -> None:
    """Note which face each of these bodies is of."""
    update_rows(session, Body, {body_id: {"face_id": face_id} for body_id, face_id in faces.items()})


def delete_bodies(session: Session, body_ids: Collection[int]) -> None:
    """Delete bodies, with all that was computed of them."""
    delete_rows(session, Body, body_ids)


def delete_bodies_of_faces(session: Session, face_ids: Collection[int]) -> None:
    """Delete the bodies that these faces are of."""
    _delete_by(session, Body.face_id, face_ids)


def bodies_to_register(session: Session, body_ids: Collection[int]) -> dict[int, BodyToRegister]:
    """Bodies by their ids, with all that registering reads."""
    columns = (Body.id, Body.keypoints, Body.mask, Body.photo_from_mask, Body.box)
    about = (Photo.width_px, Photo.height_px, Photo.content_hash)
    found = {}
    for some in some_at_once(body_ids):
        statement = select(*columns, *about).join(Photo, Photo.id == Body.photo_id).where(Body.id.in_(some))
        for id_, keypoints, mask, matrix, box, width_px, height_px, content_hash in session.execute(statement):
            cut = _mask(mask, matrix)
            found[id_] = BodyToRegister(keypoints, cut, (width_px or 0, height_px or 0), content_hash, box)
    return found


def keypoints_of(session: Session, body_ids: Collection[int]) -> dict[int, Float]:
    """The keypoints of bodies by their ids, (17, 3) each."""
    found: dict[int, Float] = {}
    statement = select(Body.id, Body.keypoints)
    for some in some_at_once(body_ids):
        rows: Iterable[tuple[int, Float]] = session.execute(statement.where(Body.id.in_(some))).all()
        found |= dict(rows)
    return found


def body_mask(session: Session, body_id: int) -> BodyMask | None:
    """The mask of a body; None if there is no such body."""
    row = session.execute(select(Body.mask, Body.photo_from_mask).where(Body.id == body_id)).first()
    return row and _mask(*row)


def cutouts(session: Session, body_ids: Collection[int]) -> dict[int, Cutout]:
    """The masks of bodies by their ids, as they are kept."""
    found: dict[int, Cutout] = {}
    for some in some_at_once(body_ids):
        rows = session.execute(select(Body.id, Body.mask, Body.photo_from_mask).where(Body.id.in_(some)))
        found |= {id_: Cutout(mask, np.asarray(matrix, np.float64)) for id_, mask, matrix in rows if mask is not None}
    return found


def bodies_of_faces(session: Session, face_ids: Collection[int]) -> dict[int, int]:
    """The body of each face, where there is one."""
    found: dict[int, int] = {}
    for some in some_at_once(face_ids):
        rows = session.execute(select(Body.face_id, Body.id).where(Body.face_id.in_(some)))
        found |= {face_id: body_id for face_id, body_id in rows if face_id is not None}
    return found


def body_model(session: Session) -> str | None:
    """The body detector that was used last."""
    return session.scalar(select(Setting.value).where(Setting.name == BODY_MODEL_SETTING))


def keep_body_model(session: Session, name: str) -> None:
    """Use this body detector from now on."""
    _keep(session, BODY_MODEL_SETTING, name)


def keeps_full_masks(session: Session) -> bool:
    """Whether masks are kept with all decoded pixels."""
    return session.scalar(select(Setting.value).where(Setting.name == BODY_MASKS_SETTING)) == _FULL


def keep_full_masks(session: Session, full: bool) -> None:
    """Keep masks with all decoded pixels from now on, or reduced."""
    _keep(session, BODY_MASKS_SETTING, _FULL if full else _REDUCED)


def to_png(pixels: Pixels) -> bytes:
    """(H, W) or (H, W, 2) uint8 as a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def from_png(data: bytes) -> Pixels:
    """What `to_png` packed."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def some_at_once(values: Collection[T]) -> Iterator[Sequence[T]]:
    """Values, as many at a time as SQLite takes in one list."""
    listed = list(values)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]


def _mask(data: bytes | None, matrix: Float | None) -> BodyMask:
    if data is None or matrix is None:
        return BodyMask(np.zeros((1, 1), np.uint8), np.eye(2, 3))
    return BodyMask(from_png(data), matrix.astype(np.float64))


def _delete_by(session: Session, column: Any, ids: Collection[int]) -> None:  # noqa: ANN401
    for some in some_at_once(ids):
        session.execute(delete(Body).where(column.in_(some)))


def _keep(session: Session, name: str, value: str) -> None:
    row = insert(Setting).values(name=name, value=value)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
