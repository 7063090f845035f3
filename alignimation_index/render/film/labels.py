"""Text and a time bar on the pictures of a film."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from alignimation_index.datatypes import Float, Pixels
from alignimation_index.render.film.fonts import drawable, font_of

CORNERS = ("bottom-left", "bottom-right", "top-left", "top-right", "bottom", "top")
# Of the shorter side of the picture.
MARGIN, BAR_HEIGHT = 0.035, 0.008
SMALLEST_PX = 8
# White on a soft shade, and a thin dark rim: it can be read on snow as well as at night.
SHADE, RIM = 0.55, 0.85


@dataclass(frozen=True, slots=True)
class Labels:
    """What is written on a film.

    Attributes:
        template: see `label_text`; "" for nothing.
        corner: one of CORNERS.
        size: height of the text, as a part of the picture's shorter side.
        font: a font's file, or None.
        locale: of dates, such as de_DE, or None.
        time_bar: whether a thin bar at the bottom shows how much of the film has passed.
    """

    template: str = ""
    corner: str = CORNERS[0]
    size: float = 0.045
    font: str | None = None
    locale: str | None = None
    time_bar: bool = False


class _Patch(NamedTuple):
    """A small picture of text: where its first pixel lies on the large one, its colour, and how opaque it is."""

    left: int
    top: int
    colour: Float
    opacity: Float


def labelled(pixels: Pixels, text: str, labels: Labels) -> Pixels:
    """A picture with a text in its corner; without one, itself.

    Args:
        pixels: (H, W, 3 or 4) uint8; it is not written to.
        text: one line; it shrinks where it is too wide.
        labels: where, how large, in which font.
    """
    if not text:
        return pixels
    height, width = pixels.shape[:2]
    return _laid_over(pixels, _patch(text, width, height, labels))


def with_time_bar(pixels: Pixels, share: float) -> Pixels:
    """A picture with a bar at the bottom that is bright up to a share of the width, 0 to 1."""
    height, width = pixels.shape[:2]
    thickness = max(2, round(BAR_HEIGHT * min(width, height)))
    edge = np.clip(share * width - np.arange(width), 0, 1).astype(np.float32)
    row = np.repeat(edge[None, :, None], thickness, 0)
    colour, opacity = np.repeat(255 * row, 3, -1), np.float32(0.35) + np.float32(0.5) * row
    return _laid_over(pixels, _Patch(0, height - thickness, colour, opacity))


@lru_cache(maxsize=64)
def _patch(text: str, width_px: int, height_px: int, labels: Labels) -> _Patch:
    """Draw a text, once."""
    margin = max(2, round(MARGIN * min(width_px, height_px)))
    size_px = max(SMALLEST_PX, round(labels.size * min(width_px, height_px)))
    mask, rim, room_px = _text_masks(text, labels, size_px, width_px - 2 * margin)
    shade = SHADE * _blurred(rim, room_px / 3)
    opacity = np.maximum.reduce([mask, RIM * rim, shade])
    colour = np.repeat(255 * (mask / np.maximum(opacity, 1e-6))[..., None], 3, -1)
    left, top = _position(labels.corner, opacity.shape, (width_px, height_px), margin - room_px)
    return _visible(left, top, colour.astype(np.float32), opacity[..., None].astype(np.float32), width_px, height_px)


def _text_masks(text: str, labels: Labels, size_px: int, widest_px: int) -> tuple[Float, Float, int]:
    """The letters, and the letters with their rim, 0 to 1; and how many pixels of room for the shade are around."""
    font = font_of(labels.font, size_px)
    line = drawable(" ".join(text.split()), font)
    length = font.getlength(line)
    if length > widest_px and size_px > SMALLEST_PX:
        size_px = max(SMALLEST_PX, int(size_px * widest_px / length))
        font = font_of(labels.font, size_px)
    room = max(3, round(size_px / 2.5))
    # All labels are as high as the tallest letters, so that they do not jump with their text.
    _, top, _, bottom = font.getbbox("ÁÅgjpy")
    canvas = (round(font.getlength(line)) + 2 * room, round(bottom - top) + 2 * room)
    masks = []
    for stroke in (0, max(1, round(size_px / 18))):
        drawn = Image.new("L", canvas)
        ImageDraw.Draw(drawn).text((room, room - top), line, fill=255, font=font, stroke_width=stroke)
        masks.append(_as_shares(drawn))
    return masks[0], masks[1], room


def _blurred(mask: Float, radius_px: float) -> Float:
    drawn = Image.fromarray(np.uint8(255 * mask)).filter(ImageFilter.GaussianBlur(radius_px))
    return _as_shares(drawn)


def _as_shares(drawn: Image.Image) -> Float:
    return np.asarray(np.asarray(drawn) / 255, np.float32)


def _position(corner: str, shape: tuple[int, ...], canvas: tuple[int, int], margin: int) -> tuple[int, int]:
    height, width = shape
    across = (canvas[0] - width) // 2
    if corner.endswith("left"):
        across = margin
    if corner.endswith("right"):
        across = canvas[0] - width - margin
    return across, margin if corner.startswith("top") else canvas[1] - height - margin


def _visible(left: int, top: int, colour: Float, opacity: Float, width_px: int, height_px: int) -> _Patch:
    """What of a patch lies on the picture."""
    rows = slice(max(0, -top), max(0, min(colour.shape[0], height_px - top)))
    columns = slice(max(0, -left), max(0, min(colour.shape[1], width_px - left)))
    return _Patch(max(0, left), max(0, top), colour[rows, columns], opacity[rows, columns])


def _laid_over(pixels: Pixels, patch: _Patch) -> Pixels:
    """A copy of a picture with a patch laid over it; what it covers becomes opaque."""
    result = pixels.copy()
    height, width = patch.opacity.shape[:2]
    under = result[patch.top : patch.top + height, patch.left : patch.left + width]
    over = np.concatenate([patch.colour, np.full_like(patch.opacity, 255)], -1)[..., : pixels.shape[-1]]
    under[...] = np.rint(under + (over - under) * patch.opacity)
    return np.asarray(result, np.uint8)
