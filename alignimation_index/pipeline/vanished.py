"""What to make of files that are not found where they were: moved, deleted, or on a drive that is away.

- A file found elsewhere moved: see `store.moves`.
- A root in which no photo is found any more is kept as it was if it is not the folder it was, as is a mount point
  without its drive; or if it held MANY photos that no other file holds.
- A folder in a root that is there and empty, and held MANY such photos, is taken for a mount point as well. Deleting
  the folder too says that it is none.
- Everything else was deleted: it is missing from now on, until it comes back or is pruned.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alignimation_index.library.names import is_skipped
from alignimation_index.paths import is_below
from alignimation_index.pipeline.progress import UpdateReport
from alignimation_index.store import files, moves, roots
from alignimation_index.store.engine import Store
from alignimation_index.store.tables import Root

MANY = 10
"""So many photos do not often vanish by hand while their folder stays; fewer are soon added again."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A root as a scan saw it: the paths found, and the known files, path → id, that were not found."""

    root: Root
    seen: Collection[str]
    vanished: dict[str, int]


def settle(store: Store, scanned: list[Scanned], report: UpdateReport) -> None:
    """Follow the files that moved, note as missing those that were deleted, report and keep those that may be away."""
    with store.reading() as session:
        inodes = roots.root_inodes(session)
    vanished = {id_ for one in scanned for id_ in one.vanished.values()}
    inodes_now = {one.root.id: _inode(one.root.path) for one in scanned if one.seen}
    changed = {id_: inode for id_, inode in inodes_now.items() if inode is not None and inodes.get(id_) != inode}
    if not (vanished or changed):
        return
    with store.writing() as session:
        for root_id, inode in changed.items():
            roots.remember_inode(session, root_id, inode)
        moved = moves.follow_moved(session, vanished)
        vanished -= moved
        lost = moves.last_holders(session, vanished)
        for one in scanned:
            for folder, ids in _emptied(one, vanished).items():
                problem = _problem(one.root, folder, ids, len(lost & ids), inodes.get(one.root.id))
                if problem:
                    report.problems.append(f"{problem} What it held is kept as it was.")
                    vanished -= ids
        files.mark_missing(session, vanished)
    report.files_moved += len(moved)
    report.files_missing += len(vanished)


def _problem(root: Root, folder: str, ids: set[int], lost: int, inode_before: int | None) -> str | None:
    """Why an emptied folder is not taken for one whose photos were deleted, and what to do; None if it is."""
    is_root = folder == root.path
    if lost < MANY and not (is_root and _inode(folder) != inode_before):
        return None
    way_out = (
        f"if it is not to be watched any more: alignindex roots remove {folder}"
        if is_root
        else "if its photos were deleted, delete the empty folder as well"
    )
    return f"{folder} held {len(ids)} photos and is empty now. Is its drive connected? Connect it, or {way_out}."


def _emptied(one: Scanned, vanished: set[int]) -> dict[str, set[int]]:
    """The outermost folders that are there and empty, with the vanished files that were in each."""
    if vanished.isdisjoint(one.vanished.values()):
        return {}
    find = _emptied_folder_of(one.root.path, one.seen)
    emptied: dict[str, set[int]] = defaultdict(set)
    for path, id_ in one.vanished.items():
        folder = find(os.path.dirname(path)) if id_ in vanished else None  # noqa: PTH120 - many
        if folder is not None:
            emptied[folder].add(id_)
    return emptied


def _emptied_folder_of(root: str, seen: Collection[str]) -> Callable[[str], str | None]:
    """A function that finds the outermost emptied folder at or above a folder, None if there is none."""
    occupied = _folders_of(seen)

    @cache
    def find(folder: str) -> str | None:
        if folder in occupied:
            return None
        if folder == root or not is_below(folder, root):  # the folder of a root that is an archive
            return root if not seen else None
        return find(os.path.dirname(folder)) or (folder if _is_empty(folder) else None)  # noqa: PTH120

    return find


def _folders_of(paths: Collection[str]) -> set[str]:
    """All folders at or below which these paths are."""
    folders: set[str] = set()
    for path in paths:
        folder = os.path.dirname(path)  # noqa: PTH120 - many
        while folder not in folders:
            folders.add(folder)
            folder = os.path.dirname(folder)  # noqa: PTH120
    return folders


def _inode(path: str) -> int | None:
    try:
        return Path(path).stat().st_ino
    except OSError:
        return None


def _is_empty(folder: str) -> bool:
    try:
        return all(map(is_skipped, os.listdir(folder)))  # noqa: PTH208
    except OSError:
        return False
