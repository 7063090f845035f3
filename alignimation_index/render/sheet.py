"""Contact sheets: many small pictures with captions on one page; and saving a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageDraw, ImageOps

from alignimation_index.datatypes import Pixels
from alignimation_index.errors import UserError
from alignimation_index.render.files.replacing import replacing_file
from alignimation_index.render.film.fonts import Font, drawable, font_of

SHEET_ASPECT = 16 / 10
PAPER = (255, 255, 255)
INK = (60, 60, 60)
# Vermilion of Okabe and Ito's palette, which colour-blind people can tell apart too.
MARK = (213, 94, 0)

# What Pillow's save takes beyond its defaults; the keys are the formats there are.
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {},
    ".jpg": {"quality": 92, "subsampling": 0},
    ".jpeg": {"quality": 92, "subsampling": 0},
    ".webp": {"quality": 90},
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        image: (H, W, 3) uint8 RGB of any size.
        caption: one line, shortened where it is too long.
        mark: whether a coloured frame sets it apart.
    """

    image: Pixels
    caption: str
    mark: bool = False


def contact_sheet(tiles: Iterable[Tile], tile_px: int = 160, columns: int | None = None) -> Pixels:
    """Lay pictures out in rows on white, each with its caption below.

    Args:
        tiles: in reading order; only their thumbnails are held in memory.
        tile_px: side of the square that a picture is fitted into, aspect ratio kept.
        columns: pictures per row; None chooses for a sheet of about 16:10.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UserError: no tile.
    """
    font = font_of(None, max(10, tile_px // 13))
    cells = [_draw_cell(tile, tile_px, font) for tile in tiles]
    if not cells:
        raise UserError("There are no pictures for a contact sheet; widen the query")
    gap = max(4, tile_px // 16)
    step_x, step_y = cells[0].width + gap, cells[0].height + gap
    columns = min(len(cells), columns or _sensible_columns(len(cells), step_x, step_y))
    rows = math.ceil(len(cells) / columns)
    sheet = Image.new("RGB", (gap + columns * step_x, gap + rows * step_y), PAPER)
    for index, cell in enumerate(cells):
        sheet.paste(cell, (gap + index % columns * step_x, gap + index // columns * step_y))
    return np.asarray(sheet)


def save_picture(image: Pixels, out: Path, comment: str = "") -> None:
    """Write a picture; `out` appears, or is replaced, only when complete.

    Args:
        image: (H, W, 3) uint8 RGB.
        out: its suffix says the format: .png, .jpg, .jpeg or .webp.
        comment: what it is of, for the description in its EXIF data.

    Raises:
        UserError: another suffix, or the file cannot be written.
    """
    options = SAVE_OPTIONS.get(out.suffix.lower())
    if options is None:
        raise UserError(
            f"{out}: no picture format {out.suffix or 'without suffix'}; use one of {', '.join(SAVE_OPTIONS)}"
        )
    with replacing_file(out.absolute()) as partial:
        try:
            Image.fromarray(image).save(partial, exif=_described(comment), **options)
        except OSError as error:
            raise UserError(f"{out}: cannot be written: {error}; free some space or choose another place") from error


def _described(comment: str) -> Image.Exif:
    exif = Image.Exif()
    if comment:
        exif[ExifTags.Base.ImageDescription] = comment
    return exif


def _sensible_columns(count: int, step_x: int, step_y: int) -> int:
    return max(1, round(math.sqrt(count * SHEET_ASPECT * step_y / step_x)))


def _draw_cell(tile: Tile, tile_px: int, font: Font) -> Image.Image:
    """The picture, its frame and its caption on white; all cells of a sheet have one size."""
    border = max(3, tile_px // 32)
    thumbnail = ImageOps.contain(Image.fromarray(tile.image), (tile_px, tile_px), Image.Resampling.LANCZOS)
    left, top = border + (tile_px - thumbnail.width) // 2, border + (tile_px - thumbnail.height) // 2
    caption_px = math.ceil(1.5 * _line_height(font))
    cell = Image.new("RGB", (tile_px + 2 * border, tile_px + 2 * border + caption_px), PAPER)
    cell.paste(thumbnail, (left, top))
    draw = ImageDraw.Draw(cell)
    if tile.mark:
        outline = (
            left - border,
            top - border,
            left + thumbnail.width + border - 1,
            top + thumbnail.height + border - 1,
        )
        draw.rectangle(outline, outline=MARK, width=border)
    caption = _shorten(tile.caption, cell.width, font)
    draw.text((cell.width // 2, cell.height - caption_px // 2), caption, fill=INK, font=font, anchor="mm")
    return cell


def _line_height(font: Font) -> float:
    _, top, _, bottom = font.getbbox("Ág")
    return bottom - top


def _shorten(text: str, width_px: int, font: Font) -> str:
    """One line of at most `width_px`, ending in … where something was left out."""
    line = " ".join(drawable(text, font).split())
    if font.getlength(line) <= width_px:
        return line
    while line and font.getlength(line + "…") > width_px:
        line = line[:-1]
    return line.rstrip() + "…"
