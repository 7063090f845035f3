"""What the machine works people out from, and whom it takes faces for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import LargeBinary, bindparam, case, delete, func, insert, select, type_coerce
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.store.bulk import insert_rows, upsert_rows
from alignimation_index.store.face_tables import Assignment, Embedding, Face, Person
from alignimation_index.store.identity_tables import AssignmentBefore, SuggestedName, Suggestion
from alignimation_index.store.schema import ASSIGN, DESCRIBE
from alignimation_index.store.tables import Photo, PhotoGooglePerson, Setting, StageRun

NAMED_AFTER = (DESCRIBE, ASSIGN)
"""The stages whose results decide what people are probably called."""

_ASSIGNMENT_ASKED_FOR = "assignment asked for"
_NAMES_MADE_FROM = "suggested names made from"


# When a file was written says nothing of when people looked so: old scans were all copied on one day.
_SURE_DATE = case((Photo.taken_at_source.in_(("exif-modified", "mtime")), None), else_=Photo.taken_at)


@dataclass(frozen=True, slots=True)
class EmbeddedFaces:
    """All faces of one embedder, in the order in which photos were taken.

    Attributes:
        face_ids: (N,) int64.
        photo_ids: (N,) int64.
        vectors: (N, D) float32.
        taken_at_s: (N,) float64 wall-clock seconds since 1970-01-01, nan where unknown or only guessed from a file.
        quality: (N,) float64, nan where unknown.
        person_ids: (N,) int64 that the machine assigned, −1 where nobody is.
        is_current: (N,) bool, whether that was under the present key.
    """

    face_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]
    vectors: Float
    taken_at_s: NDArray[np.float64]
    quality: NDArray[np.float64]
    person_ids: NDArray[np.int64]
    is_current: NDArray[np.bool_]


def embedded_faces(session: Session, model: str, key: str) -> EmbeddedFaces:
    """Load the faces to assign or assigned; `key` is that of the assignment."""
    is_current = (StageRun.photo_id == Face.photo_id) & (StageRun.stage == ASSIGN) & (StageRun.key == key)
    statement = (
        # Blobs as they are: an array for each takes several times as long.
        select(Face.id, Face.photo_id, type_coerce(Embedding.vector, LargeBinary), _SURE_DATE, Face.quality)
        .add_columns(Assignment.person_id, StageRun.key)
        .join(Embedding, (Embedding.face_id == Face.id) & (Embedding.model == model))
        .join(Photo, Photo.id == Face.photo_id)
        .outerjoin(Assignment, Assignment.face_id == Face.id)
        .outerjoin(StageRun, is_current)
        .order_by(Photo.taken_at.is_(None), Photo.taken_at, Photo.content_hash, Face.id)
    )
    rows = session.connection().execute(statement).all()
    ids, photos, vectors, taken_at, quality, people, keys = zip(*rows, strict=True) if rows else [()] * 7
    return EmbeddedFaces(
        np.array(ids, np.int64),
        np.array(photos, np.int64),
        np.frombuffer(b"".join(vectors), "<f4").reshape(len(rows), -1 if rows else 0),
        seconds(taken_at),
        np.array(quality, np.float64),
        np.array([-1 if person is None else person for person in people], np.int64),
        np.array([key is not None for key in keys], bool),
    )


def seconds(moments: Iterable[datetime | None]) -> NDArray[np.float64]:
    """Wall-clock times as seconds since 1970-01-01, nan where there is none."""
    times = np.array(list(moments), "datetime64[us]")
    return np.where(np.isnat(times), np.nan, times.astype(np.int64) / 1e6)


def embedded_count(session: Session, model: str, at_most: int) -> int:
    """How many vectors of an embedder there are, counted no further than `at_most`."""
    return len(session.execute(select(Embedding.face_id).where(Embedding.model == model).limit(at_most)).all())


def add_person(session: Session) -> int:
    """A new person without a name; the id."""
    person = Person()
    session.add(person)
    session.flush()
    return person.id


def replace_assignments(
    session: Session, face_ids: Collection[int], rows: Sequence[tuple[int, int, float | None]]
) -> None:
    """Store whom the machine takes faces for: (face, person, log-odds); the others of `face_ids` are nobody for now."""
    nobody = set(face_ids) - {face_id for face_id, *_ in rows}
    if nobody:
        one = delete(Assignment).where(Assignment.face_id == bindparam("one"))
        session.connection().execute(one, [{"one": face_id} for face_id in nobody])
    upsert_rows(session, Assignment, [{"face_id": face, "person_id": who, "score": score} for face, who, score in rows])


def remember_assignments(session: Session, face_ids: Sequence[int], answer_id: int) -> None:
    """Note whom the machine takes faces for, ahead of a change of mind after answers up to this one."""
    before: dict[int, tuple[int | None, float | None]] = dict.fromkeys(face_ids, (None, None))
    columns = (Assignment.face_id, Assignment.person_id, Assignment.score)
    for face_id, person_id, score in session.execute(select(*columns)):
        if face_id in before:
            before[face_id] = (person_id, score)
    rows = [
        {"face_id": face_id, "person_id": person_id, "score": score, "answer_id": answer_id}
        for face_id, (person_id, score) in before.items()
    ]
    insert_rows(session, AssignmentBefore, rows)


def restore_assignments(session: Session, answer_id: int) -> None:
    """Take faces again for whom the machine took them before it was told of this answer."""
    since = AssignmentBefore.answer_id >= answer_id
    first = select(func.min(AssignmentBefore.id)).where(since).group_by(AssignmentBefore.face_id)
    columns = (AssignmentBefore.face_id, AssignmentBefore.person_id, AssignmentBefore.score)
    rows = session.execute(select(*columns).where(AssignmentBefore.id.in_(first))).all()
    somebody = [(face_id, person_id, score) for face_id, person_id, score in rows if person_id is not None]
    replace_assignments(session, [row[0] for row in rows], somebody)
    session.execute(delete(AssignmentBefore).where(since))


def drop_assignments_before(session: Session) -> None:
    """Do without what the machine thought earlier, now that it sees faces through another embedder."""
    session.execute(delete(AssignmentBefore))


def ask_for_assignment(session: Session) -> None:
    """Have those faces assigned who are nobody's, though nothing is stale."""
    session.execute(upsert(Setting).values(name=_ASSIGNMENT_ASKED_FOR, value="yes").on_conflict_do_nothing())


def is_assignment_asked_for(session: Session) -> bool:
    """Whether `ask_for_assignment` was called since the last assignment."""
    return session.get(Setting, _ASSIGNMENT_ASKED_FOR) is not None


def replace_suggestions(session: Session, rows: Sequence[tuple[int, int, float]], kept: Collection[int] = ()) -> None:
    """Store whom faces may be: (face, person, log-odds), in place of what was before but for `kept` faces."""
    session.execute(delete(Setting).where(Setting.name == _ASSIGNMENT_ASKED_FOR))
    columns = (Suggestion.face_id, Suggestion.person_id, Suggestion.score)
    before = session.execute(select(*columns)).all() if kept else []
    stay, suggested = set(kept), {face for face, *_ in rows}
    every = [*rows, *(row for row in before if row.face_id in stay and row.face_id not in suggested)]
    session.execute(delete(Suggestion))
    if every:
        session.execute(
            insert(Suggestion), [{"face_id": face, "person_id": who, "score": score} for face, who, score in every]
        )


def outdate_assignments_of_faces(session: Session, face_ids: Collection[int]) -> None:
    """Have the faces of the photos assigned again on which these faces are."""
    photos = select(Face.photo_id).where(Face.id == bindparam("one")).scalar_subquery()
    if face_ids:
        one = delete(StageRun).where(StageRun.stage == ASSIGN, StageRun.photo_id == photos)
        session.connection().execute(one, [{"one": face_id} for face_id in face_ids])


def outdate_assignments_since(session: Session, moment: datetime) -> None:
    """Have the faces assigned again that were assigned since then."""
    session.execute(delete(StageRun).where(StageRun.stage == ASSIGN, StageRun.finished_at_utc >= moment))


class SuggestedNameRow(NamedTuple):
    """See the table SuggestedName."""

    person_id: int
    name: str
    shared: int
    named: int
    chance: float
    automatic: bool


def replace_suggested_names(session: Session, rows: Iterable[SuggestedNameRow]) -> None:
    """Store what people are probably called, in place of all that was suggested before."""
    session.execute(delete(SuggestedName))
    values = [row._asdict() for row in rows]
    if values:
        session.execute(insert(SuggestedName), values)


def automatic_names(session: Session) -> dict[int, str]:
    """Names by person that the company of names in an export has given."""
    automatic = select(SuggestedName).where(SuggestedName.automatic)
    return {row.person_id: row.name for row in session.scalars(automatic)}


def named_photos(session: Session) -> list[tuple[int, datetime | None, str]]:
    """(photo, when it was taken, name) of photos whose export names somebody, once for each name."""
    columns = (PhotoGooglePerson.photo_id, Photo.taken_at, PhotoGooglePerson.name)
    statement = select(*columns).join(Photo, Photo.id == PhotoGooglePerson.photo_id)
    rows = session.execute(statement.order_by(PhotoGooglePerson.photo_id))
    return [(photo_id, taken_at, name) for photo_id, taken_at, name in rows]


def names_are_current(session: Session, made_from: str) -> bool:
    """Whether what is suggested was made from this; so it is where no export names anybody."""
    tables = (PhotoGooglePerson, SuggestedName)
    if not any(session.scalar(select(select(table).exists())) for table in tables):
        return True
    return session.scalar(select(Setting.value).where(Setting.name == _NAMES_MADE_FROM)) == made_from


def keep_names_made_from(session: Session, made_from: str) -> None:
    """Remember from what the suggested names were made."""
    row = upsert(Setting).values(name=_NAMES_MADE_FROM, value=made_from)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value}))
