"""What a film shows of each photo: the rectangle around the subject, its size, and what fills it beyond the photo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import ImageColor

from alignimation_index.errors import UserError
from alignimation_index.similarity import Matrices

LEAST_SIDE_PX, MOST_SIDE_PX = 16, 8192

BLUR, MIRROR = "blur", "mirror"


class View(NamedTuple):
    """What is to be seen at least, in template units: rows from `top` to `bottom`, and `width` around the middle."""

    top: float
    bottom: float
    width: float


# The face's template has its eyes at 0.42, a quarter of the side apart. Of adults (Gordon et al. 2014, "2012
# Anthropometric Survey of U.S. Army Personnel") the pupils are some 63 mm apart, the head is 150 mm wide and 230 mm
# high with the eyes in its middle, the shoulders are 490 mm across and the body is 1.7 m high: the head is 0.6 × 0.9,
# the shoulders 1.9, the body 6.5 template units.
_FACE_VIEWS = {
    "tight": View(0.14, 0.86, 0.64),  # forehead to chin, without the ears
    "face": View(0.08, 0.93, 0.74),  # hairline to chin, with the ears
    "head": View(0.0, 1.0, 0.85),  # with the hair: the template's own square
    "bust": View(-0.3, 1.7, 1.7),  # head, shoulders and chest
    "body": View(-0.35, 6.9, 3.2),  # head to feet, with the arms
}
# A body's template is the square of which it takes three quarters; where its head is in there, it does not say.
_WHOLE = View(0.0, 1.0, 0.56)
_BODY_VIEWS = {
    "tight": View(0.1, 0.9, 0.45),
    "face": _WHOLE,
    "head": _WHOLE,
    "bust": View(0.05, 0.6, 0.45),  # its upper half
    "body": _WHOLE,
}
VIEWS = {"face": _FACE_VIEWS, "body": _BODY_VIEWS}

# Of what a tall canvas shows beyond a view, this share is head room, the rest chest.
HEAD_ROOM = 0.4


@dataclass(frozen=True, slots=True)
class Framing:
    """How photos are brought to the canvas.

    Attributes:
        width_px: of the canvas.
        height_px: of the canvas.
        view: how much is seen around the subject: tight, face, head, bust or body.
        edges: what fills the canvas beyond a photo: "blur", "mirror", or a colour, see `colour_of`.
        inside: whether the view shrinks to what all photos fill, see `render.stills.inside`.
        match_light: whether the light and colour of faces is evened out, see `render.stills.light`.
    """

    width_px: int
    height_px: int
    view: str = "head"
    edges: str = "#000000"
    inside: bool = False
    match_light: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas in pixels."""
        return self.width_px, self.height_px


class Rectangle(NamedTuple):
    """Part of the template's plane: centre, width and height in template units."""

    x: float
    y: float
    width: float
    height: float


def parse_size(text: str) -> tuple[int, int]:
    """Width and height in pixels of "1080x1920", or of "720", a square.

    Raises:
        UserError: it says no size, or one that is too small or too large.
    """
    sides = re.fullmatch(r"\s*(\d{1,6})(?:\s*[x×]\s*(\d{1,6}))?\s*", text, re.IGNORECASE)
    if not sides:
        raise UserError(f"{text} is no size in pixels; write WIDTHxHEIGHT, as 1080x1920, or one number for a square")
    width, height = int(sides[1]), int(sides[2] or sides[1])
    if min(width, height) < LEAST_SIDE_PX or max(width, height) > MOST_SIDE_PX:
        raise UserError(f"{text}: a film's sides are of {LEAST_SIDE_PX} to {MOST_SIDE_PX} pixels; choose another size")
    return width, height


def parse_edges(text: str) -> str:
    """What `Framing.edges` takes, of "blur", "mirror" or a colour by name or as #rrggbb.

    Raises:
        UserError: it is none of them.
    """
    edges = text.strip().lower()
    if edges not in (BLUR, MIRROR):
        try:
            edges = "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(edges))
        except ValueError:
            raise UserError(f"{text} is no colour; write blur, mirror, a name as white, or #rrggbb") from None
    return edges


def colour_of(edges: str) -> tuple[int, int, int]:
    """Red, green and blue in 0..255 of a colour; black for "blur" and "mirror", which have none."""
    red, green, blue, *_ = ImageColor.getrgb("#000000" if edges in (BLUR, MIRROR) else edges)
    return red, green, blue


def view_rectangle(framing: Framing, kind: str = "face") -> Rectangle:
    """The smallest rectangle of the canvas's shape that holds all of the view.

    A wide canvas shows more to the left and right, a tall one more above and, mostly, below.

    Args:
        framing: the canvas and the view.
        kind: "face" or "body", of the frames: which template they are registered to.
    """
    top, bottom, least_width = VIEWS[kind][framing.view]
    height = max(bottom - top, least_width * framing.height_px / framing.width_px)
    top -= HEAD_ROOM * (height - (bottom - top))
    return Rectangle(0.5, top + height / 2, height * framing.width_px / framing.height_px, height)


def canvas_from_template(framing: Framing, kind: str = "face") -> Matrices:
    """The matrix from template units to pixels of the canvas, `inside` left aside.

    Args:
        framing: the canvas and the view.
        kind: "face" or "body", of the frames.

    Returns:
        (2, 3) float64, upright and of one scale.
    """
    return canvas_from_rectangle(framing, view_rectangle(framing, kind))


def canvas_from_rectangle(framing: Framing, seen: Rectangle) -> Matrices:
    """The matrix that brings a rectangle of the canvas's shape to the canvas, as (2, 3) float64.

    The rectangle's corners are the outer corners of the canvas's corner pixels, while pixel coordinates are integers
    at pixel centres: hence the half.
    """
    scale = framing.height_px / seen.height
    left, top = seen.x - seen.width / 2, seen.y - seen.height / 2
    return np.array([[scale, 0.0, -scale * left - 0.5], [0.0, scale, -scale * top - 0.5]])
