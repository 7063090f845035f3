"""Walk a root: which photos, videos and sidecars its folders and archives hold; and read one of them."""

# A walk on Path objects takes several times as long as one on str.
# ruff: noqa: PTH100, PTH112, PTH116, PTH119, PTH120, PTH123

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from alignimation_index.errors import FileChanged, UserError, in_words
from alignimation_index.found_files import FoundFile, Listed
from alignimation_index.library.archive import ArchiveError, list_members, read_member, split_member
from alignimation_index.library.names import is_archive, is_skipped, kind_of

OnError = Callable[[str, str], None]
"""Called with (path, reason) for what could not be read; the walk goes on."""

_NAME = attrgetter("name")


def walk(root: Path, on_error: OnError) -> Iterator[Sequence[Listed]]:
    """Find the photos, videos and sidecars below `root` by their names, in an order that depends on the names alone.

    A folder's own files come first, by name, then its folders. Hidden names and SYSTEM_FOLDERS are skipped.
    Every zip archive is walked as well, its members taking its place; archives inside archives are not.
    Links are followed after everything else, so that a file keeps its real path where it has one below `root`;
    no folder is listed twice, and no link leads to a file in a folder that was listed.

    Args:
        root: a folder, a zip archive, or a single file.
        on_error: called for folders and archives that cannot be listed and for entries that cannot be read.

    Returns:
        Some files at a time, never none: of one folder, or of one archive.

    Raises:
        UserError: there is no such file or folder, or it is an archive that cannot be read.
    """
    path = os.path.abspath(root)
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return filter(None, _Walk(on_error).below(path))
        return filter(None, [_found(path, status, on_error)])
    except ArchiveError as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {in_words(error)}; check the path, or connect its drive") from error


class LinkFoundError(Exception):
    """A part of a root holds a link: where that leads is known only once the whole root has been walked."""


def walk_part(folder: str, on_error: OnError, *, deep: bool) -> Iterator[Sequence[Listed]]:
    """Find what `walk` finds in one folder of a root, with those below it if `deep`; nothing if it is gone.

    Raises:
        LinkFoundError: after the last file, if there was a link.
    """
    part = _Walk(on_error, deep)
    if os.path.isdir(folder):
        yield from filter(None, part._tree(folder))
    if part.links:
        raise LinkFoundError(part.links[0])


@dataclass(slots=True)
class _Walk:
    """One walk: the folders and link targets seen so far, by (device, inode), and the links still to follow."""

    on_error: OnError
    deep: bool = True
    seen: set[tuple[int, int]] = field(default_factory=set)
    links: deque[str] = field(default_factory=deque)

    def below(self, root: str) -> Iterator[Sequence[Listed]]:
        yield from self._tree(root)
        links_to_files = []
        while self.links:
            link = self.links.popleft()
            if os.path.isdir(link):
                yield from self._tree(link)
            else:
                links_to_files.append(link)
        for link in links_to_files:
            yield self._linked_file(link)

    def _tree(self, top: str) -> Iterator[Sequence[Listed]]:
        pending = [top]
        while pending:
            folders: list[str] = []
            yield from self._files(self._entries(pending.pop()), folders)
            pending += reversed(folders) if self.deep else []

    def _files(self, entries: Iterable[os.DirEntry[str]], folders: list[str]) -> Iterator[Sequence[Listed]]:
        """The files among entries; links are noted, and folders put into the list."""
        files: list[Listed] = []
        for entry in entries:
            name = entry.name
            if entry.is_file(follow_symlinks=False):
                # No file of a kind has the name of one of the SYSTEM_FOLDERS, and asking a hundred thousand takes time.
                if (kind := kind_of(name)) and (name[0] != "." or not is_skipped(name)):
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError as error:
                        self.on_error(entry.path, in_words(error))
                        continue
                    files.append((entry.path, status.st_size, status.st_mtime_ns, status.st_ino, kind))
                elif is_archive(name) and not is_skipped(name):
                    yield files
                    files = []
                    yield self._members(entry.path)
            elif not is_skipped(name):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_symlink():
                    self.links.append(entry.path)
        yield files

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """List a folder by name; nothing if it was listed before or cannot be."""
        if split_member(f"{folder}/entry"):
            self.on_error(folder, "its name looks like that of an archive; rename the folder")
            return []
        try:
            if not self._is_new(os.stat(folder)):
                return []
            with os.scandir(folder) as entries:
                return sorted(entries, key=_NAME)
        except OSError as error:
            self.on_error(folder, in_words(error))
            return []

    def _members(self, archive: str) -> Sequence[Listed]:
        try:
            return list_members(archive, self.on_error)
        except OSError as error:
            self.on_error(archive, in_words(error))
            return ()

    def _linked_file(self, link: str) -> Sequence[Listed]:
        try:
            status = os.stat(link)
            name = os.path.basename(link)
            if _is_wanted(name) and not self._is_listed(os.path.realpath(link)) and self._is_new(status):
                return _found(link, status, self.on_error)
        except OSError as error:
            self.on_error(link, in_words(error))
        return ()

    def _is_listed(self, path: str) -> bool:
        """Whether a file was found under this path, its real one."""
        name = os.path.basename(path)
        folder = os.stat(os.path.dirname(path))
        return (folder.st_dev, folder.st_ino) in self.seen and _is_wanted(name) and not is_skipped(name)

    def _is_new(self, status: os.stat_result) -> bool:
        identity = (status.st_dev, status.st_ino)
        if identity in self.seen:
            return False
        self.seen.add(identity)
        return True


def _is_wanted(name: str) -> bool:
    return kind_of(name) is not None or is_archive(name)


def _found(path: str, status: os.stat_result, on_error: OnError) -> Sequence[Listed]:
    """A file, or an archive's members; nothing for a pipe or device, whose reader might wait."""
    if not stat.S_ISREG(status.st_mode):
        return ()
    kind = kind_of(os.path.basename(path))
    if kind is not None:
        return [(path, status.st_size, status.st_mtime_ns, status.st_ino, kind)]
    return list_members(path, on_error) if is_archive(path) else ()


def content_hash(data: bytes) -> str:
    """What identifies a photo: the SHA-256 of its file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def read_file(path: str) -> bytes:
    """Read a file or a member of an archive, as it is now.

    Raises:
        OSError: it cannot be read, see `archive.read_member`.
    """
    member = split_member(path)
    return read_member(*member) if member else Path(path).read_bytes()


def read_unchanged(found: FoundFile) -> bytes:
    """Read a file, or a member of an archive, that was found before; make sure that it is still the same and complete.

    Raises:
        FileChanged: it differs from `found`, or changed while it was read.
        OSError: it cannot be read, see `archive.read_member`.
    """
    member = split_member(found.path)
    if member:
        return read_member(*member, found)
    with open(found.path, "rb") as file:
        _check_unchanged(found, os.fstat(file.fileno()), "since it was found")
        data = file.read()
        _check_unchanged(found, os.fstat(file.fileno()), "while it was read")
    if len(data) != found.size:
        raise FileChanged(f"{len(data)} of {found.size} bytes could be read")
    return data


def _check_unchanged(found: FoundFile, status: os.stat_result, when: str) -> None:
    if status.st_size != found.size:
        raise FileChanged(f"the file changed {when}: {found.size} bytes before, {status.st_size} now")
    if status.st_mtime_ns != found.mtime_ns:
        raise FileChanged(f"the file changed {when}: its modification time moved")
