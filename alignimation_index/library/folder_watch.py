"""Being told of changes below folders, by watchdog: from inotify on Linux, FSEvents on macOS, the like on Windows."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from alignimation_index.library.names import is_skipped

OnEvent = Callable[[], None]
"""Called for every event, whatever it tells."""

OnLoss = Callable[[], None]
"""Called where the system dropped events."""

OnChange = Callable[[str, bool], None]
"""Called with a folder, and whether it is that folder with all below it that changed or only files directly in it."""

OpenObserver = Callable[[], BaseObserver]
"""Makes an observer that is not started yet. OSError if the system allows no more."""

# By the kinds named, watchdog asks inotify for changes only: not for files that are opened and closed, as a scan does.
# `FileSystemEvent` lets all that come of them pass, under whatever name: touching a file is "attrib" since 7.0.
_KINDS = [
    FileSystemEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileDeletedEvent,
]
_LOGGER = logging.getLogger("watchdog.observers")
_SAME_FOLDER = {"modified", "attrib"}
_NO_CHANGE = {"opened", "closed_no_write"}


class FolderWatch:
    """Tells of changes below the folders added to it, in threads of its own; links below them are not followed.

    Args:
        on_event: see `OnEvent`.
        on_loss: see `OnLoss`; not called on Linux by watchdog before 7.1, which keeps losses to itself.
        on_change: see `OnChange`.
        open_observer: see `OpenObserver`.

    Raises:
        OSError: EMFILE, the system allows no more observers.
    """

    name = "inotify" if sys.platform == "linux" else "events"

    def __init__(
        self, on_event: OnEvent, on_loss: OnLoss, on_change: OnChange, open_observer: OpenObserver = Observer
    ) -> None:
        self._on_event, self._on_change, self._open_observer = on_event, on_change, open_observer
        self._watches: dict[str, ObservedWatch] = {}
        self._losses = _Losses(on_loss)
        self._observer = open_observer()
        self._observer.start()
        _LOGGER.addHandler(self._losses)

    def add_tree(self, top: str) -> None:
        """Watch a folder with all that is below it.

        Raises:
            OSError: it cannot be watched: ENOSPC or EMFILE, not with all that is below it. It is not watched then.
        """
        self.remove_tree(top)
        # inotify would watch the link in place of the folder that it leads to, FSEvents tells where that is.
        real = os.path.realpath(top)
        handler = _Handler(top, real, self._on_event, self._on_change)
        self._watches[top] = self._observer.schedule(handler, real, recursive=True, event_filter=_KINDS)
        try:
            self._check_limits(real)
        except OSError:
            self.remove_tree(top)
            raise

    def remove_tree(self, top: str) -> None:
        """Watch it no longer."""
        watch = self._watches.pop(top, None)
        if watch is not None and watch not in self._watches.values():  # by another link to it
            self._observer.unschedule(watch)

    def close(self) -> None:
        """Watch nothing any more."""
        self._observer.stop()
        self._observer.join()
        _LOGGER.removeHandler(self._losses)

    def _check_limits(self, folder: str) -> None:
        """OSError if the system watches no more folders: watchdog leaves out subfolders then, and does not say so."""
        if sys.platform != "linux":
            return
        observer = self._open_observer()
        observer.start()
        try:
            observer.schedule(FileSystemEventHandler(), folder, recursive=False)
        finally:
            observer.stop()
            observer.join()


class _Losses(logging.Handler):
    """Hears of dropped events; watchdog tells of them in its log and nowhere else."""

    def __init__(self, on_loss: OnLoss) -> None:
        super().__init__(logging.WARNING)
        self._on_loss = on_loss

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._on_loss()


class _Handler(FileSystemEventHandler):
    """What watchdog calls for each event of a folder `top`, which is at `real`."""

    def __init__(self, top: str, real: str, on_event: OnEvent, on_change: OnChange) -> None:
        self._top, self._real = top.rstrip(os.sep), real.rstrip(os.sep)
        self._on_event, self._on_change = on_event, on_change

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._on_event()
        if event.event_type in _NO_CHANGE or (event.is_directory and event.event_type in _SAME_FOLDER):
            return
        for path in filter(None, map(os.fsdecode, (event.src_path, event.dest_path))):
            below = path.removeprefix(self._real)
            if not any(map(is_skipped, Path(below.lstrip(os.sep)).parts)):
                changed = self._top + below
                self._on_change(changed if event.is_directory else os.path.dirname(changed), event.is_directory)  # noqa: PTH120
