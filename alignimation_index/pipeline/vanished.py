"""What to make of files that are not found where they were: moved, deleted, or on a drive that is away.

- A file found elsewhere moved: see `store.moves`.
- A root in which no photo is found any more is kept as it was if it is not the folder it was, as is a mount point
  without its drive; or if it held MANY photos that no other file holds.
- A folder in a root that is there with nothing in it, and held MANY such photos, is taken for a mount point as well.
  Deleting the folder too says that it is none.
- Everything else was deleted: it is missing from now on, until it comes back or is pruned.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from functools import cache

from sqlalchemy.orm import Session

from alignimation_index.library.names import is_skipped
from alignimation_index.library.takeout.folders import folder_of
from alignimation_index.paths import is_below
from alignimation_index.pipeline.progress import UpdateReport
from alignimation_index.pipeline.scanned import Scanned, changed_inodes, inode_of
from alignimation_index.store import files, moves, roots
from alignimation_index.store.engine import Store
from alignimation_index.store.sidecars import unpair_folders
from alignimation_index.store.tables import File, Sidecar

MANY = 10
"""So many photos do not often vanish by hand while their folder stays; fewer are soon added again."""

ROOT_WAY_OUT = "if it is not to be watched any more: alignindex roots remove {}"
FOLDER_WAY_OUT = "if its photos were deleted, delete the empty folder as well."


def settle(store: Store, scanned: list[Scanned], inodes: Mapping[int, int], report: UpdateReport) -> None:
    """Follow the files that moved, note as missing those that were deleted, report and keep those that may be away.

    Args:
        store: the open store.
        scanned: each root.
        inodes: of each root's folder, by its id, as it was when photos were last found there.
        report: what moved and what is missing is counted there.
    """
    vanished = {id_ for one in scanned for id_ in one.vanished.values()}
    sidecars = {path: id_ for one in scanned for path, id_ in one.vanished_sidecars.items()}
    with store.writing() as session:
        for root_id, inode in changed_inodes(scanned, inodes).items():
            roots.remember_inode(session, root_id, inode)
        moved = moves.follow_moved(session, vanished)
        away = _away(session, scanned, vanished - moved, inodes, report)
        deleted = (vanished - moved).difference(*away.values())
        files.mark_missing(session, File, deleted)
        gone = {path: id_ for path, id_ in sidecars.items() if not any(is_below(path, folder) for folder in away)}
        files.mark_missing(session, Sidecar, gone.values())
        paths = [path for one in scanned for path, id_ in one.vanished.items() if id_ in moved | deleted]
        unpair_folders(session, {folder_of(path) for path in [*paths, *gone]})
    report.files_moved += len(moved)
    report.files_missing += len(deleted)
    report.sidecars_missing += len(gone)


def _away(
    session: Session, scanned: list[Scanned], vanished: set[int], inodes: Mapping[int, int], report: UpdateReport
) -> dict[str, set[int]]:
    """Folders whose drive may be away, with the vanished files that were in each; they are reported."""
    last_holders = moves.last_holders(session, vanished) if vanished else set()
    away: dict[str, set[int]] = {}
    for one in scanned:
        for folder, ids in _emptied(one, vanished).items():
            is_root = folder == one.root.path
            is_another = is_root and inode_of(folder) != inodes.get(one.root.id)
            if is_another or len(ids & last_holders) >= MANY:
                report.problems.append(_problem(folder, len(ids), ROOT_WAY_OUT if is_root else FOLDER_WAY_OUT))
                away[folder] = ids
    return away


def _problem(folder: str, photos: int, way_out: str) -> str:
    return (
        f"{folder} held {photos} photos and is empty now. What it held is kept as it was. "
        f"Connect its drive; or, {way_out.format(folder)}"
    )


def _emptied(one: Scanned, vanished: set[int]) -> dict[str, set[int]]:
    """The outermost folders that are there and empty, with the vanished files that were in each."""
    if vanished.isdisjoint(one.vanished.values()):
        return {}
    find = _emptied_folder_of(one.root.path, one.folders)
    emptied: dict[str, set[int]] = defaultdict(set)
    for path, id_ in one.vanished.items():
        folder = find(os.path.dirname(path)) if id_ in vanished else None  # noqa: PTH120 - many
        if folder is not None:
            emptied[folder].add(id_)
    return emptied


def _emptied_folder_of(root: str, folders: Collection[str]) -> Callable[[str], str | None]:
    """A function that finds the outermost emptied folder at or above a folder, None if there is none."""
    occupied = _with_those_above(folders)

    @cache
    def find(folder: str) -> str | None:
        if folder in occupied:
            return None
        if folder == root or not is_below(folder, root):  # the folder of a root that is an archive
            return root if not folders else None
        return find(os.path.dirname(folder)) or (folder if _is_empty(folder) else None)  # noqa: PTH120

    return find


def _with_those_above(folders: Collection[str]) -> set[str]:
    found: set[str] = set()
    for folder in folders:
        above = folder
        while above not in found:
            found.add(above)
            above = os.path.dirname(above)  # noqa: PTH120
    return found


def _is_empty(folder: str) -> bool:
    try:
        return all(map(is_skipped, os.listdir(folder)))  # noqa: PTH208
    except OSError:
        return False
