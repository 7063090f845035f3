"""Before and after registration: how far the eyes wander, and what the mean picture looks like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from alignimation_index import similarity
from alignimation_index.datatypes import Float, Pixels
from alignimation_index.query.frames import Frame
from alignimation_index.render.stills.framing import Framing, canvas_from_template


def cropped(frame: Frame) -> Frame:
    """The frame unregistered: the largest square in the middle of the whole photo, as a viewer without faces crops."""
    return replace(frame, template_from_photo=_unit_from_photo(frame.width_px, frame.height_px))


def wander_px(frames: Sequence[Frame], eyes: Sequence[ArrayLike], size_px: int) -> float:
    """How far a pair of eyes is from its place on average.

    Args:
        frames: N registered frames.
        eyes: N times (2, 2), true eye positions in pixels of each frame's upright photo.
        size_px: side of the rendered frames.

    Returns:
        The mean, over frames and both eyes, of the distance from an eye to its mean position, in pixels of the frame.
    """
    transforms = np.array([frame.template_from_photo for frame in frames], np.float64)
    canvas_from_photo = similarity.compose(canvas_from_template(Framing(size_px, size_px)), transforms)
    places = similarity.apply(canvas_from_photo, np.array(eyes, np.float64))
    return float(np.linalg.norm(places - places.mean(0), axis=-1).mean())


def mean_picture(pictures: Iterable[Pixels]) -> Pixels:
    """The mean of pictures, (H, W, 3) uint8 RGB, of which only one at a time is held.

    Raises:
        ValueError: there is no picture.
    """
    count, total = 0, np.zeros((), np.float64)
    for count, picture in enumerate(pictures, 1):  # noqa: B007 - the last count is what is needed
        total = total + picture
    if not count:
        raise ValueError("there is no mean of no pictures")
    return np.rint(total / count).astype(np.uint8)


def _unit_from_photo(width_px: int, height_px: int) -> Float:
    """(2, 3) similarity from photo pixels to the unit square that the middle of the photo fills."""
    side = min(width_px, height_px)
    # The photo spans −0.5 to width − 0.5, and its middle goes to the middle of the square.
    left, top = (width_px - 1 - side) / 2, (height_px - 1 - side) / 2
    return np.array([[1 / side, 0, -left / side], [0, 1 / side, -top / side]], np.float32)
