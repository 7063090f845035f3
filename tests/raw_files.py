"""A RAW file such as cameras write: the smallest DNG that can be read."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED_RATIONAL = 1, 2, 3, 4, 5, 10
_CODES = {_BYTE: "B", _ASCII: "s", _SHORT: "H", _LONG: "I"}


def make_dng(
    preview: Image.Image | None,
    taken_at: str = "2010:05:01 10:00:00",
    orientation: int = 1,
    size: tuple[int, int] = (64, 48),
    preview_exif: Image.Exif | None = None,
) -> bytes:
    """A DNG of grey sensor pixels, (width, height) of them, with an embedded JPEG preview or none."""
    jpeg = _jpeg(preview, preview_exif) if preview else b""
    width, height = size
    sensor = np.full((height, width), 20_000, "<u2").tobytes()
    exif = [(0x9003, _ASCII, taken_at.encode() + b"\0")]
    main = [
        (254, _LONG, [0]),
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [16]),
        (259, _SHORT, [1]),
        (262, _SHORT, [32803]),  # colour filter array
        (271, _ASCII, b"Acme\0"),
        (272, _ASCII, b"Acme R1\0"),
        (273, _LONG, ["sensor"]),
        (274, _SHORT, [orientation]),
        (277, _SHORT, [1]),
        (278, _LONG, [height]),
        (279, _LONG, [len(sensor)]),
        (330, _LONG, ["preview"]),
        (33421, _SHORT, [2, 2]),
        (33422, _BYTE, [0, 1, 1, 2]),
        (34665, _LONG, ["exif"]),
        (50706, _BYTE, [1, 4, 0, 0]),
        (50708, _ASCII, b"Acme R1\0"),
        (50721, _SIGNED_RATIONAL, [(int(i % 4 == 0), 1) for i in range(9)]),
        (50728, _RATIONAL, [(1, 1)] * 3),
        (50778, _SHORT, [21]),
    ]
    small = [
        (254, _LONG, [1]),
        (256, _LONG, [preview.width if preview else 0]),
        (257, _LONG, [preview.height if preview else 0]),
        (258, _SHORT, [8, 8, 8]),
        (259, _SHORT, [7]),
        (262, _SHORT, [6]),
        (273, _LONG, ["jpeg"]),
        (277, _SHORT, [3]),
        (278, _LONG, [preview.height if preview else 0]),
        (279, _LONG, [len(jpeg)]),
    ]
    tables = {"main": main if preview else [tag for tag in main if tag[0] != 330], "preview": small, "exif": exif}
    return _tiff(tables if preview else {"main": tables["main"], "exif": exif}, {"sensor": sensor, "jpeg": jpeg})


def _jpeg(image: Image.Image, exif: Image.Exif | None) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, **({"exif": exif} if exif else {}))
    return out.getvalue()


def _tiff(tables: dict[str, list], blocks: dict[str, bytes]) -> bytes:
    """Tables of (tag, type, values) one after the other, then blocks; a value that is a name stands for its place."""
    places: dict[str, int] = {}
    for _ in range(2):  # the first time round, the places are not known yet
        data = bytearray(b"II*\0" + struct.pack("<I", 8))
        for name, tags in tables.items():
            places[name] = len(data)
            data += _directory(tags, places, len(data))
        for name, block in blocks.items():
            places[name] = len(data)
            data += block
    return bytes(data)


def _directory(tags: list, places: dict[str, int], start: int) -> bytes:
    entries, behind = b"", b""
    end = start + 2 + 12 * len(tags) + 4
    for tag, kind, values in tags:
        packed = _packed(kind, values, places)
        count = len(values)
        if len(packed) > 4:
            entries += struct.pack("<HHII", tag, kind, count, end + len(behind))
            behind += packed + b"\0" * (len(packed) % 2)
        else:
            entries += struct.pack("<HHI", tag, kind, count) + packed.ljust(4, b"\0")
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0) + behind


def _packed(kind: int, values: list | bytes, places: dict[str, int]) -> bytes:
    if isinstance(values, bytes):
        return values
    if kind in (_RATIONAL, _SIGNED_RATIONAL):
        return b"".join(struct.pack("<ii", *pair) for pair in values)
    numbers = [places.get(value, 0) if isinstance(value, str) else value for value in values]
    return struct.pack(f"<{len(numbers)}{_CODES[kind]}", *numbers)
