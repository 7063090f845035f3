"""What changed since it was last looked at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from alignimation_index.pipeline.scope import Scope

# Beyond so many folders, everything is looked at: that takes less time by then, and bounds the memory.
MAX_FOLDERS = 1000

MANY_EVENTS = 4000
"""In a burst of more events, the system may have dropped some without watchdog telling, as it does since 7.1.

Linux drops events only behind fs.inotify.max_queued_events waiting ones, 16,384 by default. Half as many are left of
them where each rename is two of the kernel's events and one of watchdog's; and half again to be sure.
"""

PAUSE_S = 30.0
"""So long without an event, a burst is over: watchdog may be slow to hand on what waits."""


class Changes:
    """Folders in which something changed, noted by any thread; noting one again costs nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folders: set[str] = set()
        self._trees: set[str] = set()
        self._everything = False
        self._at_once = False
        self._first: float | None = None
        self._last = 0.0
        self._events = 0
        self._last_event = 0.0
        self._first_loss: float | None = None

    def count_event(self) -> None:
        """Count an event, whether it tells of a change or not."""
        with self._lock:
            self._events += 1
            self._last_event = time.monotonic()

    def count_loss(self) -> None:
        """Count an event that stands for those that the system dropped."""
        with self._lock:
            self._last_event = time.monotonic()
            if self._first_loss is None:
                self._first_loss = self._last_event

    def may_lack_some(self, quiet_s: float, burst_s: float) -> bool:
        """Whether events were lost, or there were so many that some may be; told once.

        It is told when no event came for `quiet_s`; where events are known to be lost, also `burst_s` after the first.
        """
        with self._lock:
            now = time.monotonic()
            quiet_for_s = now - self._last_event
            lacks = quiet_for_s >= quiet_s and (self._first_loss is not None or self._events > MANY_EVENTS)
            lacks |= self._first_loss is not None and now - self._first_loss >= burst_s
            if lacks or quiet_for_s >= max(quiet_s, PAUSE_S):
                self._events, self._first_loss = 0, None
            return lacks

    def note(self, folder: str, tree: bool = False, at_once: bool = False) -> None:
        """Note a change of files directly in a folder; with `tree`, of the folder with all that is below it.

        With `at_once` it is due now, and does not put off the others.
        """
        with self._lock:
            (self._trees if tree else self._folders).add(folder)
            if len(self._trees) + len(self._folders) > MAX_FOLDERS:
                self._everything = True
                self._trees.clear()
                self._folders.clear()
            self._stamp(at_once)

    def note_everything(self, at_once: bool = False) -> None:
        """Note that anything may have changed."""
        with self._lock:
            self._everything = True
            self._stamp(at_once)

    def is_due(self, quiet_s: float, burst_s: float) -> bool:
        """Whether there are changes and none came for `quiet_s`, or they have been coming for `burst_s`."""
        with self._lock:
            if self._first is None or self._at_once:
                return self._at_once
            now = time.monotonic()
            return now - self._last >= quiet_s or now - self._first >= burst_s

    def is_empty(self) -> bool:
        """Whether there are none, and none may be missing."""
        with self._lock:
            return self._first is None and self._first_loss is None and self._events <= MANY_EVENTS

    def take(self, is_settled: Callable[[str], bool]) -> Scope:
        """What there is to look at; it is forgotten here."""
        with self._lock:
            folders = None if self._everything else frozenset(self._folders)
            scope = Scope(folders, frozenset(self._trees), is_settled)
            self._folders.clear()
            self._trees.clear()
            self._everything, self._at_once, self._first = False, False, None
            return scope

    def _stamp(self, at_once: bool) -> None:
        self._at_once |= at_once
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last
