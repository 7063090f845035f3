"""Photos inside zip archives, read in place: nothing is unpacked, and nothing stays open.

A member's path is its archive's, `!/`, and its name in the archive: `/photos/takeout.zip!/Takeout/a.jpg`.

`zipfile` parses an archive's directory. Members are read here, each through a file opened for it: a `ZipFile` is not
made to be shared by threads, and parsing a large directory for every member would take longer than reading it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from alignimation_index.errors import FileChanged
from alignimation_index.found_files import FoundFile
from alignimation_index.library.names import is_skipped, kind_of

MAX_DIRECTORY_BYTES = 64 << 20
"""Enough for 400,000 members with names of the usual length."""
MAX_MEMBER_BYTES = 512 << 20
MAX_RATIO = 200
"""A member that unpacks to more times its packed size is refused beyond MIN_BOMB_BYTES: no photo shrinks so far."""
MIN_BOMB_BYTES = 10 << 20
MEMBERS_REMEMBERED = 200_000
"""How many members of the archives read last stay in memory, some 700 bytes each."""

_MEMBER_PATH = re.compile(r"(.+?\.zip)!/(.+)", re.IGNORECASE | re.DOTALL)
_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Signature, and the lengths of the name and of the extra field that come before a member's data."""
_ENCRYPTED = 0x1

_INCOMPLETE = "not a complete zip archive; download it again"
_DAMAGED = "it is damaged; download the archive again"

_Version = tuple[int, int, int, int]
_Members = Mapping[str, ZipInfo]
_remembered: dict[_Version, _Members] = {}
_lock = Lock()


class ArchiveError(OSError):
    """An archive or a member that is damaged or not safe to read; the message is the reason, without the path."""


def split_member(path: str) -> tuple[str, str] | None:
    """Split a member's path into (archive, name); None if it is the path of a file.

    The text alone decides: the archive ends where the first `.zip!/` does, in any letter case. Folders of such names
    are not walked, so that no file's path is taken for a member's.
    """
    match = _MEMBER_PATH.fullmatch(path)
    return (match[1], match[2]) if match else None


def member_path(archive: str, name: str) -> str:
    """The path of a member; with an empty name, what the paths of all members begin with."""
    return f"{archive}!/{name}"


def list_members(archive: str, on_error: Callable[[str, str], None]) -> list[FoundFile]:
    """List the wanted files in an archive by name; of several members of one name the last, which unpacking would keep.

    Only the archive's directory is read. Skipped are names that are skipped in folders as well, and links.

    Args:
        archive: absolute path.
        on_error: called with (path, reason) for members whose names lead out of the archive.

    Raises:
        ArchiveError: it is no zip archive, is damaged, or is not safe to read.
        OSError: it cannot be read.
    """
    with Path(archive).open("rb") as file:
        members = _members(file)
    found = []
    for name, member in sorted(members.items()):
        path, kind = member_path(archive, name), kind_of(_parts(name)[-1])
        if _leads_out(name):
            on_error(path, "its name leads out of the archive; pack it again under another name")
        elif kind is not None:
            found.append(FoundFile(path, member.file_size, _mtime_ns(member), member.CRC, kind))
    return found


def read_member(archive: str, name: str, found: FoundFile | None = None) -> bytes:
    """Read a member that `list_members` lists, in any thread, and check it against its CRC-32.

    Args:
        archive: absolute path.
        name: the member's name in the archive.
        found: what the member has to be still, if anything.

    Raises:
        FileChanged: the member's size or CRC-32 differ from those of `found`.
        ArchiveError: the archive or the member is damaged, encrypted, packed in an unknown way, or too large.
        OSError: the archive cannot be read, or holds no such member.
    """
    with Path(archive).open("rb") as file:
        member = _members(file).get(name)
        if member is None:
            raise FileNotFoundError(errno.ENOENT, "the archive holds no such photo", member_path(archive, name))
        if found and (member.file_size, member.CRC) != (found.size, found.inode):
            raise FileChanged("the archive holds another photo of this name than when it was found")
        _check_readable(member)
        return _data(file, member)


def _members(file: BinaryIO) -> _Members:
    """The wanted members of an archive by name; parsed once, unless the archive changes or many others are read."""
    status = os.fstat(file.fileno())
    version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    with _lock:  # held while parsing too: whoever else wants this archive would only parse it again
        members = _remembered.pop(version, None)
        if members is None:
            members = _parse(file, status.st_size)
        _remembered[version] = members
        while len(_remembered) > 1 and sum(map(len, _remembered.values())) > MEMBERS_REMEMBERED:
            del _remembered[next(iter(_remembered))]
    return members


def _parse(file: BinaryIO, archive_size: int) -> _Members:
    try:
        with ZipFile(_DirectoryFile(file)) as archive:
            infos = archive.infolist()
    except (BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        raise ArchiveError(_INCOMPLETE) from error
    members = {info.filename: info for info in infos if _is_wanted(info)}
    _check_apart(members.values(), archive_size)
    return members


class _DirectoryFile:
    """A file as `ZipFile` needs it, which reads a directory at once, however large that claims to be."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self._read = file.seek, file.tell, file.read

    def read(self, size: int = -1, /) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise ArchiveError("it has too many members; split it into several archives")
        return self._read(size)


def _is_wanted(member: ZipInfo) -> bool:
    parts = _parts(member.filename)
    is_file = stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)
    return is_file and kind_of(parts[-1]) is not None and not any(map(is_skipped, {*parts} - {".", ".."}))


def _leads_out(name: str) -> bool:
    first, *others = _parts(name)
    return first == "" or first.endswith(":") or ".." in (first, *others)


def _parts(name: str) -> list[str]:
    """Folders and file name; some programs for Windows write backslashes."""
    return name.replace("\\", "/").split("/")


def _check_apart(members: Iterable[ZipInfo], archive_size: int) -> None:
    """Refuse members that share bytes, with which a small archive can hold far more than its size."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise ArchiveError("its members overlap, as in a zip bomb; download it again")
        end = member.header_offset + _LOCAL_HEADER.size + member.compress_size
    if end > archive_size:
        raise ArchiveError(_INCOMPLETE)


def _check_readable(member: ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise ArchiveError("it is encrypted; pack it again without a password")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ArchiveError(f"its compression (method {member.compress_type}) is not supported; pack it again as usual")
    if max(member.file_size, member.compress_size) > MAX_MEMBER_BYTES:
        raise ArchiveError(f"it is larger than {MAX_MEMBER_BYTES >> 20} MiB; unpack the archive to read it")
    if member.file_size > max(MIN_BOMB_BYTES, MAX_RATIO * member.compress_size):
        raise ArchiveError(f"it grows to over {MAX_RATIO} times its size, as in a zip bomb; unpack it if you trust it")


def _data(file: BinaryIO, member: ZipInfo) -> bytes:
    try:
        file.seek(member.header_offset)
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        file.seek(name_length + extra_length, os.SEEK_CUR)
        data = file.read(member.compress_size)
        if member.compress_type == ZIP_DEFLATED:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.file_size + 1)
    except (struct.error, zlib.error) as error:
        raise ArchiveError(_DAMAGED) from error
    if signature != b"PK\3\4" or len(data) != member.file_size or zlib.crc32(data) != member.CRC:
        raise ArchiveError(_DAMAGED)
    return data


def _mtime_ns(member: ZipInfo) -> int:
    """The time of a member as if it were UTC, for archives do not say where their clock stood; 0 if it is no time."""
    try:
        return int(datetime(*member.date_time, tzinfo=timezone.utc).timestamp()) * 10**9
    except ValueError:
        return 0
