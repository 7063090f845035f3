"""The folders that are watched: how they are, and what happens when one leaves or moves."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alignimation_index.errors import UserError
from alignimation_index.library.archive import list_members, split_member
from alignimation_index.library.scan import walk
from alignimation_index.library.takeout.folders import folder_of
from alignimation_index.paths import is_below, relocated
from alignimation_index.store import files, roots
from alignimation_index.store.engine import Store
from alignimation_index.store.roots import RootSummary

OK, NOT_THERE, EMPTY, UNREADABLE = "ok", "not there", "empty", "unreadable"

SAMPLE_FILES = 20
"""So many files are looked at before a folder is believed to be the one that moved."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What a root held when it was removed: its files, and the photos that no other root holds."""

    files: int
    photos: int


def list_roots(store: Store) -> list[tuple[RootSummary, str]]:
    """The roots, each with its state: OK, NOT_THERE, UNREADABLE, or EMPTY where photos were found before."""
    with store.reading() as session:
        summaries = roots.root_summaries(session)
    return [(root, _state(root)) for root in summaries]


def remove_root(store: Store, path: Path, on_wait: Callable[[], None] = lambda: None) -> Removed:
    """Stop watching a root. Photos, what was computed of them, and answers are kept until they are pruned.

    Raises:
        UserError: it is no root.
    """
    wanted = _absolute(path)
    with store.updating(on_wait), store.writing() as session:
        watched = {root.path: root.id for root in files.roots(session)}
        if wanted not in watched:
            raise UserError(_not_a_root(wanted, list(watched)))
        photos = roots.photos_only_in(session, watched[wanted])
        return Removed(roots.remove_root(session, watched[wanted]), photos)


def move_root(
    store: Store, old: Path, new: Path, *, force: bool = False, on_wait: Callable[[], None] = lambda: None
) -> int:
    """Let what the store knows below `old` be below `new`, at once; nothing is read or computed again.

    Args:
        store: the open store.
        old: a root, or a folder or archive below or above roots.
        new: where that is now.
        force: believe it without looking at `new`.
        on_wait: called if another process is updating the store, before waiting for it.

    Returns:
        How many files are below `new` now that were below `old`.

    Raises:
        UserError: nothing is known below `old`, or most of what is known is not below `new` in the same size.
    """
    before, after = _absolute(old), _absolute(new)
    with store.updating(on_wait), store.writing() as session:
        known = roots.files_below(session, before) or roots.files_below(session, before, missing=True)
        if not known and not any(is_below(root.path, before) for root in files.roots(session)):
            raise UserError(f"Nothing is known below {before}. See what is watched: alignindex roots list")
        if not force:
            _check_same_tree(known, before, after)
        return roots.move_paths(session, before, after, folder_of)


def _state(root: RootSummary) -> str:
    unread: list[str] = []
    try:
        first = next(walk(Path(root.path), lambda path, _: unread.append(path)), None)
    except UserError:
        return UNREADABLE if os.path.lexists(root.path) else NOT_THERE
    if root.path in unread:
        return UNREADABLE
    return EMPTY if first is None and root.files else OK


def _not_a_root(path: str, watched: list[str]) -> str:
    above = [root for root in watched if is_below(path, root)]
    if above:
        return f"{path} is watched as a part of {above[0]}, which can only be removed as a whole."
    return f"{path} is not watched. See what is: alignindex roots list"


def _check_same_tree(known: list[tuple[str, int]], old: str, new: str) -> None:
    if not os.path.exists(new):  # noqa: PTH110
        raise UserError(f"{new} does not exist. Connect its drive, or check the path.")
    sample = known[:: max(1, len(known) // SAMPLE_FILES)]
    there = sum(_is_there(relocated(path, old, new), size) for path, size in sample)
    if 2 * there < len(sample):
        raise UserError(
            f"{new} does not look like {old}: of {len(sample)} files looked for, {there} are there in the same size. "
            "Check the path, or say --force to believe it."
        )


def _is_there(path: str, size: int) -> bool:
    member = split_member(path)
    try:
        if member is None:
            return os.stat(path).st_size == size  # noqa: PTH116
        members = list_members(member[0], lambda *_: None)
        return any((found.path, found.size) == (path, size) for found in members)
    except OSError:
        return False


def _absolute(path: Path) -> str:
    return os.path.abspath(path.expanduser())  # noqa: PTH100 - keeps links as they are
