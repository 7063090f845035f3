"""The pictures of a page: marked photos, Gaussians that glow, and the course of a loss."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from alignimation_index.datatypes import Float, Pixels
from alignimation_index.registration.masks import gaussians, semantic_masks
from alignimation_index.render.inspect.page import DARK, FAINT, INK, PAPER, PHOTO, TEMPLATE, Colour, drawable, font_of

# What is behind something that glows is grey and this dark.
DIMMED = 0.4
# Okabe and Ito's yellow, sky blue, reddish purple and bluish green, for channels beside each other.
CHANNELS = ((240, 228, 66), (86, 180, 233), (204, 121, 167), (0, 158, 115))
# Marks are drawn at twice their size and reduced, so that their edges are smooth.
OVERSAMPLING = 2


def marked(
    pixels: Pixels,
    boxes: Sequence[tuple[ArrayLike, str, bool]],
    points: ArrayLike,
    radii_px: ArrayLike,
    lines: Sequence[tuple[ArrayLike, ArrayLike]] = (),
) -> Pixels:
    """Draw boxes with labels, points and lines on a picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        boxes: (xyxy in its pixels, label, whether it is the one that this is about).
        points: (N, 2) in its pixels; nan draws nothing.
        radii_px: of the points, (N,) or one for all.
        lines: pairs of ends.
    """
    height, width = pixels.shape[:2]
    picture = Image.fromarray(pixels).resize((width * OVERSAMPLING, height * OVERSAMPLING), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    stroke = max(3, round(min(width, height) / 130)) * OVERSAMPLING // 2
    for start, end in lines:
        draw.line([*_drawn_at(start), *_drawn_at(end)], TEMPLATE, stroke)
    for box, label, chosen in boxes:
        _draw_box(draw, np.asarray(box, np.float64), label, PHOTO if chosen else (235, 235, 235), stroke)
    places = np.asarray(points, np.float64).reshape(-1, 2)
    for place, radius_px in zip(places, np.broadcast_to(radii_px, len(places)), strict=True):
        if np.isfinite(place).all():
            _draw_point(draw, place, float(radius_px) * OVERSAMPLING)
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def glowing(pixels: Pixels | None, photo: Float | None, template: Float | None, side_px: int) -> Pixels:
    """Let what a photo shows glow in PHOTO's colour and what it shall be in TEMPLATE's; together they are white.

    Args:
        pixels: (S, S, 3) uint8 RGB behind, dimmed; None for none.
        photo: (S, S) in 0..1, or None for nothing.
        template: likewise.
        side_px: S.
    """
    light: Float = np.zeros((side_px, side_px, 3), np.float32) + np.array(DARK, np.float32)
    if pixels is not None:
        light[:] = DIMMED * pixels.astype(np.float32).mean(2, keepdims=True)
    for layer, colour in ((photo, PHOTO), (template, TEMPLATE)):
        if layer is not None:
            light = light + layer[..., None] * np.array(colour, np.float32)
    return np.clip(light, 0, 255).astype(np.uint8)


def blended(photo: Pixels, template: Pixels) -> Pixels:
    """Two pictures of one shape in the two colours: grey where they agree, coloured where they do not."""
    total = np.zeros(photo.shape, np.float32)
    for pixels, colour in ((photo, PHOTO), (template, TEMPLATE)):
        total += pixels.astype(np.float32).mean(2, keepdims=True) / 255 * np.array(colour, np.float32)
    return np.clip(total, 0, 255).astype(np.uint8)


def drawn_points(points: ArrayLike, side_px: int, sigma: float) -> Float:
    """(S, S): the highest of Gaussians around (N, 2) points in the unit square; `sigma` is a share of the side."""
    drawn: Float = gaussians(np.asarray(points) * side_px - 0.5, side_px, sigma).max(0, initial=0)
    return drawn


def semantic(mask: Float, points: ArrayLike, sigma: float) -> Pixels:
    """Draw the recipe's masks, each in a colour of its own, on the dark silhouette of the person.

    Args:
        mask: (S, S) person mask.
        points: (K, 2) keypoints in the unit square.
        sigma: deviation of the Gaussians, as a share of the side.
    """
    side = len(mask)
    drawn = semantic_masks(mask[None, None], np.asarray(points) * side - 0.5, sigma)[0]
    light: Float = np.array(DARK, np.float32) + 45 * mask[..., None]
    for channel, colour in zip(drawn, cycle(CHANNELS), strict=False):
        light = light + channel[..., None] * np.array(colour, np.float32)
    return np.clip(light, 0, 255).astype(np.uint8)


def loss_chart(losses: Sequence[float], steps: Sequence[str], size: tuple[int, int]) -> Pixels:
    """Draw a loss, as shares of its largest possible value, over named steps: (H, W, 3) uint8 RGB of (W, H) size."""
    width, height = size
    chart = Image.new("RGB", (width * OVERSAMPLING, height * OVERSAMPLING), PAPER)
    draw, text, small = ImageDraw.Draw(chart), font_of(20 * OVERSAMPLING), font_of(18 * OVERSAMPLING)
    left, top, right, bottom = (OVERSAMPLING * edge for edge in (64, 34, width - 30, height - 64))
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = bottom + (top - bottom) * share
        draw.line((left, y, right, y), (222, 223, 225), OVERSAMPLING)
        draw.text((left - 10 * OVERSAMPLING, y), f"{100 * share:.0f} %", FAINT, small, anchor="rm")
    x = np.linspace(left + 40 * OVERSAMPLING, right - 40 * OVERSAMPLING, len(losses))
    heights = bottom + (top - bottom) * np.clip(losses, 0, 1)
    draw.line(list(zip(x.tolist(), heights.tolist(), strict=True)), PHOTO, 4 * OVERSAMPLING, joint="curve")
    for place, loss, across, up in zip(steps, losses, x.tolist(), heights.tolist(), strict=True):
        _draw_dot(draw, np.array([across, up]), 7 * OVERSAMPLING, PHOTO)
        number = f"{100 * loss:.{0 if loss >= 0.5 else 1}f}"
        draw.text((across + 4 * OVERSAMPLING, up - 10 * OVERSAMPLING), number, INK, text, anchor="lb")
        draw.text((across, bottom + 14 * OVERSAMPLING), drawable(place), FAINT, small, anchor="ma", align="center")
    return np.asarray(chart.resize(size, Image.Resampling.LANCZOS))


def _draw_box(
    draw: ImageDraw.ImageDraw, box: NDArray[np.floating[Any]], label: str, colour: Colour, stroke: int
) -> None:
    left, top, right, bottom = ((box + 0.5) * OVERSAMPLING).tolist()
    draw.rectangle((left, top, right, bottom), outline=colour, width=stroke)
    if label:
        font = font_of(max(9 * stroke, 15 * OVERSAMPLING))
        text = f" {drawable(label)} "
        area = draw.textbbox((left, top), text, font, anchor="lb")
        if area[1] < 0:
            area = draw.textbbox((left, bottom), text, font, anchor="lt")
        draw.rectangle((area[0], area[1] - stroke, area[2], area[3] + stroke), colour)
        draw.text((area[0], (area[1] + area[3]) / 2), text, INK, font, anchor="lm")


def _draw_point(draw: ImageDraw.ImageDraw, point: ArrayLike, radius: float) -> None:
    middle = np.array(_drawn_at(point))
    _draw_dot(draw, middle, radius, (255, 255, 255))
    _draw_dot(draw, middle, 0.65 * radius, PHOTO)


def _draw_dot(draw: ImageDraw.ImageDraw, middle: NDArray[np.floating[Any]], radius: float, colour: Colour) -> None:
    draw.ellipse((*(middle - radius).tolist(), *(middle + radius).tolist()), colour)


def _drawn_at(point: ArrayLike) -> tuple[float, float]:
    """A pixel's place on the enlarged picture."""
    x, y = ((np.asarray(point, np.float64) + 0.5) * OVERSAMPLING).tolist()
    return x, y
