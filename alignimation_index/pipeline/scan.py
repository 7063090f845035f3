"""Compare what the roots hold with what the store knows of them: cheap checks only, nothing is opened.

What writes to the store is imported once there is something to write, see `store.engine`.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path

from alignimation_index.errors import UserError
from alignimation_index.found_files import FileKind, FoundFile, Listed
from alignimation_index.library.archive import split_member
from alignimation_index.library.formats import unsupported_reason
from alignimation_index.library.names import kind_of
from alignimation_index.library.scan import LinkFoundError
from alignimation_index.library.takeout.folders import folder_of
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.scanned import Scanned, changed_inodes
from alignimation_index.pipeline.scope import EVERYTHING, Part, Scope, file_of, is_below_any
from alignimation_index.store.engine import Store
from alignimation_index.store.known import (
    AsItWas,
    Change,
    KnownFile,
    KnownRoot,
    files_at_hand,
    known_files,
    known_roots,
    root_inodes,
)

FILES_PER_REPORT = 1000

_PICTURES: tuple[FileKind, ...] = ("photo", "raw", "picture")
_KIND = itemgetter(4)


def add_roots(store: Store, paths: Collection[Path]) -> None:
    """Watch these folders, zip archives and files from now on.

    Raises:
        UserError: one does not exist, and was not there before either; none is added then.
    """
    if not paths:
        return
    from alignimation_index.store import files

    absolute = [Path(os.path.abspath(path.expanduser())) for path in paths]  # noqa: PTH100 - keeps links as they are
    with store.writing() as session:
        known = [root.path for root in files.roots(session)]
        for path in absolute:
            if not path.exists() and str(path) not in known:
                raise UserError(f"{path} does not exist. Name a folder of photos: alignindex update ~/Photos")
        for path in absolute:
            files.add_root(session, str(path))


def scan(store: Store, report: UpdateReport, progress: Progress, scope: Scope = EVERYTHING) -> None:
    """Note new, changed, moved and missing files of every root; a root that cannot be read changes nothing."""
    with store.listing() as listing:
        roots, inodes = known_roots(listing), root_inodes(listing)
    scanned = []
    for root in roots:
        try:
            with _uncollected():
                scanned.append(_scan_root(store, root, report, progress, scope))
        except UserError as error:
            if scope.is_settled(root.path):
                report.problems.append(f"{error}. What it held is kept as it was.")
    if any(one.vanished or one.vanished_sidecars for one in scanned) or changed_inodes(scanned, inodes):
        from alignimation_index.pipeline.vanished import settle

        settle(store, scanned, inodes, report)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would look for cycles among the values of all files again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _scan_root(store: Store, root: KnownRoot, report: UpdateReport, progress: Progress, scope: Scope) -> Scanned:
    """Scan the parts of a root; all of it where only that tells where a link leads, or if any photo is left."""
    whole = Part(root.path, whole=True)
    parts = list(scope.parts(root.path))
    try:
        found = Scanned(root, set(), {}, {})
        for part in parts:
            found = found.with_part(_scan_part(store, root, part, report, progress, scope))
    except LinkFoundError:
        return _scan_part(store, root, whole, report, progress, scope)
    if parts == [whole] or found.folders or not found.vanished:
        return found
    folder = _other_folder(store, root, found)
    if folder is None:
        return _scan_part(store, root, whole, report, progress, scope)
    return replace(found, folders={folder})


def _other_folder(store: Store, root: KnownRoot, scanned: Scanned) -> str | None:
    """The folder of a file of the root that is there and was known before, though not looked at in this scan."""
    with store.listing() as listing:
        at_hand = files_at_hand(listing, root.id)
    others = map(file_of, at_hand.keys() - scanned.vanished.keys())
    return next((os.path.dirname(path) for path in others if os.path.exists(path)), None)  # noqa: PTH110, PTH120


def _scan_part(
    store: Store, root: KnownRoot, part: Part, report: UpdateReport, progress: Progress, scope: Scope
) -> Scanned:
    """Note new and changed files of a part of a root."""
    with store.listing() as listing:
        at_hand = files_at_hand(listing, root.id, None if part.whole else part.folder)
    if not part.deep:
        at_hand = {path: row for path, row in at_hand.items() if part.holds(path)}
    unread: list[str] = []

    def on_error(path: str, reason: str) -> None:
        unread.append(path)
        if scope.is_settled(path):
            report.problems.append(f"{path}: {reason}. What it held is kept as it was.")

    seen = _Seen()
    differing = list(_differing(part.walk(on_error), at_hand, seen, progress))
    changes = list(_changes(store, differing, scope))
    report.files_seen += sum(seen.kinds[kind] for kind in _PICTURES)
    report.videos_seen += seen.kinds["video"]
    report.files_changed += sum(change.found.kind in _PICTURES for change in changes)
    if changes:
        _note(store, root, changes)
    return _scanned(store, root, seen.folders, [path for path in at_hand if not is_below_any(path, unread)])


@dataclass(slots=True)
class _Seen:
    """How many files of each kind were found, and in which folders."""

    kinds: Counter[FileKind] = field(default_factory=Counter)
    folders: set[str] = field(default_factory=set)

    def add(self, files: Sequence[Listed]) -> None:
        self.kinds.update(map(_KIND, files))
        # Members of an archive lie in folders of their own; those of a folder in one.
        paths = files if split_member(files[0][0]) else files[:1]
        self.folders.update(os.path.dirname(path) for path, *_ in paths)  # noqa: PTH120 - many


def _differing(
    walked: Iterable[Sequence[Listed]], at_hand: dict[str, AsItWas], seen: _Seen, progress: Progress
) -> Iterator[Listed]:
    """Files that are not as they were, or could not be read; what is found is taken out of `at_hand`.

    Nearly all are as they were: a scan takes as long as what is done here, and in the walk, for each of them.
    """
    number = 0
    for files in walked:
        seen.add(files)
        for found in files:
            before = at_hand.pop(found[0], None)
            if before is None or before[1:] != found[1:4]:  # not by the path, which the store may have escaped
                yield found
        reported, number = number // FILES_PER_REPORT, number + len(files)
        if reported < number // FILES_PER_REPORT:
            progress("scan", number, None)


def _changes(store: Store, differing: Sequence[Listed], scope: Scope) -> Iterator[Change]:
    """What is to be noted of files that are not as they were."""
    with store.listing() as listing:
        for listed in differing:
            found = FoundFile(*listed)
            known = known_files(listing, [found.path], sidecars=found.kind == "sidecar").get(found.path)
            if _is_to_note(found, known, scope):
                error = unsupported_reason(found.path) if found.kind == "picture" else None
                yield Change(found, known, folder_of(found.path), error)


def _is_to_note(found: FoundFile, before: KnownFile | None, scope: Scope) -> bool:
    """Whether a file that is new, changed, back or could not be read is looked at: the last only with everything."""
    is_retry = before is not None and before.is_unchanged(found) and not before.missing
    if is_retry and (found.kind == "picture" or not scope.is_everything):
        return False
    return scope.is_settled(file_of(found.path))


def _note(store: Store, root: KnownRoot, changes: list[Change]) -> None:
    from alignimation_index.store import files, sidecars

    with store.writing() as session:
        files.record_found(session, root.id, changes)
        sidecars.unpair_folders(session, {change.folder for change in changes})


def _scanned(store: Store, root: KnownRoot, folders: set[str], not_found: Iterable[str]) -> Scanned:
    """A root without the files and sidecars that were at hand and were not found."""
    vanished: tuple[list[str], list[str]] = ([], [])
    for path in not_found:
        vanished[kind_of(os.path.basename(path)) == "sidecar"].append(path)  # noqa: PTH119
    with store.listing() as listing:
        ids = [
            {path: file.id for path, file in known_files(listing, paths, sidecars=bool(is_sidecar)).items()}
            for is_sidecar, paths in enumerate(vanished)
        ]
    return Scanned(root, folders, *ids)
