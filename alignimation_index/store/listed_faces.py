"""What queries ask of a face, in one narrow row for each face that they list, in the order of time.

The rows are derived from those of photos, files, faces, answers and the machine's opinions. Triggers keep them, so that
who writes those tables need not know; SQLite runs them in the writer's own transaction. Migrations rebuild tables, with
which their triggers go, so each upgrade ends by making the triggers and the rows anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, ForeignKey, Index, Integer, Select, cast, exists, func, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapped, mapped_column

from alignimation_index.store.face_tables import Face, Transform
from alignimation_index.store.identity import IS_FACE, PERSON_ID, with_identity
from alignimation_index.store.tables import Base, File, Photo, Variant

UNDATED = 1 << 40
"""The moment of what has no date: after all others."""


class ListedFace(Base):
    """A face of a photo at hand whose stages are done, and that nobody called none.

    The table is kept in the order of its key, in which frames are listed. `moment` is the photo's wall-clock time in
    whole seconds since 1970-01-01, or UNDATED; `person_id` is who the face is, all in all.
    """

    __tablename__ = "listed_face"
    __table_args__ = (
        Index("ix_listed_face_photo_id", "photo_id", "person_id"),
        Index("ix_listed_face_person_id", "person_id", "moment", "face_id", "photo_id"),
        Index("ix_listed_face_variant_group", "variant_group", "person_id", "variant_rank"),
        {"sqlite_with_rowid": False},
    )

    moment: Mapped[int] = mapped_column(primary_key=True)
    face_id: Mapped[int] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"), primary_key=True, unique=True)
    photo_id: Mapped[int]
    person_id: Mapped[int | None]
    frontal: Mapped[bool | None]
    yaw_deg: Mapped[float | None]
    pitch_deg: Mapped[float | None]
    size_px: Mapped[float | None]
    quality: Mapped[float]
    residual: Mapped[float | None]
    favourite: Mapped[bool]
    trashed: Mapped[bool]
    archived: Mapped[bool]
    variant_group: Mapped[int | None]
    variant_rank: Mapped[int | None]


class _Source(NamedTuple):
    """A table that rows are derived from: the columns that matter, and the faces that one of its rows is about."""

    table: str
    columns: tuple[str, ...]
    faces: str
    on_insert: bool = True
    only_if: str = ""


_OF_FACE, _OF_PHOTO = "{row}.face_id", "SELECT id FROM face WHERE photo_id = {row}.photo_id"
_OF_PERSON = "SELECT face_id FROM assignment WHERE person_id = {row}.person_id"
_OF_STAGES = ("photo_id", "landmarks", "frontal", "yaw_deg", "pitch_deg", "size_px", "quality")
_SOURCES = (
    _Source("face", _OF_STAGES, "{row}.id"),
    _Source(
        "photo",
        ("taken_at", "favourite", "trashed", "archived"),
        "SELECT id FROM face WHERE photo_id = {row}.id",
        on_insert=False,
    ),
    _Source("file", ("photo_id", "missing_since_utc"), _OF_PHOTO),
    _Source("variant", ("group_id", "rank"), _OF_PHOTO),
    _Source("face_verdict", ("person_id", "is_face"), _OF_FACE),
    _Source("assignment", ("person_id",), _OF_FACE),
    _Source("transform", ("residual",), _OF_FACE),
    # Who goes by their own number needs no row there.
    _Source("person_state", ("goes_by_id",), _OF_PERSON, only_if="{row}.goes_by_id != {row}.person_id"),
)


def drop_triggers(connection: Connection) -> None:
    """Leave the rows to themselves, ahead of migrations."""
    for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def rebuild(connection: Connection) -> None:
    """Make rows and triggers anew; nothing happens in a store of a schema that has no such rows."""
    if not connection.dialect.has_table(connection, ListedFace.__tablename__):
        return
    connection.exec_driver_sql("DELETE FROM listed_face")
    connection.exec_driver_sql(_insert())
    for statement in _triggers():
        connection.exec_driver_sql(statement)


def _triggers() -> Iterator[str]:
    for source in _SOURCES:
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in source.columns)
        may_move = any(f"{{row}}.{column}" in source.faces for column in source.columns)
        rows = ("OLD", "NEW") if may_move else ("NEW",)
        yield _trigger(source, f"UPDATE OF {', '.join(source.columns)}", changed, rows)
        yield _trigger(source, "DELETE", source.only_if.format(row="OLD"), ("OLD",))
        if source.on_insert:
            yield _trigger(source, "INSERT", source.only_if.format(row="NEW"), ("NEW",))


def _trigger(source: _Source, event: str, only_if: str, rows: tuple[str, ...]) -> str:
    name = f"list_{source.table}_{event.split()[0].lower()}"
    faces = [source.faces.format(row=row) for row in rows]
    body = "".join(
        f"DELETE FROM listed_face WHERE face_id IN ({one}); {_insert(one)}; " for one in dict.fromkeys(faces)
    )
    when = f"WHEN {only_if} " if only_if else ""
    return f"CREATE TRIGGER {name} AFTER {event} ON {source.table} {when}BEGIN {body}END"


def _insert(faces: str | None = None) -> str:
    """The statement that derives rows: those of some faces, given as SQL, or all."""
    rows = _rows() if faces is None else _rows().where(Face.id.in_(text(faces)))
    compiled = rows.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return f"INSERT OR REPLACE INTO listed_face ({', '.join(ListedFace.__table__.columns.keys())}) {compiled}"


def _rows() -> Select[Any]:
    columns: tuple[Any, ...] = (
        func.coalesce(cast(func.strftime("%s", func.substr(Photo.taken_at, 1, 19)), Integer), UNDATED),
        Face.id,
        Face.photo_id,
        PERSON_ID,
        Face.frontal,
        Face.yaw_deg,
        Face.pitch_deg,
        Face.size_px,
        Face.quality,
        select(func.min(Transform.residual)).where(Transform.face_id == Face.id).scalar_subquery(),
        func.coalesce(Photo.favourite, False),
        func.coalesce(Photo.trashed, False),
        func.coalesce(Photo.archived, False),
        Variant.group_id,
        Variant.rank,
    )
    here = exists().where(File.photo_id == Face.photo_id, File.missing_since_utc.is_(None))
    statement: Select[Any] = with_identity(select(*columns).join(Photo, Photo.id == Face.photo_id))
    return statement.outerjoin(Variant, Variant.photo_id == Photo.id).where(
        Face.landmarks.is_not(None), Face.quality.is_not(None), IS_FACE, here
    )
