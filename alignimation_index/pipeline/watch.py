"""When to update: at first, when something changed, and now and then. What an update does is its own affair."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from watchdog.observers import Observer

from alignimation_index.children import Children
from alignimation_index.errors import SwitchedError, UserError
from alignimation_index.library.folder_watch import OpenObserver
from alignimation_index.models.faces import FaceModelSource
from alignimation_index.pipeline.changes import Changes
from alignimation_index.pipeline.in_children import children_for
from alignimation_index.pipeline.progress import UpdateReport
from alignimation_index.pipeline.settling import Settling
from alignimation_index.pipeline.update import update
from alignimation_index.pipeline.watched_roots import WatchedRoots
from alignimation_index.store import files
from alignimation_index.store.engine import Store
from alignimation_index.store.faces import min_face_share
from alignimation_index.store.watcher import Heartbeat, watching

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Intervals:
    """Seconds between this and that.

    Attributes:
        settle: a file is looked at once it has not changed for so long.
        burst: while files keep changing, those that have settled are looked at after so long.
        poll: how often roots that send no events are looked through, and new or missing roots looked for.
        reconcile: how often everything is looked through, whatever events said; it also is where the system dropped
            some, and after a burst of them in which it may have, see `changes.MANY_EVENTS`.
        retry: how long to wait after an error; doubled with each further one.
        retry_at_most: the longest such wait.
        idle: processes that compute are ended when there was nothing to do for so long.
        tick: how often it is looked whether something is due.
    """

    settle: float = 2
    burst: float = 30
    poll: float = 60
    reconcile: float = 3600
    retry: float = 5
    retry_at_most: float = 600
    idle: float = 120
    tick: float = 0.5


def watch(
    store: Store,
    models: FaceModelSource,
    tell: Callable[[str], None],
    stop: threading.Event,
    intervals: Intervals,
    *,
    workers: int | None = None,
    once: bool = False,
    open_observer: OpenObserver = Observer,
) -> None:
    """Update the store, and again whenever something changed in the roots, until `stop` is set.

    Args:
        store: the open store.
        models: the networks; loaded when a photo needs them, and kept.
        tell: given one line for each thing that happened.
        stop: ends the watch after the photos in hand.
        intervals: how long to wait for what.
        workers: as of `update`.
        once: end as soon as nothing is left to do.
        open_observer: makes watchdog's observers.

    Raises:
        UserError: another process watches this store.
    """
    with watching(store.path) as heartbeat:
        changes = Changes()
        roots = WatchedRoots(changes, tell, open_observer)
        with closing(roots), closing(children_for(models)) as children:
            parts = (intervals, workers, heartbeat, changes, roots, children)
            _Watch(store, _kept(models), tell, stop, *parts).run(once=once)


def _kept(models: FaceModelSource) -> FaceModelSource:
    """The same networks, loaded once for all updates."""
    return models if models.in_children else replace(models, load=cache(models.load))


@dataclass
class _Watch:
    store: Store
    models: FaceModelSource
    tell: Callable[[str], None]
    stop: threading.Event
    intervals: Intervals
    workers: int | None
    heartbeat: Heartbeat
    changes: Changes
    roots: WatchedRoots
    children: Children
    problems: set[str] = field(default_factory=set)
    failures: int = 0
    # The first of each is due at once.
    next_round: float = 0
    next_poll: float = 0
    next_reconcile: float = 0
    last_computed: float = 0

    def __post_init__(self) -> None:
        self.settling = Settling(self.intervals.settle)

    def run(self, *, once: bool) -> None:
        while not self.stop.is_set():
            if time.monotonic() >= self.next_round:
                try:
                    self._round()
                except SwitchedError:
                    raise
                except Exception as error:
                    if once:
                        raise
                    self._fail(error)
            if time.monotonic() >= self.last_computed + self.intervals.idle:
                self.children.close()
            if once and self.changes.is_empty() and not self.settling.is_waiting():
                return
            self.stop.wait(self.intervals.tick)

    def _round(self) -> None:
        """Look after the roots, and update if that is due."""
        now = time.monotonic()
        if self.changes.may_lack_some(self.intervals.settle, self.intervals.burst) or now >= self.next_reconcile:
            self.changes.note_everything(at_once=True)
            self.roots.watch_anew()
            self.next_reconcile, self.next_poll = now + self.intervals.reconcile, now
        if now >= self.next_poll:
            self._look_after_roots()
            self.next_poll = now + self.intervals.poll
        settled = self.settling.due()
        for path in settled:
            self.changes.note(str(Path(path).parent), at_once=True)
        if self.changes.is_due(self.intervals.settle, self.intervals.burst):
            self._update()
            self.settling.forget(settled)
            self.failures = 0

    def _look_after_roots(self) -> None:
        with self.store.reading() as session:
            paths = [root.path for root in files.roots(session)]
        self.roots.look_after(paths)
        if self.heartbeat.record.modes != self.roots.modes:
            self.heartbeat.record.modes = self.roots.modes
            self.heartbeat.beat()

    def _update(self) -> None:
        scope = self.changes.take(self.settling.is_settled)
        report = update(
            self.store,
            self._models(),
            lambda *_: None,
            lambda: self.tell("Another alignindex is updating this store; waiting."),
            self.workers,
            scope,
            self.stop.is_set,
            children=self.children,
        )
        self.last_computed = time.monotonic()
        for problem in report.problems:
            if problem not in self.problems:
                self.tell(f"Warning: {problem}")
        # What everything was looked at for and did not show has been mended.
        self.problems = set(report.problems) | (set() if scope.is_everything else self.problems)
        if report.files_changed or report.files_missing or report.photos_computed:
            self.tell(_line(report))

    def _models(self) -> FaceModelSource:
        """The networks, with the smallest face that the store asks for by now: another process may have changed it."""
        with self.store.reading() as session:
            share = min_face_share(session) or self.models.ids.min_face_share
        return self.models.with_min_face(share)

    def _fail(self, error: Exception) -> None:
        wait = min(self.intervals.retry * 2**self.failures, self.intervals.retry_at_most)
        self.failures += 1
        self.next_round = time.monotonic() + wait
        self.changes.note_everything()
        reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        self.tell(f"Error: {reason} (trying again in {wait:g} s)")
        if not isinstance(error, (UserError, OSError)):
            log.error("This is a bug in alignindex. Please report it with these lines.", exc_info=error)
        self.heartbeat.record.fail(reason)
        self.heartbeat.beat()


def _line(report: UpdateReport) -> str:
    failed = f", {report.photos_failed} of them not readable (see alignindex errors)" if report.photos_failed else ""
    return (
        f"{report.files_changed} files new or changed, {report.files_missing} gone; "
        f"{report.photos_computed} photos computed{failed}, {report.faces_found} faces found in {report.seconds:.1f} s."
    )
