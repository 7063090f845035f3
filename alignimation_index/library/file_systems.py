"""Which file systems tell of changes: of what others change on a shared one, the kernel knows nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

_REMOTE = frozenset(
    "9p afs beegfs ceph cifs coda davfs glusterfs lustre nfs nfs4 prl_fs smb3 smbfs vboxsf virtiofs vmhgfs".split(),  # noqa: SIM905
)


def remote_file_system(path: str, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The type of the file system that holds `path` if others may change it unseen; None if it is local.

    Args:
        path: a file or folder.
        mounts: Linux's list of mounts, see proc_pid_mountinfo(5); where there is none, everything counts as local.
    """
    try:
        lines = os.fsdecode(mounts.read_bytes()).splitlines()
    except OSError:
        return None
    real = os.path.realpath(path)
    kind, depth = "", 0
    for point, point_kind in map(_mount, lines):
        # The longest mount point holds the path; of several mounts on one point, the last.
        if _holds(point, real) and len(point) >= depth:
            kind, depth = point_kind, len(point)
    return kind if kind in _REMOTE or kind.startswith("fuse.") else None


def _mount(line: str) -> tuple[str, str]:
    """Mount point and type of the file system."""
    before, _, after = line.partition(" - ")
    point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split(" ")[4])
    return point, after.split(" ")[0]


def _holds(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
