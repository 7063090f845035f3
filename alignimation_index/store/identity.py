"""Who is who, answers and the machine's opinion together: as expressions for queries, and as the rows they read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from alignimation_index.store.bulk import Row, upsert_rows
from alignimation_index.store.face_tables import Assignment, Face
from alignimation_index.store.identity_tables import FaceVerdict, PersonState, Suggestion
from alignimation_index.store.tables import Photo

_MERGED, STATE = aliased(PersonState), aliased(PersonState)

PERSON_ID = case(
    (FaceVerdict.face_id.is_not(None), FaceVerdict.person_id),
    else_=func.coalesce(_MERGED.goes_by_id, Assignment.person_id),
)
"""Who a face is, in a statement that `with_identity` made; STATE is what is known of that person."""

ASSIGNED_BY = case(
    (FaceVerdict.person_id.is_not(None), "answer"),
    (FaceVerdict.face_id.is_(None) & Assignment.person_id.is_not(None), "machine"),
    else_=None,
)
IS_FACE = func.coalesce(FaceVerdict.is_face, True)
IS_DOUBTFUL = Suggestion.face_id.is_not(None) & FaceVerdict.face_id.is_(None)


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """What is known of a person, see the table PersonState."""

    goes_by_id: int
    name: str | None = None
    name_source: str | None = None
    hidden: bool = False
    born: date | None = None
    cover_face_id: int | None = None


def with_identity(statement: Any) -> Any:  # noqa: ANN401 - a select of any columns
    """Join, to a statement about faces, what says who they are."""
    return (
        statement.outerjoin(FaceVerdict, FaceVerdict.face_id == Face.id)
        .outerjoin(Assignment, Assignment.face_id == Face.id)
        .outerjoin(_MERGED, _MERGED.person_id == Assignment.person_id)
        .outerjoin(STATE, STATE.person_id == PERSON_ID)
        .outerjoin(Suggestion, Suggestion.face_id == Face.id)
    )


def faces_of(person_id: int) -> Any:  # noqa: ANN401 - a select of ids
    """The ids of a person's faces."""
    verdicts = select(FaceVerdict.face_id)
    return union_all(
        select(FaceVerdict.face_id).where(FaceVerdict.person_id == person_id),
        select(Assignment.face_id).where(_own(person_id), Assignment.face_id.not_in(verdicts)),
    )


def people_on(session: Session, photo_ids: Collection[int]) -> dict[int, set[int]]:
    """The people on photos; a photo without a face is left out."""
    found: dict[int, set[int]] = {}
    ids = sorted(photo_ids)
    for start in range(0, len(ids), 10_000):
        some = Face.photo_id.in_(ids[start : start + 10_000])
        for photo_id, person_id in session.execute(
            with_identity(select(Face.photo_id, PERSON_ID)).where(some, IS_FACE)
        ):
            shown = found.setdefault(photo_id, set())
            if person_id is not None:
                shown.add(person_id)
    return found


def rejected_at_present(session: Session, pairs: Collection[tuple[int, int]], goes_by: Mapping[int, int]) -> set[int]:
    """The faces that the machine takes for whom they are not, of (face, person) pairs that are rejected."""
    faces = {face_id for face_id, _ in pairs}
    found: set[int] = set()
    for table in (Assignment, Suggestion):
        statement = select(table.face_id, table.person_id).where(table.face_id.in_(faces))
        found |= {face for face, person in session.execute(statement) if (face, goes_by.get(person, person)) in pairs}
    return found


def before_birth(session: Session, births: Mapping[int, date]) -> set[int]:
    """The faces that the machine takes for somebody who was not born yet."""
    found: set[int] = set()
    for person_id, born in births.items():
        early = _own(person_id), Photo.taken_at < datetime(born.year, born.month, born.day)
        faces = select(Face.id).join(Assignment, Assignment.face_id == Face.id).join(Photo, Photo.id == Face.photo_id)
        found.update(session.scalars(faces.where(*early)))
    return found


def store_verdicts(session: Session, verdicts: Mapping[int, tuple[int | None, bool]]) -> list[int]:
    """Replace what answers say of faces: face id → (person, whether it is a face); the faces for which that changed."""
    columns = (FaceVerdict.face_id, FaceVerdict.person_id, FaceVerdict.is_face)
    before = {face: (person, is_face) for face, person, is_face in session.execute(select(*columns))}
    gone = before.keys() - verdicts.keys()
    changed = [face for face, verdict in verdicts.items() if before.get(face) != verdict]
    _delete(session, FaceVerdict.face_id, gone)
    rows = [{"face_id": face, "person_id": verdicts[face][0], "is_face": verdicts[face][1]} for face in changed]
    upsert_rows(session, FaceVerdict, rows)
    return [*gone, *changed]


def store_people(session: Session, people: Mapping[int, KnownPerson]) -> None:
    """Replace what is known of people; those that are left out are as they were found."""
    columns = list(PersonState.__table__.columns)
    before: dict[int, Row] = {row.person_id: dict(row._mapping) for row in session.execute(select(*columns))}
    rows: dict[int, Row] = {
        person: {"person_id": person, **{name: getattr(about, name) for name in KnownPerson.__slots__}}
        for person, about in people.items()
    }
    _delete(session, PersonState.person_id, before.keys() - rows.keys())
    upsert_rows(session, PersonState, [row for person, row in rows.items() if before.get(person) != row])


def _own(person_id: int) -> ColumnElement[bool]:
    """Whether the machine takes a face for this person, or for somebody merged into them."""
    merged = select(PersonState.person_id).where(PersonState.goes_by_id == person_id)
    return or_(Assignment.person_id == person_id, Assignment.person_id.in_(merged))


def _delete(session: Session, column: Any, ids: Iterable[int]) -> None:  # noqa: ANN401
    rows = list(ids)
    for start in range(0, len(rows), 10_000):
        session.execute(delete(column.class_).where(column.in_(rows[start : start + 10_000])))
