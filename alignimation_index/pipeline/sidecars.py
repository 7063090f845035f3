"""The two passes over sidecars: read those that are new or changed, then pair what lies in a folder.

Neither depends on what the other committed before an interruption: each takes what the store says is still to be done.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor
from functools import partial

from sqlalchemy.orm import Session

from alignimation_index.errors import UserError, in_words
from alignimation_index.found_files import FoundFile
from alignimation_index.library.scan import read_unchanged
from alignimation_index.library.sidecars.files import (
    MAX_SIDECAR_BYTES,
    read_sidecar_file,
    sidecar_from_json,
    to_json,
)
from alignimation_index.library.sidecars.naming import without_names
from alignimation_index.library.sidecars.pairing import EXPORT_KINDS, FolderSidecar, pair_folder
from alignimation_index.library.sidecars.version import PAIRING_VERSION
from alignimation_index.people.forgotten_names import ForgottenNames
from alignimation_index.pipeline.flow import MAX_READERS, batches, ordered_map
from alignimation_index.pipeline.forgotten_names import forgotten_names
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.store import sidecars
from alignimation_index.store.engine import Store
from alignimation_index.store.sidecars import Reading

SIDECARS_PER_COMMIT = 500
SIDECARS_AHEAD = 16 * MAX_READERS
FOLDERS_PER_COMMIT = 100
SECONDS_PER_COMMIT = 1.0


def read_sidecars(store: Store, executor: Executor, report: UpdateReport, progress: Progress) -> None:
    """Read the sidecars that were not read yet; a broken one is an error of its own."""
    with store.reading() as session:
        pending = sidecars.pending_sidecars(session)
        forgotten = forgotten_names(session)
    readings = ordered_map(executor, partial(_read, forgotten), pending, SIDECARS_AHEAD)
    for batch in batches(readings, SIDECARS_PER_COMMIT, SECONDS_PER_COMMIT):
        with store.writing() as session:
            sidecars.store_readings(session, batch)
        report.sidecars_read += len(batch)
        progress("sidecars", report.sidecars_read, len(pending))


def pair_folders(store: Store, progress: Progress) -> None:
    """Pair the files and sidecars of each folder in which something changed."""
    with store.reading() as session:
        folders = sidecars.folders_to_pair(session, PAIRING_VERSION)
    for done in range(0, len(folders), FOLDERS_PER_COMMIT):
        with store.writing() as session:
            for folder in folders[done : done + FOLDERS_PER_COMMIT]:
                _pair(session, folder)
        progress("folders", min(done + FOLDERS_PER_COMMIT, len(folders)), len(folders))


def _read(forgotten: ForgottenNames, sidecar: tuple[int, FoundFile]) -> Reading:
    id_, found = sidecar
    if found.size > MAX_SIDECAR_BYTES:
        return Reading(id_, "other", {})
    try:
        kind, content = read_sidecar_file(os.path.basename(found.path), read_unchanged(found))  # noqa: PTH119
    except OSError as error:
        return Reading(id_, None, None, in_words(error))
    except UserError as error:
        return Reading(id_, "other", {}, str(error))
    said = to_json(content)
    return Reading(id_, kind, without_names(said, forgotten) if forgotten else said)


def _pair(session: Session, folder: str) -> None:
    media = {id_: os.path.basename(path) for id_, path in sidecars.media_in(session, folder).items()}  # noqa: PTH119
    found = [
        FolderSidecar(id_, os.path.basename(path), kind, sidecar_from_json(kind, content))  # noqa: PTH119
        for id_, path, kind, content in sidecars.sidecars_in(session, folder)
    ]
    in_export = any(one.kind in EXPORT_KINDS for one in found)
    sidecars.replace_pairings(session, folder, pair_folder(media, found), PAIRING_VERSION, in_export)
