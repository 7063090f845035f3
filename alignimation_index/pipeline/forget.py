"""Forgetting a person for good: in the store, in its write-ahead log, in the copies beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from alignimation_index.library.sidecars.naming import without_names
from alignimation_index.people.answers import folded
from alignimation_index.people.forgotten_names import digests
from alignimation_index.pipeline.forgotten_names import forgotten_names
from alignimation_index.pipeline.identity import known_people, refresh
from alignimation_index.query.people import called, numbers_of, person_at
from alignimation_index.store import backups, tombstones
from alignimation_index.store import forget as rows
from alignimation_index.store.engine import Store
from alignimation_index.store.tombstones import Tombstones


@dataclass(frozen=True, slots=True)
class Forgettable:
    """What forgetting a person would erase.

    Attributes:
        called: how to speak of them.
        names: that are erased, and not read again.
        face_count: their faces.
        suggested_count: faces that only may be theirs, which go too.
        photo_count: photos that these are on.
        rewritten: copies of the store that are freed of them.
        deleted: copies that cannot be, and are deleted.
    """

    called: str
    names: list[str]
    face_count: int
    suggested_count: int
    photo_count: int
    rewritten: list[Path]
    deleted: list[Path]


@dataclass
class Erased:
    """What became of the copies of a store."""

    rewritten: list[Path] = field(default_factory=list)
    deleted: list[Path] = field(default_factory=list)


def preview(store: Store, person: str) -> Forgettable:
    """What `forget` would erase.

    Raises:
        UserError: there is no such person.
    """
    with store.reading() as session:
        number = person_at(session, person)
        numbers = numbers_of(session, number)
        faces = rows.faces_of(session, numbers)
        about = called(session, number), sorted(_names(session, numbers))
    copies = backups.backups_of(store.path)
    current = [copy for copy in copies if backups.is_current(copy)]
    others = [copy for copy in copies if copy not in current]
    return Forgettable(*about, len(faces.sure), len(faces.suggested), faces.photo_count, current, others)


def forget(store: Store, person: str, on_wait: Callable[[], None] = lambda: None) -> Erased:
    """Erase a person; if this is cut short, `finish` completes it.

    Raises:
        UserError: there is no such person, or what was deleted could not be overwritten yet.
    """
    with store.updating(on_wait):
        with store.writing() as session:
            numbers = numbers_of(session, person_at(session, person))
            salt = tombstones.keep_salt(session)
            tombstones.add_forgotten_names(session, digests(_names(session, numbers), salt))
            made = {**(rows.unfinished(session) or {}), **rows.made_at(session, numbers)}
            _delete(session, numbers, Tombstones())
            rows.note_unfinished(session, made)
        return _erase(store, made)


def is_unfinished(store: Store) -> bool:
    """Whether a person was deleted, and is not yet overwritten everywhere."""
    with store.reading() as session:
        return rows.unfinished(session) is not None


def finish(store: Store, on_wait: Callable[[], None] = lambda: None) -> Erased:
    """Complete what was cut short.

    Raises:
        UserError: what was deleted could not be overwritten yet.
    """
    with store.updating(on_wait):
        with store.reading() as session:
            made = rows.unfinished(session)
        return _erase(store, made) if made is not None else Erased()


def _names(session: Session, numbers: Collection[int]) -> set[str]:
    """What a person is called, but for what somebody else is called too."""
    known = known_people(session)
    others = {folded(name) for person, name in known.names.items() if person not in numbers}
    return {name for name in rows.names_of(session, numbers) if folded(name) not in others}


def _delete(session: Session, numbers: Collection[int], gone: Tombstones) -> None:
    rows.delete_person(session, numbers, gone.places(), forgotten_names(session), without_names)
    refresh(session, outdate=False)


def _erase(store: Store, made: Mapping[int, datetime]) -> Erased:
    """Overwrite what was deleted, here and in the copies."""
    store.overwrite_deleted()
    done = Erased()
    for copy in backups.backups_of(store.path):
        if backups.is_current(copy):
            _erase_in_copy(store, copy, made)
            done.rewritten.append(copy)
        else:
            backups.delete_backup(copy)
            done.deleted.append(copy)
    with store.writing() as session:
        rows.note_finished(session)
    return done


def _erase_in_copy(store: Store, path: Path, made: Mapping[int, datetime]) -> None:
    with store.reading() as session:
        salt, digests_, gone = (
            tombstones.salt(session),
            tombstones.forgotten_digests(session),
            tombstones.tombstones(session),
        )
    with closing(Store.open(path, create=False)) as copy:
        with copy.writing() as session:
            tombstones.copy_salt(session, salt)
            tombstones.add_forgotten_names(session, digests_)
            _delete(session, rows.people_with(session, made), gone)
        copy.overwrite_deleted()
