"""The first part of an update: list the roots, and read and pair the sidecars; no photo is opened."""

from __future__ import annotations

import time
from collections.abc import Callable

from alignimation_index.library.sidecars.version import PAIRING_VERSION
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.scan import scan
from alignimation_index.pipeline.scope import EVERYTHING, Scope
from alignimation_index.store.engine import Store
from alignimation_index.store.known import sidecars_wait


def update_listing(
    store: Store, progress: Progress, on_wait: Callable[[], None] = lambda: None, workers: int | None = None
) -> UpdateReport:
    """Bring what is known of files and sidecars up to date with the roots: an update without any stage.

    Where nothing changed, this takes little longer than listing the folders: neither networks nor what they need is
    imported.

    Args:
        store: the open store.
        progress: told what is going on.
        on_wait: called if another process is updating the store, before waiting for it.
        workers: threads that read sidecars; None for one per processor.

    Returns:
        What was done.
    """
    with store.updating(on_wait):
        started = time.perf_counter()
        report = UpdateReport()
        list_files(store, report, progress, workers)
        report.seconds = time.perf_counter() - started
        return report


def list_files(
    store: Store, report: UpdateReport, progress: Progress, workers: int | None, scope: Scope = EVERYTHING
) -> None:
    """The same, for whoever holds the right to run stages and wants to run them after this."""
    with report.profile.measure("scan"):
        scan(store, report, progress, scope)
    with report.profile.measure("sidecars"):
        with store.listing() as listing:
            is_due = sidecars_wait(listing, PAIRING_VERSION)
        if is_due:
            _read_and_pair(store, report, progress, workers)


def _read_and_pair(store: Store, report: UpdateReport, progress: Progress, workers: int | None) -> None:
    from alignimation_index.pipeline.flow import MAX_READERS, pool, processor_count
    from alignimation_index.pipeline.sidecars import pair_folders, read_sidecars

    with pool(min(workers or processor_count(), MAX_READERS), "read") as executor:
        read_sidecars(store, executor, report, progress)
        pair_folders(store, progress)
