"""Where the time of a run goes."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Profile:
    """Seconds by step, summed over all threads that measured.

    Times are exclusive: a step measured within another counts as itself only.
    """

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._thread = threading.local()

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by step, in the order in which steps first ended."""
        with self._lock:
            return dict(self._seconds)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Count the time of the block as that of a step."""
        started, before = time.perf_counter(), getattr(self._thread, "measured", 0.0)
        try:
            yield
        finally:
            elapsed = time.perf_counter() - started
            within = getattr(self._thread, "measured", 0.0) - before
            self._thread.measured = before + elapsed
            self.add({step: elapsed - within})

    def add(self, seconds: Mapping[str, float]) -> None:
        """Count what was measured elsewhere."""
        with self._lock:
            for step, spent in seconds.items():
                self._seconds[step] += spent


def peak_memory_mb() -> int | None:
    """The most memory that this process has held so far, in MiB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024**2 if sys.platform == "darwin" else peak // 1024
