"""The file `.picasa.ini` that Picasa keeps in each folder: which face is whose."""

from __future__ import annotations

import re
from collections.abc import Mapping

from alignimation_index.library.sidecars.regions import Box, FaceRegion, face_region

_SECTION = re.compile(r"\[(.+)\]")
_FACE = re.compile(r"rect64\(([0-9a-f]{1,16})\),([0-9a-f]+)", re.IGNORECASE)

_CONTACTS = "Contacts2"


def read_picasa_ini(data: bytes) -> dict[str, tuple[FaceRegion, ...]]:
    """Read the named faces of a folder's pictures from its `.picasa.ini`.

    Args:
        data: the whole file, in UTF-8. Bytes that make no sense are passed over.

    Returns:
        By file name, as the file spells it: its regions, on the upright photo. Faces without a name are left out, and
        so are pictures without faces.
    """
    sections = _sections(data.decode("utf-8-sig", "replace"))
    names = {id_.lower(): entry.split(";")[0] for id_, entry in sections.get(_CONTACTS, {}).items()}
    faces = {file: _regions(keys.get("faces", ""), names) for file, keys in sections.items()}
    return {file: regions for file, regions in faces.items() if regions}


def _sections(text: str) -> dict[str, dict[str, str]]:
    """By section, its keys; configparser would stop at lines that Picasa writes."""
    sections: dict[str, dict[str, str]] = {}
    keys: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if section := _SECTION.fullmatch(line):
            keys = sections.setdefault(section[1], {})
        elif "=" in line:
            key, value = line.split("=", 1)
            keys[key] = value
    return sections


def _regions(faces: str, names: Mapping[str, str]) -> tuple[FaceRegion, ...]:
    regions = (face_region(names.get(id_.lower(), ""), _box(rect64)) for rect64, id_ in _FACE.findall(faces))
    return tuple(filter(None, regions))


def _box(rect64: str) -> Box:
    """Left, top, right and bottom, 16 bits each; leading zeros are not written."""
    number = int(rect64, 16)
    x1, y1, x2, y2 = ((number >> shift & 0xFFFF) / 0xFFFF for shift in (48, 32, 16, 0))
    return x1, y1, x2, y2
