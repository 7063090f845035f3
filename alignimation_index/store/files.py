"""Roots, files and the photos they hold, as rows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Subquery, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from alignimation_index.found_files import FileKind, FoundFile
from alignimation_index.store import descriptions, variants
from alignimation_index.store.bulk import Row, insert_rows, update_rows
from alignimation_index.store.known import Change
from alignimation_index.store.tables import PLACED, File, Photo, Root, Sidecar, utc_now


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


def record_found(session: Session, root_id: int, changes: Iterable[Change]) -> None:
    """Note what is new, changed or back: its content is not known until it has been read."""
    new: dict[type[File | Sidecar], list[Row]] = {File: [], Sidecar: []}
    changed: dict[type[File | Sidecar], dict[int, Row]] = {File: {}, Sidecar: {}}
    for change in changes:
        found, known, is_sidecar = change.found, change.known, change.found.kind == "sidecar"
        model = Sidecar if is_sidecar else File
        row = {"size": found.size, "mtime_ns": found.mtime_ns, "inode": found.inode, "error": change.error}
        unread = {"kind": None, "content": None} if is_sidecar else {"kind": found.kind, "photo_id": None}
        if known is None:
            about = {"root_id": root_id, "path": found.path, "folder": change.folder}
            new[model].append({**about, **row, **unread})
        elif known.is_unchanged(found) and not known.failed:
            changed[model][known.id] = {"missing_since_utc": None}
        else:
            changed[model][known.id] = {"missing_since_utc": None, **row, **unread}
    descriptions.outdate_files(session, changed[File])
    if new[File]:
        variants.outdate(session)  # a video may belong to a photo
    for model in (File, Sidecar):
        insert_rows(session, model, new[model])
        update_rows(session, model, changed[model])


def mark_missing(session: Session, model: type[File | Sidecar], ids: Collection[int]) -> None:
    """Note that files or sidecars are gone; photos, faces and answers stay."""
    if model is File:
        descriptions.outdate_files(session, ids)
    now = utc_now()
    update_rows(session, model, {id_: {"missing_since_utc": now} for id_ in ids})


def pending_files(session: Session, kinds: Collection[FileKind]) -> list[tuple[int, FoundFile]]:
    """Files of these kinds whose content is not known yet, by path."""
    waiting = File.photo_id.is_(None) & File.error.is_(None) & File.missing_since_utc.is_(None)
    rows = session.execute(select(*_AS_FOUND).where(waiting, File.kind.in_(kinds)).order_by(File.path))
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
    descriptions.outdate(session, {photos[one] for one in hashes})
    return [photos[content_hash] for content_hash in hashes]


def update_photos(session: Session, columns: Mapping[int, Mapping[str, Any]]) -> None:
    """Store what is known of photos: photo id → columns of `Photo`."""
    if columns:
        variants.outdate(session)
    update_rows(session, Photo, columns)


def visible(include_trashed: bool = False, include_archived: bool = False) -> list[ColumnElement[bool]]:
    """Conditions on `Photo`: what lies in the bin or the archive of an export is hidden unless it is asked for."""
    hidden = {Photo.trashed: include_trashed, Photo.archived: include_archived}
    return [column.is_not(True) for column, included in hidden.items() if not included]


def first_paths() -> Subquery:
    """Columns photo_id and path: photos that a file holds now, and the first of those files by name."""
    here = File.photo_id.is_not(None) & File.missing_since_utc.is_(None)
    return select(File.photo_id, func.min(File.path).label("path")).where(here).group_by(File.photo_id).subquery()


def first_path(photo_id: Any) -> ScalarSelect[str]:  # noqa: ANN401 - a column
    """The first by name of the files that hold a photo now, looked up for each row of a statement."""
    file = aliased(File)
    here = (file.photo_id == photo_id, file.missing_since_utc.is_(None))
    return select(func.min(file.path)).where(*here).scalar_subquery()


def present_files(
    session: Session, photo_ids: Collection[int], kinds: Collection[FileKind]
) -> dict[int, list[tuple[int, FoundFile]]]:
    """The files of these kinds that hold each photo now, by path; a photo without any is left out."""
    here = File.photo_id.in_(photo_ids) & File.missing_since_utc.is_(None) & File.kind.in_(kinds)
    files: dict[int, list[tuple[int, FoundFile]]] = {}
    for row in session.execute(select(*_AS_FOUND, File.photo_id).where(here).order_by(File.path)):
        files.setdefault(row.photo_id, []).append((row.id, _found(row)))
    return files


_AS_FOUND = (File.id, File.path, File.size, File.mtime_ns, File.inode)


def _found(row: Any) -> FoundFile:  # noqa: ANN401 - a row of _AS_FOUND
    return FoundFile(row.path, row.size, row.mtime_ns, row.inode)


def _is_within(path: str, folder: str) -> bool:
    return Path(path) == Path(folder) or Path(folder) in Path(path).parents
