"""Watching folders as `alignindex watch` does, with models that recognise drawn faces."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from fakes import FakeModels
from watchdog.observers import Observer

from alignimation_index.cli.watch import stopped_by_signals
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.watch import Intervals, watch
from alignimation_index.store.engine import Store


class LimitedObserver(Observer):
    """Watches a root, as watchdog does where the limit is reached below it; but no folder more."""

    def schedule(self, event_handler, path, *, recursive=False, **options):
        if not recursive:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return super().schedule(event_handler, path, recursive=recursive, **options)


def run(
    log: Path,
    store_path: Path,
    folders: list[Path],
    intervals: dict[str, float],
    *,
    limited: bool = False,
    once: bool = False,
    slow_s: float = 0,
) -> None:
    """Watch the folders, and write what is said into `log`.

    With `limited`, the system watches no more folders. Each detection takes `slow_s` longer.
    """
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for output in (1, 2):
        os.dup2(said, output)
    fakes = FakeModels(before={"detector": lambda _: time.sleep(slow_s)})
    with stopped_by_signals() as stop:
        store = Store.open(store_path)
        add_roots(store, folders)
        watch(
            store,
            fakes.source(),
            lambda line: print(line, flush=True),  # noqa: T201
            stop,
            Intervals(**intervals),
            once=once,
            open_observer=LimitedObserver if limited else Observer,
        )
