"""What a scan asks the store before it knows of any change, as rows of plain SQL; see `Store.listing`.

A list of 100,000 files is read in a fifth of a second so; values and conversions would take several times as long.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from alignimation_index.found_files import FoundFile
from alignimation_index.store.escape import escape, unescape
from alignimation_index.store.schema import ROOT_INODE_SETTING

AsItWas = tuple[Any, ...]
"""(path, size, mtime_ns, inode) of a file at hand as it was; the size is None if it could not be read."""


class KnownRoot(NamedTuple):
    """A watched folder, archive or file."""

    id: int
    path: str


class KnownFile(NamedTuple):
    """What the store knows of a path: the cheap check, and whether there is something left to do about it."""

    id: int
    size: int
    mtime_ns: int
    inode: int
    missing: int
    failed: int

    def is_unchanged(self, found: FoundFile) -> bool:
        """Whether the file found is the one known, by size, modification time and inode."""
        return self[1:4] == found[1:4]


@dataclass(frozen=True, slots=True)
class Change:
    """A file or sidecar that is new, changed or back.

    Attributes:
        found: as it was listed.
        known: as the store knows it; None if it is new.
        folder: where it lies, the same in all parts of an export.
        error: why it will not be read, or None.
    """

    found: FoundFile
    known: KnownFile | None
    folder: str
    error: str | None = None


_FAILED = {"file": "error IS NOT NULL", "sidecar": "error IS NOT NULL AND kind IS NULL"}


def known_roots(listing: sqlite3.Connection) -> list[KnownRoot]:
    """All roots, by path."""
    return [KnownRoot(id_, unescape(path)) for id_, path in listing.execute("SELECT id, path FROM root ORDER BY path")]


def root_inodes(listing: sqlite3.Connection) -> dict[int, int]:
    """The inode of each root's folder, root id → inode, as it was when photos were last found there."""
    named = "SELECT substr(name, ?), value FROM setting WHERE substr(name, 1, ?) = ?"
    length = len(ROOT_INODE_SETTING)
    rows = listing.execute(named, (length + 1, length, ROOT_INODE_SETTING))
    return {int(root_id): int(inode) for root_id, inode in rows}


def files_at_hand(listing: sqlite3.Connection, root_id: int, below: str | None = None) -> dict[str, AsItWas]:
    """The files and sidecars of a root by path that are not missing; only those below the folder `below`, if given."""
    at_hand: dict[str, AsItWas] = {}
    values: tuple[int | str, ...]
    for table, failed in _FAILED.items():
        # The plus keeps SQLite from going through an index: most rows are of this root.
        wanted, values = "+root_id = ?", (root_id,)
        if below is not None:
            first = escape(os.path.join(below, ""))  # noqa: PTH118 - ends with the separator
            wanted, values = "root_id = ? AND path >= ? AND path < ?", (root_id, first, first[:-1] + _AFTER_SEPARATOR)
        columns = f"path, CASE WHEN {failed} THEN NULL ELSE size END, mtime_ns, inode"
        rows = listing.execute(f"SELECT {columns} FROM {table} WHERE missing_since_utc IS NULL AND {wanted}", values)
        at_hand |= {row[0] if row[0].isascii() else unescape(row[0]): row for row in rows}
    return at_hand


def known_files(listing: sqlite3.Connection, paths: Iterable[str], *, sidecars: bool) -> dict[str, KnownFile]:
    """What is known of some of these paths, missing or not: of photos and videos, or of sidecars."""
    table = "sidecar" if sidecars else "file"
    columns = f"id, size, mtime_ns, inode, missing_since_utc IS NOT NULL, {_FAILED[table]}"
    statement = f"SELECT {columns} FROM {table} WHERE path = ?"
    rows = ((path, listing.execute(statement, (escape(path),)).fetchone()) for path in paths)
    return {path: KnownFile(*row) for path, row in rows if row}


def sidecars_wait(listing: sqlite3.Connection, pairing_key: str) -> bool:
    """Whether there are sidecars to read, or folders whose pairings were not made under the key."""
    unread = "SELECT 1 FROM sidecar WHERE kind IS NULL AND error IS NULL AND missing_since_utc IS NULL"
    unpaired = "SELECT 1 FROM folder WHERE pairing_key IS NOT ?"
    return bool(listing.execute(f"SELECT EXISTS ({unread}) OR EXISTS ({unpaired})", (pairing_key,)).fetchone()[0])


_AFTER_SEPARATOR = chr(ord(os.sep) + 1)
