"""Handing freed memory back to the system.

Photos are large, short-lived and of many sizes. glibc keeps what it is given back for later, in a part of its heap for
each thread, and so comes to hold several times what is in use: an update would grow with the count of photos, and a
process that watches folders for months even more. Other C libraries do not need this.
"""

from __future__ import annotations

import ctypes
import functools
import sys

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE_BYTES = 1 << 20


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """The C library, told once to take large blocks from the system and give them back; None for another one."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim"):
        return None
    library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    return library


def release_memory() -> None:
    """Give freed memory back; takes milliseconds."""
    if library := _glibc():
        library.malloc_trim(0)
