"""Deleting all that is known of a person, and everything that says so."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from alignimation_index.store import saved
from alignimation_index.store.bodies import delete_bodies_of_faces
from alignimation_index.store.body_templates import delete_templates_of
from alignimation_index.store.bulk import delete_rows, update_rows
from alignimation_index.store.face_tables import Answer, Assignment, Face, Person
from alignimation_index.store.identity_tables import (
    AnswerFace,
    AssignmentAside,
    AssignmentBefore,
    FaceVerdict,
    PersonState,
    SuggestedName,
    Suggestion,
)
from alignimation_index.store.tables import Base, Photo, PhotoGooglePerson, Setting, Sidecar
from alignimation_index.store.tombstones import Place, Tombstones, add_tombstones, tombstones

SPLIT, CONFIRM, NAME, REGION = "split", "confirm", "name", "region"

_UNFINISHED = "forgetting"


class Names(Protocol):
    """Names that are forgotten."""

    def __contains__(self, name: str) -> bool:
        """Whether this is one of them."""

    def are_in(self, text: str) -> bool:
        """Whether a text mentions one of them."""


class WithoutNames(Protocol):
    """Takes names out of what a file says."""

    def __call__(self, said: Mapping[str, Any], names: Names) -> dict[str, Any]:
        """What is left."""


@dataclass(frozen=True, slots=True)
class FacesOf:
    """A person's faces by id: theirs, and those that only may be theirs; and how many photos they are on."""

    sure: list[int]
    suggested: list[int]
    photo_count: int

    @property
    def all(self) -> list[int]:
        """Both."""
        return [*self.sure, *self.suggested]


def faces_of(session: Session, numbers: Collection[int]) -> FacesOf:
    """The faces of the person with these numbers."""
    verdicts = select(FaceVerdict.face_id)
    answered = select(FaceVerdict.face_id).where(FaceVerdict.person_id.in_(numbers))
    assigned = select(Assignment.face_id).where(Assignment.person_id.in_(numbers), Assignment.face_id.not_in(verdicts))
    sure = {*session.scalars(answered), *session.scalars(assigned)}
    of_others = select(Assignment.face_id).where(Assignment.person_id.not_in(numbers))
    maybe = select(Suggestion.face_id).where(
        Suggestion.person_id.in_(numbers), Suggestion.face_id.not_in(verdicts), Suggestion.face_id.not_in(of_others)
    )
    suggested = set(session.scalars(maybe)) - sure
    photos = {place[0] for place in _places_of_faces(session, [*sure, *suggested])}
    return FacesOf(sorted(sure), sorted(suggested), len(photos))


def names_of(session: Session, numbers: Collection[int]) -> set[str]:
    """What a person with these numbers is called: by answers that hold, by frames around their faces, by an export."""
    live = Answer.undone_at_utc.is_(None)
    answered = select(Answer.value).where(Answer.kind == NAME, Answer.person_id.in_(numbers), live)
    faces = select(FaceVerdict.face_id).where(FaceVerdict.person_id.in_(numbers))
    framed = (
        select(Answer.value)
        .join(AnswerFace, AnswerFace.answer_id == Answer.id)
        .where(Answer.kind == REGION, AnswerFace.face_id.in_(faces), live)
    )
    state = select(PersonState.name).where(PersonState.person_id.in_(numbers))
    return {name for query in (answered, framed, state) for name in session.scalars(query) if name}


def delete_person(
    session: Session, numbers: Collection[int], places: Iterable[Place], names: Names, without_names: WithoutNames
) -> Tombstones:
    """Delete a person: faces with all that was computed of them, answers, names; tombstones take their place.

    Args:
        session: of the transaction.
        numbers: those of the person.
        places: where they were besides, as another copy of the store has it.
        names: of the person, and others that are forgotten.
        without_names: takes names out of what a file says.

    Returns:
        All tombstones.
    """
    session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
    theirs = _places_of_faces(session, faces_of(session, numbers).all)
    add_tombstones(session, [*theirs, *_answered_places(session, numbers), *places])
    gone = tombstones(session)
    _delete_answers(session, numbers, gone, names)
    _delete_opinions(session, numbers, names)
    faces = _faces_under(session, gone)
    delete_bodies_of_faces(session, faces)
    delete_templates_of(session, numbers, gone)
    delete_rows(session, Face, faces)
    _delete_names(session, names, without_names)
    saved.delete_mentioning(session, names)
    session.execute(delete(Person).where(Person.id.in_(numbers)))
    return gone


def people_with(session: Session, made: Mapping[int, datetime]) -> list[int]:
    """Those of the numbers that this copy of the store gave to the same people: made at the same moment."""
    rows = session.execute(select(Person.id, Person.created_at_utc).where(Person.id.in_(made)))
    return [id_ for id_, created in rows if made[id_] == created]


def made_at(session: Session, numbers: Collection[int]) -> dict[int, datetime]:
    """When people were made, by number."""
    rows = session.execute(select(Person.id, Person.created_at_utc).where(Person.id.in_(numbers)))
    return {row.id: row.created_at_utc for row in rows}


def note_unfinished(session: Session, made: Mapping[int, datetime]) -> None:
    """Remember that these people are deleted, and not yet overwritten everywhere."""
    value = json.dumps({id_: created.isoformat() for id_, created in made.items()})
    row = insert(Setting).values(name=_UNFINISHED, value=value)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def unfinished(session: Session) -> dict[int, datetime] | None:
    """What `note_unfinished` was given, if it is still so."""
    value = session.scalar(select(Setting.value).where(Setting.name == _UNFINISHED))
    if value is None:
        return None
    return {int(id_): datetime.fromisoformat(created) for id_, created in json.loads(value).items()}


def note_finished(session: Session) -> None:
    """Everything is overwritten."""
    session.execute(delete(Setting).where(Setting.name == _UNFINISHED))


def _places_of_faces(session: Session, faces: Collection[int]) -> list[Place]:
    ids, found = sorted(faces), []
    for start in range(0, len(ids), 10_000):
        some = Face.id.in_(ids[start : start + 10_000])
        rows = session.execute(select(Photo.content_hash, Face.box).join(Face, Face.photo_id == Photo.id).where(some))
        found += [(row.content_hash, row.box) for row in rows]
    return found


def _answered_places(session: Session, numbers: Collection[int]) -> list[Place]:
    """Where the person was by answers, whether a face is found there at present or not."""
    said = (Answer.kind.in_((CONFIRM, SPLIT)), Answer.person_id.in_(numbers), Answer.undone_at_utc.is_(None))
    linked = select(AnswerFace.answer_id)
    rows = session.execute(
        select(Answer.content_hash, Answer.box).where(*said, Answer.box.is_not(None), Answer.id.not_in(linked))
    )
    return [(str(content_hash), box) for content_hash, box in rows if box is not None]


def _faces_under(session: Session, gone: Tombstones) -> list[int]:
    contents, found = gone.contents, []
    for start in range(0, len(contents), 10_000):
        some = Photo.content_hash.in_(contents[start : start + 10_000])
        columns = (Face.id, Photo.content_hash, Face.box)
        rows = session.execute(select(*columns).join(Photo, Photo.id == Face.photo_id).where(some))
        found += [id_ for id_, content_hash, box in rows if gone.cover(content_hash, box)]
    return found


def _delete_answers(session: Session, numbers: Collection[int], gone: Tombstones, names: Names) -> None:
    """Those that speak of the person, of faces of theirs, or by their names."""
    others = Answer.kind == SPLIT, Answer.other_id.in_(numbers), Answer.person_id.not_in(numbers)
    # What was split from them stays with whom it was given to.
    session.execute(update(Answer).where(*others).values(kind=CONFIRM, other_id=None))
    session.execute(delete(Answer).where(or_(Answer.person_id.in_(numbers), Answer.other_id.in_(numbers))))
    columns = (Answer.id, Answer.content_hash, Answer.box, AnswerFace.face_id)
    placed = select(*columns).outerjoin(AnswerFace, AnswerFace.answer_id == Answer.id).where(Answer.box.is_not(None))
    faces = set(_faces_under(session, gone))
    about = {
        id_
        for id_, content_hash, box, face_id in session.execute(placed)
        if face_id in faces or (box is not None and gone.cover(str(content_hash), box))
    }
    named = select(Answer.id, Answer.value).where(Answer.kind.in_((NAME, REGION)), Answer.value.is_not(None))
    about |= {id_ for id_, value in session.execute(named) if str(value) in names}
    delete_rows(session, Answer, sorted(about))


def _delete_opinions(session: Session, numbers: Collection[int], names: Names) -> None:
    """What the machine made of the person."""
    for table in (Assignment, AssignmentBefore, AssignmentAside, Suggestion, SuggestedName, FaceVerdict):
        session.execute(delete(table).where(table.person_id.in_(numbers)))
    goes_by = or_(PersonState.person_id.in_(numbers), PersonState.goes_by_id.in_(numbers))
    session.execute(delete(PersonState).where(goes_by))
    _delete_named(session, SuggestedName, SuggestedName.name, names)


def _delete_names(session: Session, names: Names, without_names: WithoutNames) -> None:
    """What files said of the person."""
    _delete_named(session, PhotoGooglePerson, PhotoGooglePerson.name, names)
    for table, column in ((Sidecar, Sidecar.content), (Photo, Photo.facts)):
        changed: dict[int, dict[str, Any]] = {}
        statement = select(table.id, column).where(column.is_not(None)).execution_options(yield_per=1000)
        for id_, said in session.execute(statement):
            left = without_names(said, names)
            if left != said:
                changed[id_] = {column.key: left}
        update_rows(session, table, changed)


def _delete_named(session: Session, table: type[Base], column: Any, names: Names) -> None:  # noqa: ANN401
    spelled = [name for name in session.scalars(select(column).distinct()) if name in names]
    one: ColumnElement[bool] = column == bindparam("one")
    if spelled:
        session.connection().execute(delete(table).where(one), [{"one": name} for name in spelled])
