"""Importing this readies the server that children are forked from; it does so last.

All objects that there are are left to the garbage collector for good: a collection in a child would write into each of
them, and so make a copy of the memory that it shares.

What was read of libraries while they were loaded is let go, with torch some 300 MB that the server never looks at again
and would hold for as long as it waits. Whatever a child needs of them it reads from the system's cache.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ (?!0 )\d+ ")
"""Start, end, permissions, offset, device, inode: see proc_pid_smaps(5). What is private and not written has a file."""


def unwritten_mappings(smaps: str) -> Iterator[tuple[int, int]]:
    """(start, end) of what is mapped from files, cannot be written, and was not either before it was protected."""
    found: tuple[int, int] | None = None
    for line in smaps.splitlines():
        name, _, value = line.partition(":")
        if name == "Anonymous" and found and value.split()[0] == "0":
            yield found
        elif "-" in name.split(" ")[0]:
            match = _MAPPING.match(line)
            found = (int(match[1], 16), int(match[2], 16)) if match else None


def let_go_of_libraries() -> None:
    """Unmap the pages that hold what their files do; they come back where they are looked at, see madvise(2)."""
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in unwritten_mappings(Path("/proc/self/smaps").read_text()):
        madvise(start, end - start, mmap.MADV_DONTNEED)


gc.collect()
gc.freeze()
let_go_of_libraries()
