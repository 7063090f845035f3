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
# Networks on a GPU earn their keep on many photos at a time. Measured on an H200: while one process decodes on it or
# starts its next steps, others compute.
GPU_PHOTOS_PER_TASK = 64
MAX_GPU_COMPUTERS = 3
GPU_BYTES_PER_COMPUTER = 8e9


@dataclass(frozen=True)
class Capacity:
    """How photos are spread over a machine.

    Attributes:
        computers: threads that decode photos and run networks, or have a process do so.
        photos_per_task: photos that each takes at a time.
        tasks_ahead: tasks that may be computing, waiting for a thread, or waiting to be written.
    """

    computers: int
    photos_per_task: int
    tasks_ahead: int

    @classmethod
    def of_processors(cls, workers: int) -> Capacity:
        """What suits networks on as many `workers` as there are processors to use: one photo to each is fastest."""
        return cls(workers, 1, 2 * workers + 8)

    @classmethod
    def of_gpu(cls, computers: int) -> Capacity:
        """What suits networks on a GPU that so many share."""
        return cls(computers, GPU_PHOTOS_PER_TASK, computers + 1)


def gpu_computers(workers: int, memory_bytes: float) -> int:
    """How many may share a GPU with so much memory."""
    return max(1, min(workers, MAX_GPU_COMPUTERS, int(memory_bytes // GPU_BYTES_PER_COMPUTER)))


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
