"""What of a photo a film shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alignimation_index import similarity
from alignimation_index.errors import UserError
from alignimation_index.similarity import Matrices


@dataclass(frozen=True, slots=True)
class Framing:
    """The canvas, and what of a photo goes onto it.

    Attributes:
        width_px: of the canvas.
        height_px: of the canvas.
        view: how much around the face.
        edges: what fills the canvas beyond the photo.
        inside: whether the canvas is cut to what all photos fill.
        match_light: whether colour and light are matched.
    """

    width_px: int
    height_px: int
    view: str = "head"
    edges: str = "#000000"
    inside: bool = False
    match_light: bool = False


def parse_size(text: str) -> tuple[int, int]:
    """Parse `720` or `1080x1920` into (width, height) in pixels.

    Raises:
        UserError: it is neither, or out of bounds.
    """
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.strip())
    sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not all(16 <= side <= 8192 for side in sides):
        raise UserError(f"{text!r} is no size. Write 720 or 1080x1920, each side 16 to 8192 pixels.")
    return sides


def canvas_from_template(framing: Framing) -> Matrices:
    """(2, 3) float64, from the unit square to pixels of the canvas."""
    side = min(framing.width_px, framing.height_px)
    left, top = (framing.width_px - side) / 2, (framing.height_px - side) / 2
    return similarity.compose([[1, 0, left - 0.5], [0, 1, top - 0.5]], [[side, 0.0, 0.0], [0.0, side, 0.0]])
