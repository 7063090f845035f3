"""Reading and writing many rows with one prepared statement each, in the caller's transaction.

Rows are plain mappings of column names: objects that track their own changes cost several times what SQLite does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, bindparam, column, delete, func, insert, select, update
from sqlalchemy import table as lightweight_table
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from alignimation_index.store.tables import Base

Row = Mapping[str, Any]

# SQLite's own record of the ids of tables that never use one again; RETURNING would insert row by row.
_SEQUENCE = lightweight_table("sqlite_sequence", column("name"), column("seq"))


def distinct_values(session: Session, column: InstrumentedAttribute[Any]) -> list[str]:
    """The values of an indexed column, sorted: looked up one after the other, however many rows have each."""
    first = select(func.min(column).label("value")).cte("known", recursive=True)
    following = select(func.min(column)).where(column > first.c.value).scalar_subquery()
    known = first.union_all(select(following).where(first.c.value.is_not(None)))
    return list(session.scalars(select(known.c.value).where(known.c.value.is_not(None))))


def insert_rows(session: Session, model: type[Base], rows: Sequence[Row]) -> range:
    """Insert rows that name the same columns, numbered in the order given; their ids.

    The session must hold the right to write (`Store.writing`), so that nobody else takes these ids.
    """
    table = _table(model)
    first = 1 + _last_id(session, table)
    ids = range(first, first + len(rows))
    if rows:
        numbered = [{"id": id_, **row} for id_, row in zip(ids, rows, strict=True)]
        session.connection().execute(insert(table), numbered)
    return ids


def upsert_rows(session: Session, model: type[Base], rows: Sequence[Row]) -> None:
    """Insert rows that name the same columns; one whose primary key is there already is replaced."""
    if not rows:
        return
    table = _table(model)
    statement = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    new = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_=new), rows)


def update_rows(session: Session, model: type[Base], rows: Mapping[int, Row]) -> None:
    """Set columns by id; rows may name different columns."""
    table = _table(model)
    by_columns: dict[tuple[str, ...], list[Row]] = {}
    for id_, row in rows.items():
        if row:
            by_columns.setdefault(tuple(row), []).append({"row_id": id_, **row})
    for alike in by_columns.values():
        session.connection().execute(update(table).where(table.c.id == bindparam("row_id")), alike)


def delete_rows(session: Session, model: type[Base], ids: Collection[int]) -> None:
    """Delete by id; what hangs below goes too."""
    if ids:
        table = _table(model)
        statement = delete(table).where(table.c.id == bindparam("row_id"))
        session.connection().execute(statement, [{"row_id": id_} for id_ in ids])


def _last_id(session: Session, table: Table) -> int:
    """The highest id in use; where ids are not used again, the highest there ever was."""
    ever = select(func.max(_SEQUENCE.c.seq)).where(_SEQUENCE.c.name == table.name).scalar_subquery()
    now = select(func.max(table.c.id)).scalar_subquery()
    return session.scalar(select(func.coalesce(ever, now, 0))) or 0


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)
