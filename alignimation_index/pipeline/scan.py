"""Compare what the roots hold with what the store knows of them: cheap checks only, nothing is opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from alignimation_index.datatypes import FileKind, FoundFile
from alignimation_index.errors import UserError
from alignimation_index.library.formats import unsupported_reason
from alignimation_index.library.names import kind_of
from alignimation_index.library.scan import walk
from alignimation_index.library.takeout_folders import folder_of
from alignimation_index.paths import is_below
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.vanished import Scanned, settle
from alignimation_index.store import files, sidecars
from alignimation_index.store.engine import Store
from alignimation_index.store.files import Change, KnownFile
from alignimation_index.store.tables import Root

_PICTURES: tuple[FileKind, ...] = ("photo", "picture")


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

    seen = Counter[FileKind]()
    folders: set[str] = set()
    changes = []
    for found in walk(Path(root.path), on_error):
        seen[found.kind] += 1
        folders.add(os.path.dirname(found.path))  # noqa: PTH120 - on every file
        before = known.pop(found.path, None)
        if before is None or not before.is_settled(found):
            changes.append(_change(found, before))
        if seen.total() % 1000 == 0:
            progress("scan", seen.total(), None)
    report.files_seen += sum(seen[kind] for kind in _PICTURES)
    report.videos_seen += seen["video"]
    report.files_changed += sum(change.found.kind in _PICTURES for change in changes)
    if changes:
        with store.writing() as session:
            files.record_found(session, root.id, changes)
            sidecars.unpair_folders(session, {change.folder for change in changes})
    return _scanned(root, folders, {path: one for path, one in known.items() if not _is_below_any(path, unread)})


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


def _is_below_any(path: str, unread: list[str]) -> bool:
    """Whether a path, or the folder or archive that holds it, is among those that could not be read."""
    return any(is_below(path, one) for one in unread)
