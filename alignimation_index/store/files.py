"""Roots, files and the photos they hold, as rows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Subquery, delete, func, select, update
from sqlalchemy.orm import Session

from alignimation_index.datatypes import FoundFile
from alignimation_index.store.bulk import insert_rows, update_rows
from alignimation_index.store.tables import PLACED, File, Photo, Root, utc_now


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the store knows of a path: the cheap check, and whether there is something left to do about it."""

    id: int
    size: int
    mtime_ns: int
    inode: int
    missing: bool
    failed: bool

    def is_unchanged(self, found: FoundFile) -> bool:
        """Whether the file found is the one known, by size, modification time and inode."""
        return (self.size, self.mtime_ns, self.inode) == (found.size, found.mtime_ns, found.inode)


def add_root(session: Session, path: str) -> None:
    """Watch a folder or file, unless a root above it does already; roots below it become part of it."""
    roots = list(session.scalars(select(Root)))
    if any(_is_within(path, root.path) for root in roots):
        return
    added = Root(path=path)
    session.add(added)
    session.flush()
    for root in roots:
        if _is_within(root.path, path):
            for table in PLACED:
                session.execute(update(table).where(table.root_id == root.id).values(root_id=added.id))
            session.execute(delete(Root).where(Root.id == root.id))


def roots(session: Session) -> list[Root]:
    """All roots, by path."""
    return list(session.scalars(select(Root).order_by(Root.path)))


def is_in_a_root(session: Session, path: str) -> bool:
    """Whether a path, `..` and links resolved, lies within a watched folder."""
    real = os.path.realpath(path)
    return any(_is_within(real, os.path.realpath(root.path)) for root in roots(session))


def known_files(session: Session, root_id: int, below: str | None = None) -> dict[str, KnownFile]:
    """The files of a root by path; only those in the folder `below` and in its folders, if that is given."""
    columns = (File.path, File.id, File.size, File.mtime_ns, File.inode, File.missing_since_utc, File.error)
    query = select(*columns).where(File.root_id == root_id)
    if below is not None:
        prefix = os.path.join(below, "")  # noqa: PTH118 - ends with the separator
        query = query.where(File.path >= prefix, File.path < prefix[:-1] + chr(ord(os.sep) + 1))
    rows = session.execute(query)
    return {
        path: KnownFile(id_, size, mtime_ns, inode, missing is not None, error is not None)
        for path, id_, size, mtime_ns, inode, missing, error in rows
    }


def record_found(session: Session, root_id: int, found: FoundFile, known: KnownFile | None, error: str | None) -> None:
    """Note a file that is new, changed or back: its content is not known until it has been read."""
    row = session.get(File, known.id) if known else None
    if row is None:
        row = File(root_id=root_id, path=found.path)
        session.add(row)
    if known is None or not known.is_unchanged(found) or known.failed:
        row.photo_id = None
    row.size, row.mtime_ns, row.inode = found.size, found.mtime_ns, found.inode
    row.missing_since_utc, row.error = None, error


def mark_missing(session: Session, file_ids: Iterable[int]) -> None:
    """Note that files are gone; their photos, faces and answers stay."""
    now = utc_now()
    session.execute(update(File), [{"id": id_, "missing_since_utc": now} for id_ in file_ids])


def pending_files(session: Session) -> list[tuple[int, FoundFile]]:
    """Files whose content is not known yet, by path."""
    waiting = File.photo_id.is_(None) & File.error.is_(None) & File.missing_since_utc.is_(None)
    rows = session.scalars(select(File).where(waiting).order_by(File.path))
    return [(row.id, _found(row)) for row in rows]


def fail_file(session: Session, file_id: int, reason: str) -> None:
    """Note why a file could not be read; the next scan tries again."""
    session.execute(update(File).where(File.id == file_id).values(error=reason))


def photo_ids(session: Session, content_hashes: Collection[str]) -> dict[str, int]:
    """The photos of those contents that the store knows."""
    known = select(Photo.content_hash, Photo.id).where(Photo.content_hash.in_(content_hashes))
    rows: Iterable[tuple[str, int]] = session.execute(known).all()
    return dict(rows)


def link_photos(session: Session, contents: Sequence[tuple[int, str]]) -> list[int]:
    """Note what files hold, given as (file id, content hash).

    Returns:
        The id of each file's photo; contents that no file held before are new photos, numbered in the order given.
    """
    hashes = [content_hash for _, content_hash in contents]
    photos = photo_ids(session, hashes)
    new = [content_hash for content_hash in dict.fromkeys(hashes) if content_hash not in photos]
    photos |= zip(new, insert_rows(session, Photo, [{"content_hash": one} for one in new]), strict=True)
    update_rows(session, File, {file_id: {"photo_id": photos[one], "error": None} for file_id, one in contents})
    return [photos[content_hash] for content_hash in hashes]


def update_photos(session: Session, columns: Mapping[int, Mapping[str, Any]]) -> None:
    """Store what photos say about themselves: photo id → columns of `Photo`."""
    update_rows(session, Photo, columns)


def first_paths() -> Subquery:
    """Columns photo_id and path: photos that a file holds now, and the first of those files by name."""
    here = File.photo_id.is_not(None) & File.missing_since_utc.is_(None)
    return select(File.photo_id, func.min(File.path).label("path")).where(here).group_by(File.photo_id).subquery()


def present_files(session: Session, photo_ids: Collection[int]) -> dict[int, list[tuple[int, FoundFile]]]:
    """The files that hold each photo now, by path; a photo without any is left out."""
    here = File.photo_id.in_(photo_ids) & File.missing_since_utc.is_(None)
    files: dict[int, list[tuple[int, FoundFile]]] = {}
    for row in session.scalars(select(File).where(here).order_by(File.path)):
        if row.photo_id is not None:
            files.setdefault(row.photo_id, []).append((row.id, _found(row)))
    return files


def _found(row: File) -> FoundFile:
    return FoundFile(row.path, row.size, row.mtime_ns, row.inode)


def _is_within(path: str, folder: str) -> bool:
    return Path(path) == Path(folder) or Path(folder) in Path(path).parents
