"""Which paths lie in which, and where they are when that moves; by their text alone."""

from __future__ import annotations

import os


def prefixes(top: str) -> tuple[str, ...]:
    """What paths in a folder begin with; of a zip archive, those of its members (see `library.archive`) as well."""
    folder = top.rstrip(os.sep) + os.sep
    return (folder, f"{top}!/") if top.lower().endswith(".zip") else (folder,)


def is_below(path: str, top: str) -> bool:
    """Whether a path is `top`, or lies in that folder or archive."""
    return path == top or path.startswith(prefixes(top))


def relocated(path: str, old: str, new: str) -> str:
    """The path of what lies below `old`, once that is `new`."""
    return new if path == old else new.rstrip(os.sep) + path[len(old.rstrip(os.sep)) :]
