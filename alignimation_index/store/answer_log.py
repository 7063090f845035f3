"""The log of what was answered about people: rows are added and undone, never changed.

An entry is what was said at once; where it is about several faces, a row for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from alignimation_index.datatypes import SAME_FACE_IOU, Float, box_overlaps
from alignimation_index.store.bulk import insert_rows
from alignimation_index.store.descriptions import REGION
from alignimation_index.store.face_tables import Answer, Face
from alignimation_index.store.identity_tables import AnswerFace
from alignimation_index.store.tables import Photo, utc_now

# Other programs frame a face with more or less of the head around it.
REGION_IOU = 0.2

NUMBER = func.coalesce(Answer.entry, Answer.id)
"""The number of the entry that a row belongs to."""


class PlacedFace(NamedTuple):
    """A face as answers mean it.

    Attributes:
        content_hash: of the photo that it is on.
        box: (4,) xyxy in pixels of the upright photo.
        person_id: of whom the answer speaks at this face, where an entry speaks of several people.
    """

    content_hash: str
    box: Float
    person_id: int | None = None


class LiveAnswer(NamedTuple):
    """A row of the log that was not undone; the face is None where none is meant, or none is found at present."""

    id: int
    kind: str
    person_id: int | None
    other_id: int | None
    face_id: int | None
    value: str | None
    source: str | None
    has_box: bool


def record(
    session: Session,
    kind: str,
    person_id: int | None = None,
    *,
    other_id: int | None = None,
    faces: Sequence[PlacedFace] = (),
    value: str | None = None,
    source: str | None = None,
    entry: int | None = None,
) -> int:
    """Add an entry to the log, or more rows to the entry of that number; its number."""
    about: dict[str, Any] = {"kind": kind, "other_id": other_id, "value": value, "source": source, "entry": entry}
    about["answered_at_utc"] = utc_now()
    rows = [{**face._asdict(), "person_id": face.person_id or person_id} for face in faces]
    nowhere = {"content_hash": None, "box": None, "person_id": person_id}
    ids = insert_rows(session, Answer, [{**about, **row} for row in rows or [nowhere]])
    if len(ids) > 1 and entry is None:
        session.execute(update(Answer).where(Answer.id.in_(ids)).values(entry=ids[0]))
    return entry or ids[0]


def undo(session: Session, number: int) -> None:
    """Take an entry back."""
    session.execute(update(Answer).where(NUMBER.is_(number)).values(undone_at_utc=utc_now()))


def latest(session: Session, kinds: Collection[str]) -> int | None:
    """The number of the latest entry of these kinds that was given to this program and not undone."""
    live = (Answer.kind.in_(kinds), Answer.undone_at_utc.is_(None), Answer.source.is_(None))
    return session.scalar(select(func.max(NUMBER)).where(*live))


def live_answers(session: Session, kinds: Collection[str]) -> list[LiveAnswer]:
    """All that was not undone, in the order of the log."""
    columns = (Answer.id, Answer.kind, Answer.person_id, Answer.other_id, AnswerFace.face_id, Answer.value)
    statement = (
        select(*columns, Answer.source, Answer.box.is_not(None))
        .outerjoin(AnswerFace, AnswerFace.answer_id == Answer.id)
        .where(Answer.kind.in_(kinds), Answer.undone_at_utc.is_(None))
        .order_by(Answer.id)
    )
    return [LiveAnswer(*row) for row in session.execute(statement)]


def last_number(session: Session) -> int:
    """The highest number of an answer so far, undone or not; 0 if there is none."""
    return session.scalar(select(func.max(Answer.id))) or 0


def has_live_after(session: Session, number: int, kinds: Collection[str]) -> bool:
    """Whether there is an answer of these kinds after an entry that was not undone."""
    later = (Answer.kind.in_(kinds), Answer.undone_at_utc.is_(None), number < NUMBER)
    return bool(session.scalar(select(select(Answer.id).where(*later).exists())))


def version(session: Session) -> tuple[Any, ...]:
    """Another value whenever something was answered or undone."""
    changes = (func.count(), func.max(Answer.id), func.count(Answer.undone_at_utc), func.max(Answer.undone_at_utc))
    return tuple(session.execute(select(*changes)).one())


def link_faces(session: Session) -> None:
    """Find the faces that answers mean, for those of which it is not known.

    That is the face which the box covers best, if it does so far enough.
    """
    linked = exists().where(AnswerFace.answer_id == Answer.id)
    waiting = (
        select(Answer.id, Answer.kind, Answer.box, Photo.id)
        .join(Photo, Photo.content_hash == Answer.content_hash)
        .where(Answer.box.is_not(None), Answer.undone_at_utc.is_(None), ~linked)
    )
    answers = session.execute(waiting).all()
    faces = _faces_on(session, {row[3] for row in answers})
    found = ((id_, _covered(box, kind, faces[photo_id])) for id_, kind, box, photo_id in answers if box is not None)
    session.add_all(AnswerFace(answer_id=id_, face_id=face_id) for id_, face_id in found if face_id is not None)
    session.flush()


def _faces_on(session: Session, photo_ids: Collection[int]) -> dict[int, list[tuple[int, Float]]]:
    found: dict[int, list[tuple[int, Float]]] = defaultdict(list)
    for some in _some(sorted(photo_ids)):
        for photo_id, face_id, box in session.execute(
            select(Face.photo_id, Face.id, Face.box).where(Face.photo_id.in_(some))
        ):
            found[photo_id].append((face_id, box))
    return found


def _covered(box: Float, kind: str, faces: Sequence[tuple[int, Float]]) -> int | None:
    if not faces:
        return None
    overlaps = box_overlaps(box[None], np.stack([one for _, one in faces]))[0]
    best = int(overlaps.argmax())
    return faces[best][0] if overlaps[best] >= (REGION_IOU if kind == REGION else SAME_FACE_IOU) else None


def _some(ids: Sequence[int], count: int = 10_000) -> Iterable[Sequence[int]]:
    return (ids[start : start + count] for start in range(0, len(ids), count))
