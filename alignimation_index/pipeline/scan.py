"""Compare what the roots hold with what the store knows of them: cheap checks only, nothing is opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from alignimation_index.datatypes import FileKind
from alignimation_index.errors import UserError
from alignimation_index.library.archive import member_path
from alignimation_index.library.formats import unsupported_reason
from alignimation_index.library.names import kind_of
from alignimation_index.library.scan import walk
from alignimation_index.library.takeout_folders import export_folder
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.store import files, sidecars
from alignimation_index.store.engine import Store
from alignimation_index.store.files import Change, KnownFile
from alignimation_index.store.tables import File, Root, Sidecar

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
    """Note new, changed and missing files of every root; a root that cannot be read changes nothing."""
    with store.reading() as session:
        roots = files.roots(session)
    for root in roots:
        try:
            _scan_root(store, root, report, progress)
        except UserError as error:
            report.problems.append(f"{error}. What it held is kept as it was.")


def _scan_root(store: Store, root: Root, report: UpdateReport, progress: Progress) -> None:
    with store.reading() as session:
        known = files.known_files(session, root.id)
    unread: list[str] = []

    def on_error(path: str, reason: str) -> None:
        unread.append(path)
        report.problems.append(f"{path}: {reason}. What it held is kept as it was.")

    seen = Counter[FileKind]()
    changes = list(_changes(root, known, seen, on_error, progress))
    gone = {path: one for path, one in known.items() if not one.missing and not _is_below(path, unread)}
    if not seen and gone:
        raise UserError(f"{root.path} held {len(gone)} files and is empty now; is its drive connected?")
    report.files_seen += sum(seen[kind] for kind in _PICTURES)
    report.videos_seen += seen["video"]
    report.files_changed += sum(change.found.kind in _PICTURES for change in changes)
    report.files_missing += sum(_kind(path) in _PICTURES for path in gone)
    if changes or gone:
        with store.writing() as session:
            _record(session, root, changes, gone)


def _changes(
    root: Root,
    known: dict[str, KnownFile],
    seen: Counter[FileKind],
    on_error: Callable[[str, str], None],
    progress: Progress,
) -> Iterator[Change]:
    """What is new, changed, back or could not be read before; `known` is left with what was not found."""
    for number, found in enumerate(walk(Path(root.path), on_error), 1):
        seen[found.kind] += 1
        before = known.pop(found.path, None)
        if before is None or not before.is_settled(found):
            error = unsupported_reason(found.path) if found.kind == "picture" else None
            yield Change(found, before, folder_of(found.path), error)
        if number % 1000 == 0:
            progress("scan", number, None)


def _record(session: Session, root: Root, changes: list[Change], gone: dict[str, KnownFile]) -> None:
    files.record_found(session, root.id, changes)
    for model, kinds in ((File, (*_PICTURES, "video")), (Sidecar, ("sidecar",))):
        files.mark_missing(session, model, [one.id for path, one in gone.items() if _kind(path) in kinds])
    sidecars.unpair_folders(session, {change.folder for change in changes} | {folder_of(path) for path in gone})


def folder_of(path: str) -> str:
    """The folder of a file, the same in all parts of an export."""
    return _export_folder(os.path.dirname(path))  # noqa: PTH120 - on every new file


@lru_cache(maxsize=1000)
def _export_folder(folder: str) -> str:
    return export_folder(os.path.join(folder, ""))  # noqa: PTH118


def _kind(path: str) -> FileKind:
    """What a path was listed as; a photo for names that are not listed any more."""
    return kind_of(os.path.basename(path)) or "photo"  # noqa: PTH119


def _is_below(path: str, unread: list[str]) -> bool:
    """Whether a path, or the folder or archive that holds it, is among those that could not be read."""
    return any(path == one or path.startswith((one.rstrip(os.sep) + os.sep, member_path(one, ""))) for one in unread)
