"""Which files are complete: those that have not changed for a while."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Settling:
    """Tells files that are still being written from those that have settled, and remembers the first.

    Attributes:
        seconds: how long size and times must have stood still.
    """

    seconds: float
    _seen: dict[str, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def is_settled(self, path: str) -> bool:
        """Whether a file has settled. What is no file, or not there, is not waited for."""
        try:
            status = Path(path).stat()
        except OSError:
            return True
        # ctime moves with every write and rename, whatever mtime a copy sets in advance.
        unchanged_s = time.time() - max(status.st_mtime, status.st_ctime)
        return not stat.S_ISREG(status.st_mode) or unchanged_s >= self.seconds or self._stood_still(path, status)

    def due(self) -> list[str]:
        """Files that had not settled when they were looked at, and may have by now."""
        before = time.monotonic() - self.seconds
        return [path for path, (_, since) in self._seen.items() if since <= before]

    def forget(self, paths: list[str]) -> None:
        """Wait for these no longer, unless they changed since they were due."""
        still_due = set(self.due())
        for path in still_due.intersection(paths):
            del self._seen[path]

    def is_waiting(self) -> bool:
        """Whether there are files that have not settled."""
        return bool(self._seen)

    def _stood_still(self, path: str, status: os.stat_result) -> bool:
        """The same by our own clock, for files from the future and from servers whose clock is fast."""
        version, now = (status.st_size, status.st_mtime_ns), time.monotonic()
        seen, since = self._seen.get(path, (None, now))
        if seen != version:
            since = now
            self._seen[path] = (version, since)
        return now - since >= self.seconds
