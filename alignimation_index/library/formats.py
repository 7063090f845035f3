"""Which files are pictures, by name and by content, and which of them can be read."""

from __future__ import annotations

from importlib.util import find_spec

from alignimation_index.found_files import FileKind

PHOTO_EXTENSIONS = frozenset(
    "jpg jpeg jpe jfif mpo png webp tif tiff bmp gif heic heif hif avif".split(),  # noqa: SIM905
)
"""Lower-case extensions of the pictures that `decode` reads."""

CAMERA_RAW = frozenset(
    "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f".split(),  # noqa: SIM905
)
"""Lower-case extensions of what cameras store before it becomes a picture; `decode` reads them with the extra `raw`."""
_DRAWINGS = frozenset("ai eps psb psd svg svgz xcf".split())  # noqa: SIM905
_RARE = frozenset(
    "cur dds dib exr flc fli hdr icns ico j2k jp2 jpf jpx jxl jxr pbm pcx pgm pnm ppm sgi tga wbmp wdp xbm xpm".split(),  # noqa: SIM905
)
OTHER_PICTURES = _DRAWINGS | _RARE
"""Lower-case extensions of pictures that are known, reported and not read."""

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")

_SIGNATURES: tuple[tuple[int, tuple[bytes, ...], str], ...] = (
    (0, (b"\xff\xd8\xff",), "JPEG"),
    (0, (b"\x89PNG\r\n\x1a\n",), "PNG"),
    (0, (b"GIF87a", b"GIF89a"), "GIF"),
    (0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF"),
    (8, (b"WEBP",), "WEBP"),
    (4, tuple(b"ftyp" + brand for brand in _HEIF_BRANDS), "HEIF"),
    (4, (b"ftypavif", b"ftypavis"), "AVIF"),
    (4, (b"ftypcrx ",), "CR3"),
    (4, (b"ftyp",), "a video"),
    (0, (b"icns",), "ICNS"),
    (0, (b"\0\0\1\0",), "ICO"),
    (0, (b"8BPS",), "PSD"),
    (0, (b"FUJIFILMCCD-RAW",), "RAF"),
    (0, (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), "JPEG 2000"),
    (0, (b"\0\0\0\x0cJXL ", b"\xff\x0a"), "JPEG XL"),
    (4, (b"\x11\xaf", b"\x12\xaf"), "FLI"),
    (0, (b"%PDF",), "PDF"),
    (0, (b"%!PS",), "PostScript"),
    (0, (b"<svg",), "SVG"),
    (0, (b"<html", b"<HTML", b"<!doctype html", b"<!DOCTYPE html", b"<!DOCTYPE HTML"), "HTML"),
    (0, (b"PK\x03\x04",), "a zip archive"),
    (0, (b"BM",), "BMP"),  # two letters: asked last
)
"""(offset, possible bytes there, name of the format), the most telling first."""


RAW_COMMAND = 'pip install "alignindex[raw]"'
"""What adds the extra that reads RAW files."""


def reads_raw() -> bool:
    """Whether the extra that reads RAW files is installed."""
    return find_spec("rawpy") is not None


def readable_kinds() -> tuple[FileKind, ...]:
    """The kinds of files that hold photos which can be decoded here."""
    return ("photo", "raw") if reads_raw() else ("photo",)


def extension(name: str) -> str:
    """The lower-case extension of a file name, without its dot; empty if it has none."""
    stem, _, suffix = name.rpartition(".")
    return suffix.lower() if stem else ""


def unsupported_reason(path: str) -> str:
    """Why a picture of OTHER_PICTURES is not read, in words for the list of errors."""
    return f"{extension(path).upper()} pictures are not supported"


def format_by_content(data: bytes) -> str | None:
    """Name the format that the first bytes of a file announce, or None if they say nothing."""
    return next((name for offset, magics, name in _SIGNATURES if data.startswith(magics, offset)), None)
