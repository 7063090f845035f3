"""Is a store whole? Looks through SQLite alone, and changes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alignimation_index.errors import UserError
from alignimation_index.store import schema


def problems(path: Path) -> list[str]:
    """What is wrong with the store at `path`; nothing if it is whole and of this program's schema.

    Raises:
        UserError: there is no store.
    """
    if not path.exists():
        raise UserError(f"There is no store at {path} yet. Index photos first: alignindex update ~/Photos")
    try:
        return [*_schema_problems(path), *_content_problems(path)]
    except sqlite3.DatabaseError as error:
        return [f"it cannot be read: {error}; put a backup in its place"]


def stored_revision(path: Path) -> str | None:
    """The schema revision of the store at `path`; None if there is no store."""
    try:
        return schema.revision(path) if path.exists() else None
    except sqlite3.DatabaseError:
        return None


def _schema_problems(path: Path) -> list[str]:
    revision = schema.revision(path)
    if revision == schema.HEAD:
        return []
    return [f"its schema is {revision}, this program's is {schema.HEAD}: run alignindex db upgrade"]


def _content_problems(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        damage = [text for (text,) in connection.execute("PRAGMA integrity_check(10)") if text != "ok"]
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    found = [f"it is damaged: {text}; put a backup in its place" for text in damage]
    if broken:
        found.append(f"{len(broken)} rows refer to rows that are gone, the first of table {broken[0][0]}")
    return found
