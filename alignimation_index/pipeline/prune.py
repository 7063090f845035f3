"""Forget what has been missing for long, and give its space back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from alignimation_index.store import prune as store_prune
from alignimation_index.store import schema
from alignimation_index.store.engine import Store
from alignimation_index.store.prune import Prunable
from alignimation_index.store.tables import utc_now


def preview(store: Store, missing_for: timedelta) -> Prunable:
    """What `prune` would take away now."""
    with store.reading() as session:
        return store_prune.prunable(session, utc_now() - missing_for)


def prune(
    store: Store, missing_for: timedelta, *, backup: bool = True, on_wait: Callable[[], None] = lambda: None
) -> tuple[Prunable, Path | None]:
    """Delete files missing for so long, photos that nothing else holds, and what was computed of them; never answers.

    Args:
        store: the open store.
        missing_for: how long.
        backup: copy the store first, in place of the copy that the prune before made.
        on_wait: called if another process is updating the store, before waiting for it.

    Returns:
        What went, and where the copy is; nothing is copied where nothing goes.

    Raises:
        UserError: the copy or the store cannot be written; nothing went.
    """
    missing_since = utc_now() - missing_for
    with store.updating(on_wait):
        with store.reading() as session:
            found = store_prune.prunable(session, missing_since)
        copy = schema.backup_path(store.path, "prune") if backup and found else None
        if copy:
            store.backup(copy)
        if found:
            with store.writing() as session:
                store_prune.prune(session, missing_since)
        return found, copy
