"""Which names are looked at where photos are listed: in folders and in archives."""

from __future__ import annotations

from alignimation_index.library.formats import extension, is_picture

SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "__macosx"}
)
"""Folders of thumbnails and deleted files, in lower case; names with a leading dot are skipped anyway."""


def is_skipped(name: str) -> bool:
    """Whether a file or folder of this name is passed over, with all that it holds."""
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def is_wanted(name: str) -> bool:
    """Whether a file of this name is listed."""
    return is_picture(name)


def is_archive(name: str) -> bool:
    """Whether a file of this name is a zip archive, whose members are listed."""
    return extension(name) == "zip"
