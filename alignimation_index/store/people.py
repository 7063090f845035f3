"""People, who the machine takes a face for, and what people answered."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Subquery, bindparam, delete, func, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.errors import UserError
from alignimation_index.store.files import visible
from alignimation_index.store.tables import Answer, Assignment, Embedding, Face, File, Person, Photo, StageRun

NAME = "name"
EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class EmbeddedFaces:
    """All faces of one embedder, in the order in which photos were taken.

    Attributes:
        face_ids: (N,) int64.
        photo_ids: (N,) int64.
        vectors: (N, D) float32.
        taken_at_s: (N,) float64, wall-clock seconds since 1970-01-01; nan where unknown.
        quality: (N,) float64 in 0..1; nan where unknown.
        person_ids: (N,) int64, −1 where nobody is assigned.
        settled: (N,) bool, whether the assignment was made under the present key.
    """

    face_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]
    vectors: Float
    taken_at_s: NDArray[np.float64]
    quality: NDArray[np.float64]
    person_ids: NDArray[np.int64]
    settled: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """A person as a list shows it: the name, if any, the count of photos, and the years of the first and last."""

    id: int
    name: str | None
    photo_count: int
    first_year: int | None
    last_year: int | None


def embedded_faces(session: Session, model: str, stage: str, key: str) -> EmbeddedFaces:
    """Load the faces to assign or assigned; `stage` and `key` are those of the assignment."""
    is_current = (StageRun.photo_id == Face.photo_id) & (StageRun.stage == stage) & (StageRun.key == key)
    statement = (
        select(
            Face.id,
            Face.photo_id,
            Embedding.vector,
            Assignment.person_id,
            StageRun.key,
            Photo.taken_at,
            Face.quality,
        )
        .join(Embedding, (Embedding.face_id == Face.id) & (Embedding.model == model))
        .join(Photo, Photo.id == Face.photo_id)
        .outerjoin(Assignment, Assignment.face_id == Face.id)
        .outerjoin(StageRun, is_current)
        .order_by(Photo.taken_at.is_(None), Photo.taken_at, Photo.content_hash, Face.id)
    )
    rows = session.execute(statement).all()
    return EmbeddedFaces(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float32) if rows else np.zeros((0, 0), np.float32),
        np.array([np.nan if row[5] is None else (row[5] - EPOCH).total_seconds() for row in rows]),
        np.array([np.nan if row[6] is None else row[6] for row in rows]),
        np.array([-1 if row[3] is None else row[3] for row in rows], np.int64),
        np.array([row[4] is not None for row in rows], bool),
    )


def add_person(session: Session) -> int:
    """A new person without a name; the id."""
    person = Person()
    session.add(person)
    session.flush()
    return person.id


def replace_assignments(session: Session, face_ids: Collection[int], people: Mapping[int, tuple[int, float]]) -> None:
    """Store who faces are: face id → (person id, log-odds); the others of `face_ids` are nobody for now."""
    if face_ids:
        one = delete(Assignment).where(Assignment.face_id == bindparam("one"))
        session.connection().execute(one, [{"one": face_id} for face_id in face_ids])
    session.add_all(
        Assignment(face_id=face_id, person_id=person_id, distance=-log_odds)
        for face_id, (person_id, log_odds) in people.items()
    )


def names() -> Subquery:
    """Columns person_id and value: the name that stands for each named person, the latest that was not undone."""
    latest = (
        select(func.max(Answer.id))
        .where(Answer.kind == NAME, Answer.undone_at_utc.is_(None))
        .group_by(Answer.person_id)
    )
    return select(Answer.person_id, Answer.value).where(Answer.id.in_(latest)).subquery("name")


def summaries(session: Session, include_trashed: bool = False, include_archived: bool = False) -> list[PersonSummary]:
    """Everyone with a photo at hand, most photos first; photos in the bin or archive of an export only if asked for."""
    name = names()
    at_hand = select(File.photo_id).where(File.missing_since_utc.is_(None))
    count = func.count(Face.photo_id.distinct())
    statement = (
        select(Person.id, name.c.value, count, func.min(Photo.taken_at), func.max(Photo.taken_at))
        .join(Assignment, Assignment.person_id == Person.id)
        .join(Face, Face.id == Assignment.face_id)
        .join(Photo, Photo.id == Face.photo_id)
        .outerjoin(name, name.c.person_id == Person.id)
        .where(Photo.id.in_(at_hand), *visible(include_trashed, include_archived))
        .group_by(Person.id)
        .order_by(count.desc(), Person.id)
    )
    return [
        PersonSummary(id_, called, photos, first and first.year, last and last.year)
        for id_, called, photos, first, last in session.execute(statement)
    ]


def find_person(session: Session, name_or_id: str) -> int | None:
    """The person of that name (letter case aside), else of that number; None if there is none."""
    name, wanted = names(), _folded(name_or_id)
    for person_id, called in session.execute(select(name.c.person_id, name.c.value)):
        if _folded(called) == wanted:
            return int(person_id)
    person = session.get(Person, int(name_or_id)) if name_or_id.isdecimal() else None
    return None if person is None else person.id


def name_person(session: Session, person_id: int, name: str) -> None:
    """Answer what a person is called.

    Raises:
        UserError: there is no such person, or somebody else has the name.
    """
    if session.get(Person, person_id) is None:
        raise UserError(f"There is no person {person_id}. See who there is: alignindex people list")
    if not name.strip() or name.strip().isdecimal():
        raise UserError(f"'{name}' cannot be a name: use at least one letter, so that it is not taken for a number.")
    holder = find_person(session, name.strip())
    if holder is not None and holder != person_id:
        raise UserError(
            f"Person {holder} is called {name.strip()} already. Choose another name for person {person_id}."
        )
    session.add(Answer(kind=NAME, person_id=person_id, value=name.strip()))


def _folded(name: str) -> str:
    """A name as it compares: in any language's letter case, however its accents are encoded."""
    return unicodedata.normalize("NFC", name.strip()).casefold()
