"""What listing a folder or an archive tells of a file; apart from the other values, so that it needs no NumPy."""

from __future__ import annotations

from typing import Literal, NamedTuple

FileKind = Literal["photo", "raw", "picture", "video", "sidecar"]
"""What a file's name promises; "picture" stands for known formats that cannot be read, "raw" needs an extra."""


class FoundFile(NamedTuple):
    """A file as its folder lists it, or a member as its zip archive lists it.

    A member has the size, time and CRC-32 that its archive says, whatever those of the archive are: copied, touched or
    downloaded again, it holds the same members.

    Attributes:
        path: absolute; bytes that are no text in the file system's encoding are kept as surrogate escapes. A member's
            is `archive.zip!/name`, see `library.archive`.
        size: bytes; of a member, unpacked.
        mtime_ns: time of the last change, nanoseconds since 1970 UTC; a member's is its archive's clock taken for UTC.
        inode: with the device, the file's identity across a rename; of a member, the CRC-32 of its bytes.
        kind: what its name promises.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    kind: FileKind = "photo"


Listed = tuple[str, int, int, int, FileKind]
"""The values of a `FoundFile`, which itself takes several times as long to make: most files are as they were."""
