"""What a scan saw of a root."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from alignimation_index.store.known import KnownRoot


@dataclass(frozen=True, slots=True)
class Scanned:
    """A root as a scan saw it.

    Attributes:
        root: the root.
        folders: those in which anything was found.
        vanished: path → id of the known photos and videos that were not found.
        vanished_sidecars: the same of sidecars.
    """

    root: KnownRoot
    folders: Collection[str]
    vanished: dict[str, int]
    vanished_sidecars: dict[str, int]

    def with_part(self, other: Scanned) -> Scanned:
        """The same root as two scans of parts of it saw it."""
        return Scanned(
            self.root,
            {*self.folders, *other.folders},
            {**self.vanished, **other.vanished},
            {**self.vanished_sidecars, **other.vanished_sidecars},
        )


def changed_inodes(scanned: list[Scanned], inodes: Mapping[int, int]) -> dict[int, int]:
    """The inodes of roots in which photos were found, where they are not known."""
    now = {one.root.id: inode_of(one.root.path) for one in scanned if one.folders}
    return {root_id: inode for root_id, inode in now.items() if inode is not None and inodes.get(root_id) != inode}


def inode_of(path: str) -> int | None:
    """The inode of a folder; None if it is not there."""
    try:
        return Path(path).stat().st_ino
    except OSError:
        return None
