"""The copies of a store that this program put beside it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alignimation_index.store import schema

_SIDE_FILES = ("-wal", "-shm", "-journal")


def backups_of(path: Path) -> list[Path]:
    """Copies beside the store at `path`, by name; also those that were cut short."""
    patterns = (f"{path.name}.backup-*", f".{path.name}.*.part")
    found = (one for pattern in patterns for one in path.parent.glob(pattern))
    return sorted(one for one in found if not one.name.endswith(_SIDE_FILES))


def is_current(path: Path) -> bool:
    """Whether this program can change a copy: it is whole, and of the present schema."""
    try:
        return not path.name.endswith(".part") and schema.revision(path) == schema.HEAD
    except sqlite3.DatabaseError:
        return False


def delete_backup(path: Path) -> None:
    """Delete a copy with what SQLite left beside it."""
    for name in ("", *_SIDE_FILES):
        path.with_name(path.name + name).unlink(missing_ok=True)
