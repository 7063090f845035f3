"""Streams of work between threads: in order, and never more of it in memory than a window holds."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# More would not read faster, and would make a spinning disk seek.
MAX_READERS = 8
# Networks on a GPU earn their keep on many photos at a time; two threads, so that one decodes while the other computes.
GPU_PHOTOS_PER_TASK = 64
GPU_COMPUTERS = 2


@dataclass(frozen=True)
class Capacity:
    """How photos are spread over a machine.

    Attributes:
        computers: threads that decode photos and run networks.
        photos_per_task: photos that such a thread takes at a time.
        tasks_ahead: tasks that may be computing, waiting for a thread, or waiting to be written.
    """

    computers: int
    photos_per_task: int
    tasks_ahead: int

    @classmethod
    def of(cls, device: str, workers: int) -> Capacity:
        """What suits a device ("cpu", or a GPU's name) with as many `workers` as there are processors to use.

        On a CPU one photo to a thread is fastest: decoding and networks release the interpreter.
        """
        if device == "cpu":
            return cls(workers, 1, 2 * workers + 8)
        return cls(GPU_COMPUTERS, GPU_PHOTOS_PER_TASK, 2 * GPU_COMPUTERS)


def processor_count() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def pool(threads: int, name: str) -> Iterator[Executor]:
    """Threads for as long as the block runs; what has not begun at its end never does."""
    executor = ThreadPoolExecutor(threads, name)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def ordered_map(executor: Executor, function: Callable[[T], R], items: Iterable[T], window: int) -> Iterator[R]:
    """Results of `function` in the order of `items`, which are taken at most `window` ahead of the results.

    An error ends the stream where its item stood; it, or closing the stream, cancels what has not begun.
    """
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(executor.submit(function, item))
            if len(pending) >= window:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def batches(items: Iterable[T], size: int, seconds: float = math.inf) -> Iterator[list[T]]:
    """Items in lists of `size`, or of fewer where that many took longer than `seconds` to arrive."""
    batch: list[T] = []
    due = math.inf
    for item in items:
        if not batch:
            due = time.monotonic() + seconds
        batch.append(item)
        if len(batch) >= size or time.monotonic() >= due:
            yield batch
            batch = []
    if batch:
        yield batch
