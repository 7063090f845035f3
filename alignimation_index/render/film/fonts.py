"""The font that text is drawn with, and what it can draw."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

from alignimation_index.errors import UserError

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Noto Sans: Latin, Greek and Cyrillic with all their accents, Vietnamese, Devanagari.
_PACKAGE, _FILE = "fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"
_WEIGHT = 550


@lru_cache(maxsize=16)
def font_of(path: str | None, size_px: int) -> Font:
    """A font of a size: from a file, else Noto Sans, else what Pillow brings.

    Raises:
        UserError: the file is no font.
    """
    if path is not None:
        try:
            return ImageFont.truetype(path, size_px)
        except OSError as error:
            raise UserError(f"{path}: no font that can be read ({error}). Name a .ttf, .otf or .ttc file.") from error
    shipped = _shipped()
    if shipped is None:
        return ImageFont.load_default(size_px)
    font = ImageFont.truetype(shipped, size_px)
    axes = [_WEIGHT if axis["name"] == b"Weight" else axis["default"] or 0 for axis in font.get_variation_axes()]
    font.set_variation_by_axes([float(value) for value in axes])
    return font


def drawable(text: str, font: Font) -> str:
    """The text without what the font has no sign for: an accented letter loses its accent, if that helps."""
    return "".join([_nearest(letter, font) for letter in unicodedata.normalize("NFC", text)])


def _nearest(letter: str, font: Font) -> str:
    if letter.isascii() or not _is_missing(letter, font):
        return letter
    plain = "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))
    return plain if plain and plain != letter and not any(_is_missing(part, font) for part in plain) else letter


@lru_cache(maxsize=4096)
def _is_missing(letter: str, font: Font) -> bool:
    """Whether a letter is drawn as the box that stands for letters that are not there."""
    return bytes(font.getmask(letter)) == bytes(font.getmask("\uffff"))


def _shipped() -> str | None:
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / _FILE
    return str(path) if path.is_file() else None
