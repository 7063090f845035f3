"""Compare what the roots hold with what the store knows of them: cheap checks only, nothing is opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from alignimation_index.datatypes import FileKind, FoundFile
from alignimation_index.errors import UserError
from alignimation_index.library.formats import unsupported_reason
from alignimation_index.library.names import kind_of
from alignimation_index.library.scan import LinkFoundError
from alignimation_index.library.takeout.folders import folder_of
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.scope import EVERYTHING, Part, Scope, file_of, is_below_any
from alignimation_index.pipeline.vanished import Scanned, settle
from alignimation_index.store import files, sidecars
from alignimation_index.store.engine import Store
from alignimation_index.store.files import Change, KnownFile
from alignimation_index.store.tables import Root

_PICTURES: tuple[FileKind, ...] = ("photo", "picture")


def add_roots(store: Store, paths: Iterable[Path]) -> None:
    """Watch these folders, zip archives and files from now on.

    Raises:
        UserError: one does not exist, and was not there before either; none is added then.
    """
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
    with store.reading() as session:
        roots = files.roots(session)
    scanned = []
    for root in roots:
        try:
            scanned.append(_scan_root(store, root, report, progress, scope))
        except UserError as error:
            if scope.is_settled(root.path):
                report.problems.append(f"{error}. What it held is kept as it was.")
    settle(store, scanned, report)


def _scan_root(store: Store, root: Root, report: UpdateReport, progress: Progress, scope: Scope) -> Scanned:
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


def _other_folder(store: Store, root: Root, scanned: Scanned) -> str | None:
    """The folder of a file of the root that is there and was known before, though not looked at in this scan."""
    with store.reading() as session:
        known = files.known_files(session, root.id)
    others = (file_of(path) for path, file in known.items() if not file.missing and path not in scanned.vanished)
    return next((os.path.dirname(path) for path in others if os.path.exists(path)), None)  # noqa: PTH110, PTH120


def _scan_part(store: Store, root: Root, part: Part, report: UpdateReport, progress: Progress, scope: Scope) -> Scanned:
    """Note new and changed files of a part of a root."""
    with store.reading() as session:
        known = files.known_files(session, root.id, None if part.whole else part.folder)
    if not part.deep:
        known = {path: file for path, file in known.items() if part.holds(path)}
    unread: list[str] = []

    def on_error(path: str, reason: str) -> None:
        unread.append(path)
        if scope.is_settled(path):
            report.problems.append(f"{path}: {reason}. What it held is kept as it was.")

    seen = Counter[FileKind]()
    folders: set[str] = set()
    changes = []
    for number, found in enumerate(part.walk(on_error), 1):
        seen[found.kind] += 1
        folders.add(os.path.dirname(found.path))  # noqa: PTH120 - on every file
        before = known.pop(found.path, None)
        if (before is None or not before.is_settled(found)) and _is_in_scope(found, before, scope):
            changes.append(_change(found, before))
        if number % 1000 == 0:
            progress("scan", number, None)
    report.files_seen += sum(seen[kind] for kind in _PICTURES)
    report.videos_seen += seen["video"]
    report.files_changed += sum(change.found.kind in _PICTURES for change in changes)
    if changes:
        with store.writing() as session:
            files.record_found(session, root.id, changes)
            sidecars.unpair_folders(session, {change.folder for change in changes})
    return _scanned(root, folders, {path: one for path, one in known.items() if not is_below_any(path, unread)})


def _is_in_scope(found: FoundFile, before: KnownFile | None, scope: Scope) -> bool:
    """Whether a file that is new, changed, back or could not be read is looked at: the last only with everything."""
    is_retry = before is not None and before.is_unchanged(found) and not before.missing
    return (scope.is_everything or not is_retry) and scope.is_settled(file_of(found.path))


def _change(found: FoundFile, before: KnownFile | None) -> Change:
    error = unsupported_reason(found.path) if found.kind == "picture" else None
    return Change(found, before, folder_of(found.path), error)


def _scanned(root: Root, folders: set[str], not_found: dict[str, KnownFile]) -> Scanned:
    """A root without the files and sidecars that are known and were not found."""
    vanished: dict[str, dict[str, int]] = {"media": {}, "sidecar": {}}
    for path, one in not_found.items():
        if not one.missing:
            is_sidecar = kind_of(os.path.basename(path)) == "sidecar"  # noqa: PTH119
            vanished["sidecar" if is_sidecar else "media"][path] = one.id
    return Scanned(root, folders, vanished["media"], vanished["sidecar"])
