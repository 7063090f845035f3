"""Sidecars: what they say, and which files of their folders they speak of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from alignimation_index.found_files import FoundFile
from alignimation_index.store import descriptions
from alignimation_index.store.bulk import update_rows, upsert_rows
from alignimation_index.store.tables import File, Folder, Pairing, Sidecar


class Reading(NamedTuple):
    """What a sidecar says, or why it could not be read; with both, it could be read and made no sense."""

    id: int
    kind: str | None
    content: Mapping[str, Any] | None
    error: str | None = None


class StoredSidecar(NamedTuple):
    """A sidecar that was read."""

    id: int
    path: str
    kind: str
    content: Mapping[str, Any]


def pending_sidecars(session: Session) -> list[tuple[int, FoundFile]]:
    """Sidecars that were not read yet, by path."""
    waiting = Sidecar.kind.is_(None) & Sidecar.error.is_(None) & Sidecar.missing_since_utc.is_(None)
    columns = (Sidecar.id, Sidecar.path, Sidecar.size, Sidecar.mtime_ns, Sidecar.inode)
    rows = session.execute(select(*columns).where(waiting).order_by(Sidecar.path))
    return [(row[0], FoundFile(*row[1:], kind="sidecar")) for row in rows]


def store_readings(session: Session, readings: Sequence[Reading]) -> None:
    """Store what sidecars say; their folders are to be paired again."""
    update_rows(session, Sidecar, {id_: dict(zip(Reading._fields[1:], said, strict=True)) for id_, *said in readings})
    ids = [one.id for one in readings]
    descriptions.outdate_sidecars(session, ids)
    unpair_folders(session, session.scalars(select(Sidecar.folder).where(Sidecar.id.in_(ids)).distinct()))


def unpair_folders(session: Session, folders: Iterable[str]) -> None:
    """Note that names or sidecars in folders changed, so that they are to be paired again."""
    rows = [{"path": folder} for folder in folders]
    if rows:
        again = insert(Folder).on_conflict_do_update(index_elements=["path"], set_={"pairing_key": None})
        session.execute(again, rows)


def folders_to_pair(session: Session, key: str) -> list[str]:
    """Folders whose pairings were not made under the key, by path."""
    stale = Folder.pairing_key.is_distinct_from(key)
    return list(session.scalars(select(Folder.path).where(stale).order_by(Folder.path)))


def media_in(session: Session, folder: str) -> dict[int, str]:
    """Photos' and videos' files at hand in a folder, path by id."""
    here = File.missing_since_utc.is_(None)
    rows = session.execute(select(File.id, File.path).where(File.folder == folder, here))
    return {row.id: row.path for row in rows}


def sidecars_in(session: Session, folder: str) -> list[StoredSidecar]:
    """Sidecars at hand in a folder that were read, by path."""
    read = Sidecar.kind.is_not(None) & Sidecar.missing_since_utc.is_(None)
    columns = (Sidecar.id, Sidecar.path, Sidecar.kind, Sidecar.content)
    rows = session.execute(select(*columns).where(Sidecar.folder == folder, read).order_by(Sidecar.path))
    return [StoredSidecar(*row) for row in rows]


def replace_pairings(
    session: Session, folder: str, pairs: Mapping[tuple[int, int], str], key: str, in_export: bool
) -> None:
    """Store the pairings in a folder, {(file id, sidecar id): rule}; photos of which something changed are outdated."""
    before_columns = (Pairing.file_id, Pairing.sidecar_id, Pairing.rule)
    before = select(*before_columns).join(File, File.id == Pairing.file_id).where(File.folder == folder)
    known = {(file_id, sidecar_id): rule for file_id, sidecar_id, rule in session.execute(before)}
    was_in_export = session.scalar(select(Folder.in_export).where(Folder.path == folder))
    changed: Collection[int] = {file_id for (file_id, _), _ in known.items() ^ pairs.items()}
    if bool(was_in_export) != in_export:
        changed = list(session.scalars(select(File.id).where(File.folder == folder)))
    descriptions.outdate_files(session, changed)
    _delete_pairings(session, known.keys() - pairs.keys())
    new = [(pair, rule) for pair, rule in pairs.items() if known.get(pair) != rule]
    upsert_rows(session, Pairing, [{"file_id": pair[0], "sidecar_id": pair[1], "rule": rule} for pair, rule in new])
    session.execute(update(Folder).where(Folder.path == folder).values(pairing_key=key, in_export=in_export))


def _delete_pairings(session: Session, pairs: Collection[tuple[int, int]]) -> None:
    if pairs:
        one = delete(Pairing).where(Pairing.file_id == bindparam("file"), Pairing.sidecar_id == bindparam("sidecar"))
        session.connection().execute(one, [{"file": file, "sidecar": sidecar} for file, sidecar in pairs])
