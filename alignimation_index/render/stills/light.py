"""Evening out the light and colour of faces, so that a film does not flicker between sun and lamp.

Reinhard et al. 2001, "Color Transfer between Images": means and spreads of a picture are brought to those of another.
Here they are those of the face, and of log-odds of the pixel values, which keep black and white where they are: nothing
is clipped, neither on the face nor around it. What all photos of a person are brought to is typical of that person's
own, not a norm, and fixed for the film, so that nothing wanders. Each step has a bound: a face by candlelight is
brightened, not turned into one at noon.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignimation_index.datatypes import Pixels
from alignimation_index.similarity import Points

# Luminance of linear sRGB (Rec. BT.709), here a weight of the channels only.
_LUMA = np.array([0.2126, 0.7152, 0.0722])
# Bounds, in log-odds of pixel values: from mid-grey, 1 leads to 0.73.
MOST_LIGHT, MOST_TINT = 1.0, 0.3
MOST_CONTRAST = 1.3
# Of a colour cast, the share that is taken away.
TINT_SHARE = 0.7
# Least pixels of a face for a measure of it, and the grid on which they are looked up.
LEAST_SEEN = 100
_GRID = 48
# Mean range of the channels, of 255, below which a face is black and white, yellowed prints included; skin has 60.
GREY_LEVELS = 20


@dataclass(frozen=True, slots=True)
class Light:
    """How a face is lit.

    Attributes:
        lightness: median, in log-odds.
        spread: half of the range of its middle two thirds, in log-odds.
        tint: (3,) of each channel, how far its median is from the lightness.
        is_grey: whether it is black and white.
    """

    lightness: float
    spread: float
    tint: NDArray[np.float64]
    is_grey: bool


def light_of_face(pixels: Pixels, landmarks: Points) -> Light | None:
    """Measure the light on a face; None if too little of it is on the picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        landmarks: (5, 2) in its pixels, in the order of LANDMARK_NAMES.
    """
    skin = _face_pixels(pixels, landmarks)
    if len(skin) < LEAST_SEEN:
        return None
    odds = _log_odds(skin.astype(np.float64))
    low, middle, high = np.percentile(odds @ _LUMA, [16, 50, 84])
    is_grey = float(np.ptp(skin.astype(np.int16), axis=1).mean()) < GREY_LEVELS
    medians = np.median(odds, axis=0)
    return Light(float(middle), float(high - low) / 2, medians - medians @ _LUMA, is_grey)


def typical_light(lights: Iterable[tuple[int | None, Light | None]]) -> dict[int | None, Light]:
    """The median light of each person, of measures with whose they are; black and white ones have no say in colour."""
    of_person: dict[int | None, list[Light]] = {}
    for person_id, light in lights:
        if light is not None:
            of_person.setdefault(person_id, []).append(light)
    return {person_id: _median(theirs) for person_id, theirs in of_person.items()}


def relit(pixels: Pixels, own: Light, target: Light) -> Pixels:
    """Bring a picture from the light of its face most of the way to another.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        own: of the picture.
        target: what it is brought to.
    """
    contrast = float(np.clip(target.spread / max(own.spread, 1e-3), 1 / MOST_CONTRAST, MOST_CONTRAST))
    shift = np.full(3, np.clip(target.lightness - own.lightness, -MOST_LIGHT, MOST_LIGHT))
    if not own.is_grey and not target.is_grey:
        shift += TINT_SHARE * np.clip(target.tint - own.tint, -MOST_TINT, MOST_TINT)
    pivot = own.lightness + own.tint
    odds = contrast * (_log_odds(np.arange(256.0))[:, None] - pivot) + pivot + shift
    curves = np.rint(256 / (1 + np.exp(-odds)) - 0.5).clip(0, 255).astype(int)
    return np.asarray(Image.fromarray(pixels).point(curves.T.ravel().tolist()))


def _median(lights: list[Light]) -> Light:
    coloured = [light for light in lights if not light.is_grey]
    return Light(
        float(np.median([light.lightness for light in lights])),
        float(np.median([light.spread for light in lights])),
        np.median([light.tint for light in coloured or lights], axis=0),
        not coloured,
    )


def _log_odds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of pixel values in 0..255: 0 for mid-grey, some ±6 for white and black."""
    share = (values + 0.5) / 256
    odds: NDArray[np.float64] = np.log(share / (1 - share))
    return odds


def _face_pixels(pixels: Pixels, landmarks: Points) -> Pixels:
    """(N, 3) pixels on a grid over the ellipse from brows to chin, from cheek to cheek; those beyond are left out."""
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    down = mouth - eyes
    across = np.array([-down[1], down[0]])
    y, x = np.mgrid[-1 : 1 : _GRID * 1j, -1 : 1 : _GRID * 1j]
    in_ellipse = x**2 + y**2 <= 1
    middle = (eyes + mouth) / 2
    places = middle + 0.8 * x[in_ellipse][:, None] * across + 1.1 * y[in_ellipse][:, None] * down
    columns, rows = np.rint(places).astype(int).T
    height, width = pixels.shape[:2]
    on_picture = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    seen: Pixels = pixels[rows[on_picture], columns[on_picture]]
    return seen
