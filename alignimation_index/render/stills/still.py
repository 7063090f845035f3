"""One photo as a film shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import Pixels
from alignimation_index.query.frames import Frame


@dataclass(frozen=True, slots=True)
class Still:
    """A frame, warped to the canvas: the rectangle that the film shows.

    Attributes:
        frame: what was asked for.
        index: its place among all that were asked for; those whose photo is gone or broken are missing.
        pixels: (H, W, 3) uint8 RGB, the canvas.
        canvas_from_photo: (2, 3) float64, a similarity from pixels of the upright photo to pixels of the canvas.
    """

    frame: Frame
    index: int
    pixels: Pixels
    canvas_from_photo: NDArray[np.float64]
