"""Which names are looked at where files are listed, in folders and in archives; and what each promises to be."""

from __future__ import annotations

from alignimation_index.found_files import FileKind
from alignimation_index.library.formats import CAMERA_RAW, OTHER_PICTURES, PHOTO_EXTENSIONS, extension

SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "__macosx"}
)
"""Folders of thumbnails and deleted files, in lower case; names with a leading dot are skipped anyway."""

VIDEO_EXTENSIONS = frozenset(
    "3g2 3gp avi flv m2t m2ts m4v mkv mov mp mp4 mpe mpeg mpg mts mv ogv vob webm wmv".split()  # noqa: SIM905
)
"""In lower case; `mp` and `mv` are the video part of a motion photo."""

PICASA_NAMES = frozenset({".picasa.ini", "picasa.ini"})
"""In lower case; the first is listed although it is hidden."""

_KINDS: dict[str, FileKind] = {
    **dict.fromkeys(PHOTO_EXTENSIONS, "photo"),
    **dict.fromkeys(OTHER_PICTURES, "picture"),
    **dict.fromkeys(CAMERA_RAW, "raw"),
    **dict.fromkeys(VIDEO_EXTENSIONS, "video"),
    **dict.fromkeys(("json", "xmp"), "sidecar"),
}


def is_skipped(name: str) -> bool:
    """Whether a file or folder of this name is passed over, with all that it holds."""
    lower = name.lower()
    return lower in SYSTEM_FOLDERS or (lower[:1] == "." and lower not in PICASA_NAMES)


def kind_of(name: str) -> FileKind | None:
    """What a file of this name is listed as; None if it is not listed."""
    stem, _, suffix = name.rpartition(".")
    kind = _KINDS.get(suffix) or _KINDS.get(suffix.lower())
    if kind and stem:
        return kind
    if name.lower() in PICASA_NAMES:
        return "sidecar"
    if "." not in name and name.startswith("MVIMG_"):
        return "video"  # the video part of an early motion photo has no extension
    return None


def is_archive(name: str) -> bool:
    """Whether a file of this name is a zip archive, whose members are listed."""
    return extension(name) == "zip"
