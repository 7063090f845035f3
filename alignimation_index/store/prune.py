"""Forgetting what has been missing for long. What people answered is never among it."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from alignimation_index.store.face_tables import Answer, Assignment, Face, Person
from alignimation_index.store.identity_tables import AssignmentAside
from alignimation_index.store.schema import REMOVAL_SETTING
from alignimation_index.store.tables import Base, File, Photo, Setting, Sidecar


@dataclass(frozen=True, slots=True)
class Prunable:
    """How much would go: missing files, photos that nothing else holds, the faces on them, people without others."""

    files: int
    photos: int
    faces: int
    people: int

    def __bool__(self) -> bool:
        return any(astuple(self))


def prunable(session: Session, missing_since: datetime) -> Prunable:
    """Count what goes with the files that have been missing since then, or for longer."""

    def count(table: type[Base], condition: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(table).where(condition)) or 0

    photos = _photos(missing_since)
    return Prunable(
        files=count(File, _files(missing_since)),
        photos=count(Photo, photos),
        faces=count(Face, Face.photo_id.in_(select(Photo.id).where(photos))),
        people=count(Person, _people(missing_since)),
    )


def prune(session: Session, missing_since: datetime) -> None:
    """Delete what `prunable` counts, with all that was computed of those photos."""
    session.execute(delete(Sidecar).where(Sidecar.missing_since_utc <= missing_since))
    for table, condition in ((File, _files), (Photo, _photos), (Person, _people)):
        session.execute(delete(table).where(condition(missing_since)), execution_options={"synchronize_session": False})


def _files(missing_since: datetime) -> ColumnElement[bool]:
    return File.missing_since_utc <= missing_since


def _photos(missing_since: datetime) -> ColumnElement[bool]:
    """Photos that no file holds, but for those that go; and if no root was removed since then, those without files.

    When the root of a photo was removed is not known: all wait for the last one.
    """
    stays = File.missing_since_utc.is_(None) | (File.missing_since_utc > missing_since)
    removed_since = exists().where(Setting.name == REMOVAL_SETTING, Setting.value > missing_since.isoformat())
    return ~exists().where(File.photo_id == Photo.id, stays) & (
        ~removed_since | exists().where(File.photo_id == Photo.id)
    )


def _people(missing_since: datetime) -> ColumnElement[bool]:
    """People nobody said anything about, without a face on a photo that stays."""
    seen = exists().where(Assignment.person_id == Person.id, Assignment.face_id == Face.id, Face.photo_id == Photo.id)
    spoken_of = exists().where((Answer.person_id == Person.id) | (Answer.other_id == Person.id))
    kept = exists().where(AssignmentAside.person_id == Person.id)
    return ~seen.where(~_photos(missing_since)) & ~spoken_of & ~kept
