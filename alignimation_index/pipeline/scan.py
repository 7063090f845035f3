"""Compare what the roots hold with what the store knows of them: cheap checks only, nothing is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from alignimation_index.datatypes import FoundFile
from alignimation_index.errors import UserError
from alignimation_index.library.formats import unsupported_reason
from alignimation_index.library.scan import LinkFoundError
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.scope import EVERYTHING, Part, Scope, file_of, is_below_any
from alignimation_index.pipeline.vanished import Scanned, settle
from alignimation_index.store import files
from alignimation_index.store.engine import Store
from alignimation_index.store.files import KnownFile
from alignimation_index.store.tables import Root


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
        found = Scanned(root, set(), {})
        for part in parts:
            one = _scan_part(store, root, part, report, progress, scope)
            found = Scanned(root, {*found.folders, *one.folders}, {**found.vanished, **one.vanished})
    except LinkFoundError:
        return _scan_part(store, root, whole, report, progress, scope)
    if parts == [whole] or found.folders or not found.vanished:
        return found
    folder = _other_folder(store, root, found)
    if folder is None:
        return _scan_part(store, root, whole, report, progress, scope)
    return Scanned(root, {folder}, found.vanished)


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
    known = {path: file for path, file in known.items() if part.holds(path)}
    unread: list[str] = []

    def on_error(path: str, reason: str) -> None:
        unread.append(path)
        if scope.is_settled(path):
            report.problems.append(f"{path}: {reason}. What it held is kept as it was.")

    changed, seen = _compare(part.walk(on_error), known, scope, progress)
    report.files_seen += len(seen)
    report.files_changed += len(changed)
    if changed:
        with store.writing() as session:
            for found in changed:
                error = None if found.supported else unsupported_reason(found.path)
                files.record_found(session, root.id, found, known.get(found.path), error)
    gone = [path for path in known.keys() - seen if not known[path].missing and not is_below_any(path, unread)]
    folders = {os.path.dirname(path) for path in seen}  # noqa: PTH120 - on every file
    return Scanned(root, folders, {path: known[path].id for path in gone})


def _compare(
    files_found: Iterable[FoundFile], known: dict[str, KnownFile], scope: Scope, progress: Progress
) -> tuple[list[FoundFile], set[str]]:
    """What is new, changed, back or to be tried again; and every path that is there."""
    changed: list[FoundFile] = []
    seen: set[str] = set()
    for found in files_found:
        seen.add(found.path)
        if _is_news(found, known.get(found.path), retry=scope.is_everything) and scope.is_settled(file_of(found.path)):
            changed.append(found)
        if len(seen) % 1000 == 0:
            progress("scan", len(seen), None)
    return changed, seen


def _is_news(found: FoundFile, before: KnownFile | None, *, retry: bool) -> bool:
    if before is None or before.missing or not before.is_unchanged(found):
        return True
    return retry and before.failed and found.supported
