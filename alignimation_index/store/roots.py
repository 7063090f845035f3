"""Roots as rows: what each holds, and what happens to the rest of the store when one leaves or moves.

A root's folder is known again by its inode, kept as a setting: a mount point whose drive is away is another folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from alignimation_index.paths import is_below, prefixes, relocated
from alignimation_index.store import descriptions
from alignimation_index.store.arrays import PathText
from alignimation_index.store.bulk import delete_rows, update_rows, upsert_rows
from alignimation_index.store.files import add_root
from alignimation_index.store.schema import REMOVAL_SETTING, ROOT_INODE_SETTING
from alignimation_index.store.sidecars import unpair_folders
from alignimation_index.store.tables import PLACED, File, Root, Setting, Sidecar, utc_now


@dataclass(frozen=True, slots=True)
class RootSummary:
    """A root, and how many of its files and photos are at hand, how many files are missing."""

    path: str
    added_at_utc: datetime
    files: int
    photos: int
    missing: int


def root_summaries(session: Session) -> list[RootSummary]:
    """All roots, by path."""
    here = File.missing_since_utc.is_(None)
    counts = (
        func.count(File.id).filter(here),
        func.count(File.photo_id.distinct()).filter(here),
        func.count(File.missing_since_utc),
    )
    rows = select(Root.path, Root.added_at_utc, *counts).outerjoin(File).group_by(Root.id).order_by(Root.path)
    return [RootSummary(*row) for row in session.execute(rows)]


def files_below(session: Session, top: str, *, missing: bool = False) -> list[tuple[str, int]]:
    """(path, size) of the files at hand, or of the missing ones, in a folder or archive, by path."""
    wanted = _is_below(File.path, top) & (File.missing_since_utc.is_not(None) == missing)
    rows = session.execute(select(File.path, File.size).where(wanted).order_by(File.path))
    return [(path, size) for path, size in rows]


def photos_only_in(session: Session, root_id: int) -> int:
    """How many photos are held by files of this root alone."""
    elsewhere = select(File.photo_id).where(File.root_id != root_id, File.photo_id.is_not(None))
    alone = (File.root_id == root_id) & File.photo_id.not_in(elsewhere)
    return session.scalar(select(func.count(File.photo_id.distinct())).where(alone)) or 0


def remove_root(session: Session, root_id: int) -> int:
    """Stop watching a root; how many files it had. Their photos, and what hangs below those, stay."""
    count = session.scalar(select(func.count()).select_from(File).where(File.root_id == root_id)) or 0
    descriptions.outdate_files(session, list(session.scalars(select(File.id).where(File.root_id == root_id))))
    for table in PLACED:
        session.execute(delete(table).where(table.root_id == root_id))
    session.execute(delete(Setting).where(Setting.name == f"{ROOT_INODE_SETTING}{root_id}"))
    session.execute(delete(Root).where(Root.id == root_id))
    upsert_rows(session, Setting, [{"name": REMOVAL_SETTING, "value": utc_now().isoformat()}])
    return count


def move_paths(session: Session, old: str, new: str, folder_of: Callable[[str], str]) -> int:
    """Let everything below `old`, roots included, be below `new`; how many files those are.

    What leaves a root for a place that no root covers makes `new` a root; roots that come to lie in another become
    part of it. `folder_of` gives the folder of a path, the same in all parts of an export.
    """
    moves_roots = session.scalar(select(Root.id).where(_is_below(Root.path, old)).limit(1)) is not None
    _drop_missing_where_others_are(session, old, new)
    moved = {table: _move_rows(session, table, old, new) for table in PLACED}
    for table, ids in moved.items():
        _move_to_folders(session, table, ids, folder_of)
    if moves_roots:
        _take_over_twins(session, old, new)
        _move_rows(session, Root, old, new)
    else:
        add_root(session, new)
    _join_nested(session)
    return len(moved[File])


def remember_inode(session: Session, root_id: int, inode: int) -> None:
    """Note which folder a root is."""
    upsert_rows(session, Setting, [{"name": f"{ROOT_INODE_SETTING}{root_id}", "value": str(inode)}])


def _is_below(path: InstrumentedAttribute[str], top: str) -> ColumnElement[bool]:
    """`paths.is_below` of a column. LIKE would take upper for lower case."""
    begins = [func.substr(path, 1, len(prefix), type_=PathText) == prefix for prefix in prefixes(top)]
    return or_(path == top, *begins)


def _move_to_folders(
    session: Session, table: type[File | Sidecar], ids: Sequence[int], folder_of: Callable[[str], str]
) -> None:
    """Set the folders of what has moved, which are to be paired, and what they say of photos is to be told, again."""
    wanted = set(ids)
    folders = {id_: folder_of(path) for id_, path in session.execute(select(table.id, table.path)) if id_ in wanted}
    update_rows(session, table, {id_: {"folder": folder} for id_, folder in folders.items()})
    unpair_folders(session, set(folders.values()))
    if table is File:
        descriptions.outdate_files(session, ids)


def _move_rows(session: Session, table: type[File | Sidecar | Root], old: str, new: str) -> list[int]:
    rows = session.execute(select(table.id, table.path).where(_is_below(table.path, old)))
    moved = {id_: relocated(path, old, new) for id_, path in rows}
    targets = set(moved.values())
    there = session.execute(select(table.id, table.path).where(_is_below(table.path, new)))
    delete_rows(session, table, [id_ for id_, path in there if path in targets and id_ not in moved])
    # First to where nothing is: one may go where another still stands.
    update_rows(session, table, {id_: {"path": f":{path}"} for id_, path in moved.items()})
    update_rows(session, table, {id_: {"path": path} for id_, path in moved.items()})
    return list(moved)


def _drop_missing_where_others_are(session: Session, old: str, new: str) -> None:
    """Forget missing files that would take the place of files at hand."""
    at_hand = {path for path, _ in files_below(session, new)}
    missing = _is_below(File.path, old) & File.missing_since_utc.is_not(None)
    rows = session.execute(select(File.id, File.path).where(missing))
    delete_rows(session, File, [id_ for id_, path in rows if relocated(path, old, new) in at_hand])


def _take_over_twins(session: Session, old: str, new: str) -> None:
    """Give what roots hold to those that are about to take their very paths."""
    roots = session.execute(select(Root.id, Root.path)).all()
    moving = {relocated(path, old, new): id_ for id_, path in roots if is_below(path, old)}
    for id_, path in roots:
        if path in moving and not is_below(path, old):
            for table in PLACED:
                session.execute(update(table).where(table.root_id == id_).values(root_id=moving[path]))


def _join_nested(session: Session) -> None:
    """Give every path to the outermost root that it lies in; roots in others go."""
    roots = session.execute(select(Root.id, Root.path)).all()
    inner = [id_ for id_, path in roots if any(is_below(path, other) and path != other for _, other in roots)]
    for id_, path in roots:
        if id_ not in inner:
            for table in PLACED:
                elsewhere = _is_below(table.path, path) & (table.root_id != id_)
                session.execute(update(table).where(elsewhere).values(root_id=id_))
    delete_rows(session, Root, inner)
