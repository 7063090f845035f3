"""How good a frame is to show, to take the best one of a period.

What is measured is combined by a weighted geometric mean, so that one very bad thing (a blurred face) is not outweighed
by good ones; what was not measured counts as middling. A favourite then gains a share of what is missing to 1:

| ingredient | weight | 1 is | why |
| --- | --- | --- | --- |
| frontality | 3 | looks at the camera; 0 at 45 degrees | a turned face jumps between its neighbours |
| sharpness | 3 | as sharp as `stages.quality` asks for | nothing mends a blurred face |
| eyes | 2 | the eyes are at the template's; half at 1 % of the side | this is what the eye sees as jitter |
| size | 1 | fills its place in 720 pixels without being enlarged | small faces are soft, which sharpness says in part |
| light | 1 | middle grey | dark and washed-out faces flicker; much can be mended |

A favourite was chosen by whom it belongs to, which counts for more than any one measure and less than all of them: a
blurred favourite does not replace a good picture of the same week. To have a photo in whatever it looks like, pin it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from alignimation_index.query.frames import Frame
from alignimation_index.registration.faces import FACE_TEMPLATE, FACE_TEMPLATE_NAME
from alignimation_index.stages.quality import FULL_SHARPNESS

FULL_TURN_DEG = 45.0
FULL_SIZE_PX = 400.0
EYES_OFF, BODY_RESIDUAL = 0.01, 0.05
"""Distances in template units at which the eyes of a face, and the keypoints of a body, count half."""
FAVOURITE_GAIN = 0.5
NEUTRAL = 0.5
_LEAST = 0.02  # so that two frames of which each has something at 0 can still be told apart


class Ingredient(NamedTuple):
    """What a frame is measured by: 0..1, or None where that is not known."""

    weight: float
    measure: Callable[[Frame], float | None]


def score(frame: Frame) -> float:
    """How good a frame is to show, 0..1; frames of faces compare with each other, and those of bodies."""
    total = sum(ingredient.weight for ingredient in INGREDIENTS)
    logarithms = sum(ingredient.weight * math.log(_measured(ingredient, frame)) for ingredient in INGREDIENTS)
    measured = math.exp(logarithms / total)
    return measured + FAVOURITE_GAIN * (1 - measured) * frame.favourite


def frontality(frame: Frame) -> float | None:
    """1 for a face that looks at the camera, 0 from FULL_TURN_DEG on; of a body it says nothing."""
    if frame.kind != "face":
        return None
    return max(1 - math.hypot(frame.yaw_deg, frame.pitch_deg) / FULL_TURN_DEG, 0)


def sharpness(frame: Frame) -> float | None:
    """Share of a full sharpness."""
    return None if frame.sharpness is None else min(frame.sharpness / FULL_SHARPNESS, 1)


def size(frame: Frame) -> float:
    """Share of FULL_SIZE_PX."""
    return min(frame.size_px / FULL_SIZE_PX, 1)


def light(frame: Frame) -> float | None:
    """1 at a middle brightness, 0 at black and white."""
    return None if frame.brightness is None else 1 - (2 * frame.brightness - 1) ** 2


def eyes(frame: Frame) -> float | None:
    """How near the eyes come to the template's; of a body, how near its keypoints do."""
    if frame.template_from_photo is None or frame.residual is None:
        return None
    if frame.template != FACE_TEMPLATE_NAME:
        return _nearness(frame.residual, BODY_RESIDUAL)
    return _nearness(eyes_off(frame), EYES_OFF)


def eyes_off(frame: Frame) -> float:
    """Root mean square distance of a registered face's eyes to the template's, in template units."""
    if frame.template_from_photo is None:
        raise ValueError(f"face {frame.face_id} is not registered")
    (a, b, left), (c, d, top) = frame.template_from_photo.tolist()
    pairs = zip(frame.landmarks[:2].tolist(), FACE_TEMPLATE[:2].tolist(), strict=True)
    squared = [(a * x + b * y + left - u) ** 2 + (c * x + d * y + top - v) ** 2 for (x, y), (u, v) in pairs]
    return math.sqrt(sum(squared) / len(squared))


INGREDIENTS = (
    Ingredient(3, frontality),
    Ingredient(3, sharpness),
    Ingredient(2, eyes),
    Ingredient(1, size),
    Ingredient(1, light),
)


def _measured(ingredient: Ingredient, frame: Frame) -> float:
    value = ingredient.measure(frame)
    return max(NEUTRAL if value is None else value, _LEAST)


def _nearness(off: float, half: float) -> float:
    return 1 / (1 + (off / half) ** 2)
