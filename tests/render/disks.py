"""A disk that has no room left."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond a few kB inside the block, for this process and those it starts."""
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, earlier[1]))
    try:
        yield
    finally:
        # Before anything else is written: pytest's own report may go to a file.
        resource.setrlimit(resource.RLIMIT_FSIZE, earlier)
