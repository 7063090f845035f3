"""Keeping the rows that queries ask: by triggers, and all anew at the end of an upgrade.

Who writes photos, files, faces, answers or opinions need not know of them; SQLite runs the triggers in the writer's own
transaction. What happens to a photo goes to its listed row, and from there to those of its faces; how many and whose
these are goes back to the photo's. Migrations rebuild tables, with which their triggers go, so each upgrade ends by
making triggers and rows anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from sqlalchemy import Connection, Table

from alignimation_index.store import listed_rows as rows
from alignimation_index.store.listed_tables import ListedFace, ListedPhoto


class _Source(NamedTuple):
    """A table that rows are derived from.

    Attributes:
        table: its name.
        columns: those that matter.
        about: the ids of photos or faces that a row is about, in SQL; {row} is OLD or NEW.
        derive: what is to be done for these.
        on: what may happen to a row.
        only_if: what holds for a row that matters when it comes or goes.
    """

    table: str
    columns: tuple[str, ...]
    about: str
    derive: Callable[[str], str]
    on: str = "INSERT UPDATE DELETE"
    only_if: str = ""


_OF_PHOTO = ("taken_at", "favourite", "trashed", "archived", "camera", "latitude_deg", "longitude_deg")
_OF_FILE = ("photo_id", "missing_since_utc", "path")
_OF_FACE = ("photo_id", "landmarks", "frontal", "yaw_deg", "pitch_deg", "size_px", "quality")
_OF_ANSWER = "SELECT face_id FROM answer_face WHERE answer_id = {row}.id"
_OF_PERSON = " UNION ALL ".join(
    f"SELECT face_id FROM {table} WHERE person_id = {{row}}.person_id" for table in ("assignment", "listed_face")
)
# Who goes by their own number and has no birthday needs no row in person_state.
_SAYS_SOMETHING = "({row}.goes_by_id != {row}.person_id OR {row}.born IS NOT NULL)"
_ON_A_PHOTO = "{row}.photo_id IS NOT NULL"

_SOURCES = (
    _Source("photo", _OF_PHOTO, "{row}.id", rows.describe_photos, "UPDATE"),
    _Source("file", _OF_FILE, "{row}.photo_id", rows.list_photos, only_if=_ON_A_PHOTO),
    _Source("variant", ("group_id", "rank"), "{row}.photo_id", rows.describe_photos),
    _Source("face", _OF_FACE, "{row}.id", rows.list_faces),
    _Source("face_verdict", ("person_id", "is_face"), "{row}.face_id", rows.list_faces),
    _Source("assignment", ("person_id",), "{row}.face_id", rows.set_people),
    _Source("person_state", ("goes_by_id", "born"), _OF_PERSON, rows.set_people, only_if=_SAYS_SOMETHING),
    _Source("transform", ("residual",), "{row}.face_id", rows.set_residuals),
    _Source("answer", ("kind", "undone_at_utc"), _OF_ANSWER, rows.set_reviewed, "UPDATE"),
    _Source("answer_face", ("face_id",), "{row}.face_id", rows.set_reviewed),
    _Source("listed_photo", ("photo_id",), "{row}.photo_id", rows.list_faces_of, "INSERT"),
    _Source("listed_photo", ("photo_id",), "{row}.photo_id", rows.unlist_faces_of, "DELETE"),
    _Source("listed_photo", rows.COPIED, "{row}.photo_id", rows.copy_photo, "UPDATE"),
    _Source("listed_photo", rows.MOMENT, "{row}.photo_id", rows.copy_moment, "UPDATE"),
    _Source("listed_photo", rows.COUNTED, "{row}.photo_id", rows.copy_counts, "UPDATE"),
    _Source("listed_face", ("person_id",), "{row}.photo_id", rows.count_faces),
)


def drop_triggers(connection: Connection) -> None:
    """Leave the rows to themselves, ahead of migrations."""
    for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def rebuild(connection: Connection) -> None:
    """Make rows and triggers anew; nothing happens in a store of a schema that has no such rows."""
    if not connection.dialect.has_table(connection, ListedPhoto.__tablename__):
        return
    tables = [cast(Table, model.__table__) for model in (ListedFace, ListedPhoto)]
    indexes = [index for table in tables for index in table.indexes]
    for index in indexes:  # to make one at once takes a fraction of what it takes row by row
        index.drop(connection)
    for table in tables:
        connection.execute(table.delete())
    for statement in (rows.list_photos(), rows.list_faces()):
        connection.exec_driver_sql(statement)
    for index in indexes:
        index.create(connection)
    for statement in (rows.count_faces(), rows.copy_counts(), *_triggers()):
        connection.exec_driver_sql(statement)


def _triggers() -> Iterator[str]:
    for source in _SOURCES:
        for event in source.on.split():
            yield _trigger(source, event)


def _trigger(source: _Source, event: str) -> str:
    name = f"list_{source.table}_{source.columns[0]}_{event.lower()}"
    sides = {"INSERT": ("NEW",), "DELETE": ("OLD",), "UPDATE": ("OLD", "NEW") if _moves(source) else ("NEW",)}[event]
    matters = source.only_if.format(row=sides[0])
    if event == "UPDATE":
        event = f"UPDATE OF {', '.join(source.columns)}"
        matters = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in source.columns)
    body = " ".join(f"{source.derive(source.about.format(row=side))};" for side in sides)
    when = f"WHEN {matters} " if matters else ""
    return f"CREATE TRIGGER {name} AFTER {event} ON {source.table} {when}BEGIN {body} END"


def _moves(source: _Source) -> bool:
    """Whether a change may make a row be about something else."""
    return any(f"{{row}}.{column}" in source.about for column in source.columns)
