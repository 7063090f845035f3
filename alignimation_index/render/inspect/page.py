"""A page of pictures with titles and captions, and text that is wrapped."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from alignimation_index.datatypes import Pixels

Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"
Colour = tuple[int, int, int]

WIDTH_PX, MARGIN_PX, GAP_PX = 1360, 40, 24
COLUMNS = 4
TITLE_PX, HEADING_PX, TEXT_PX = 36, 23, 18
LEADING = 1.42
PAPER, INK, FAINT, DARK = (252, 252, 250), (38, 42, 50), (112, 118, 128), (18, 20, 26)
# An orange and a blue that colour-blind people can tell apart, and that make white where they lie over each other.
PHOTO, TEMPLATE = (240, 130, 20), (15, 125, 235)


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture with what it shows above and below.

    Attributes:
        title: one line.
        picture: (H, W, 3) uint8 RGB, fitted into the panel.
        caption: wrapped.
        columns: of COLUMNS, how many it is wide; it is as high as one is wide.
    """

    title: str
    picture: Pixels
    caption: str = ""
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Words:
    """Paragraphs with headings, beside pictures.

    Attributes:
        paragraphs: (heading, text).
        columns: as for Panel.
    """

    paragraphs: Sequence[tuple[str, str]]
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """What stands side by side: as high as `height` columns are wide, captions not counted."""

    cells: Sequence[Panel | Words]
    height: float = 1.0


def draw_page(title: str, subtitle: str, rows: Sequence[Row]) -> Pixels:
    """Lay rows out below a title: (H, WIDTH_PX, 3) uint8 RGB."""
    drawn = [_title(title, subtitle), *(_row(row) for row in rows)]
    height = 2 * MARGIN_PX + sum(part.height for part in drawn) + GAP_PX * (len(drawn) - 1)
    page = Image.new("RGB", (WIDTH_PX, height), PAPER)
    top = MARGIN_PX
    for part in drawn:
        page.paste(part, (MARGIN_PX, top))
        top += part.height + GAP_PX
    return np.asarray(page)


def width_of(columns: int) -> int:
    """Pixels of so many columns, with the gaps between them."""
    one = (WIDTH_PX - 2 * MARGIN_PX - (COLUMNS - 1) * GAP_PX) / COLUMNS
    return round(columns * one + (columns - 1) * GAP_PX)


def drawable(text: str) -> str:
    """Text in the letters that Pillow's built-in font has: accents are left out, and what is unknown is a `?`."""
    plain = unicodedata.normalize("NFD", text.replace("ß", "ss"))
    kept = (letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() or letter in "°…" else "?" for letter in kept)


@cache
def font_of(size_px: int) -> Font:
    """Pillow's built-in font."""
    return ImageFont.load_default(size=size_px)


def wrapped(text: str, width_px: int, font: Font) -> list[str]:
    """Lines of at most so many pixels, broken between words, or within one that is longer than a line."""
    lines = [""]
    for word in drawable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width_px:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if font.getlength(lines[-1] + letter) > width_px:
                lines.append("")
            lines[-1] += letter
    return lines


def _title(title: str, subtitle: str) -> Image.Image:
    return _stacked([(title, TITLE_PX, INK), (subtitle, TEXT_PX, FAINT)], width_of(COLUMNS))


def _row(row: Row) -> Image.Image:
    height_px = round(row.height * width_of(1))
    cells = [_panel(cell, height_px) if isinstance(cell, Panel) else _words(cell) for cell in row.cells]
    strip = Image.new("RGB", (width_of(COLUMNS), max(cell.height for cell in cells)), PAPER)
    left = 0
    for cell in cells:
        strip.paste(cell, (left, 0))
        left += cell.width + GAP_PX
    return strip


def _panel(panel: Panel, height_px: int) -> Image.Image:
    width = width_of(panel.columns)
    heading = _stacked([(panel.title, HEADING_PX, INK)], width)
    caption = _stacked([(panel.caption, TEXT_PX, FAINT)], width)
    picture = ImageOps.contain(Image.fromarray(panel.picture), (width, height_px), Image.Resampling.LANCZOS)
    cell = Image.new("RGB", (width, heading.height + height_px + 10 + caption.height), PAPER)
    cell.paste(heading, (0, 0))
    cell.paste(picture, (0, heading.height))
    cell.paste(caption, (0, heading.height + height_px + 10))
    return cell


def _words(words: Words) -> Image.Image:
    parts: list[tuple[str, int, Colour]] = []
    for heading, text in words.paragraphs:
        parts += [(heading, HEADING_PX, INK), (text, TEXT_PX, FAINT), ("", TEXT_PX // 2, INK)]
    return _stacked(parts, width_of(words.columns))


def _stacked(parts: Sequence[tuple[str, int, Colour]], width_px: int) -> Image.Image:
    """Texts below each other, each wrapped: (text, size in pixels, colour)."""
    lines = [(line, size, colour) for text, size, colour in parts for line in wrapped(text, width_px, font_of(size))]
    height = round(sum(LEADING * size for _, size, _ in lines))
    block = Image.new("RGB", (width_px, height), PAPER)
    draw, top = ImageDraw.Draw(block), 0.0
    for line, size, colour in lines:
        draw.text((0, top), line, colour, font_of(size))
        top += LEADING * size
    return block
