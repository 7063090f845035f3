"""A watch running in a process of its own, and waiting for what it does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from fakes import FakeModels, held, index
from watch_with_fakes import run

from alignimation_index.store.engine import Store

PATIENCE_S = 120
SETTLE_S = 0.3

# Each process is forked from one that has loaded what takes seconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["alignimation_index.pipeline.watch", "alignimation_index.models.chips", "watchdog.observers", "pillow_heif"]
)


@dataclass
class Watched:
    """Starts and ends processes that watch `folder`, and looks into their store."""

    store: Store
    folder: Path
    settle: float = SETTLE_S
    logs: list[Path] = field(default_factory=list)
    process: BaseProcess | None = None

    def start(self, *, wait=True, limited=False, once=False, slow_s=0.0, **intervals):
        """Start a watch as `run` does, and wait until it has begun."""
        self.logs.append(self.store.path.with_name(f"watch {os.urandom(4).hex()}.log"))
        intervals = {"settle": self.settle, "poll": 3600, "tick": 0.1, **intervals}
        options = {"limited": limited, "once": once, "slow_s": slow_s}
        arguments = (self.logs[-1], self.store.path, [self.folder], intervals)
        self.process = FORKS.Process(target=run, args=arguments, kwargs=options)
        self.process.start()
        if wait:
            self.until(lambda: any(line.startswith("Watching") for line in self._said(self.logs[-1])))
        return self

    @property
    def lines(self) -> list[str]:
        """What all processes said."""
        return [line for log in self.logs for line in self._said(log)]

    @staticmethod
    def _said(log: Path) -> list[str]:
        return log.read_text().splitlines() if log.exists() else []

    def until(self, condition):
        """Wait until something is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.05)

    def until_said(self, text):
        self.until(lambda: any(text in line for line in self.lines))

    def until_held(self, *names):
        """Wait until the store holds these files of the folder, no others, and all is known of them."""
        paths = {str(self.folder / name) for name in names}
        self.until(lambda: self.files().keys() == paths and all(self.files().values()))

    def until_as_updated(self, other: Store):
        """Wait until the store holds what a fresh update of the folder finds."""
        index(other, FakeModels(), self.folder)
        expected = held(other)
        self.until(lambda: held(self.store) == expected)

    def files(self):
        """Content hash by path of the files at hand."""
        return held(self.store).files

    def exit_code(self):
        """Wait for the watch to end."""
        self.process.join(PATIENCE_S)
        return self.process.exitcode

    def stop(self, how=signal.SIGTERM):
        """End the watch; its exit code and the seconds that took."""
        started = time.monotonic()
        os.kill(self.process.pid, how)
        code = self.exit_code()
        return code, time.monotonic() - started
