"""Compare what the roots hold with what the store knows of them: cheap checks only, nothing is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from alignimation_index.datatypes import FoundFile
from alignimation_index.errors import UserError
from alignimation_index.library.formats import unsupported_reason
from alignimation_index.library.scan import walk
from alignimation_index.paths import is_below
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.vanished import Scanned, settle
from alignimation_index.store import files
from alignimation_index.store.engine import Store
from alignimation_index.store.files import KnownFile
from alignimation_index.store.tables import Root


def add_roots(store: Store, paths: Iterable[Path]) -> None:
    """Watch these folders, zip archives and files from now on.

    Raises:
        UserError: one does not exist; none is added then.
    """
    absolute = [Path(os.path.abspath(path.expanduser())) for path in paths]  # noqa: PTH100 - keeps links as they are
    for path in absolute:
        if not path.exists():
            raise UserError(f"{path} does not exist. Name a folder of photos: alignindex update ~/Photos")
    with store.writing() as session:
        for path in absolute:
            files.add_root(session, str(path))


def scan(store: Store, report: UpdateReport, progress: Progress) -> None:
    """Note new, changed, moved and missing files of every root; a root that cannot be read changes nothing."""
    with store.reading() as session:
        roots = files.roots(session)
    scanned = []
    for root in roots:
        try:
            scanned.append(_scan_root(store, root, report, progress))
        except UserError as error:
            report.problems.append(f"{error}. What it held is kept as it was.")
    settle(store, scanned, report)


def _scan_root(store: Store, root: Root, report: UpdateReport, progress: Progress) -> Scanned:
    """Note new and changed files of a root."""
    with store.reading() as session:
        known = files.known_files(session, root.id)
    unread: list[str] = []

    def on_error(path: str, reason: str) -> None:
        unread.append(path)
        report.problems.append(f"{path}: {reason}. What it held is kept as it was.")

    changed, seen = _compare(root, known, on_error, progress)
    report.files_seen += len(seen)
    report.files_changed += len(changed)
    if changed:
        with store.writing() as session:
            for found in changed:
                error = None if found.supported else unsupported_reason(found.path)
                files.record_found(session, root.id, found, known.get(found.path), error)
    gone = [path for path in known.keys() - seen if not known[path].missing and not _is_below_any(path, unread)]
    folders = {os.path.dirname(path) for path in seen}  # noqa: PTH120 - on every file
    return Scanned(root, folders, {path: known[path].id for path in gone})


def _compare(
    root: Root, known: dict[str, KnownFile], on_error: Callable[[str, str], None], progress: Progress
) -> tuple[list[FoundFile], set[str]]:
    """What is new, changed, back or could not be read before; and every path that is there."""
    changed: list[FoundFile] = []
    seen: set[str] = set()
    for found in walk(Path(root.path), on_error):
        seen.add(found.path)
        before = known.get(found.path)
        if before is None or before.missing or not before.is_unchanged(found) or (before.failed and found.supported):
            changed.append(found)
        if len(seen) % 1000 == 0:
            progress("scan", len(seen), None)
    return changed, seen


def _is_below_any(path: str, unread: list[str]) -> bool:
    """Whether a path, or the folder or archive that holds it, is among those that could not be read."""
    return any(is_below(path, one) for one in unread)
