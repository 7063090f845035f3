"""A body's keypoints: their names, which side of it is seen, and which of them a photo has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.errors import UserError

SIDES = {side: tuple(f"{side}_{part}" for part in ("ear", "shoulder", "hip")) for side in ("left", "right")}
LEAST_KEYPOINTS = 2


def parse_names(text: str) -> tuple[str, ...]:
    """Read names separated by commas, as in `left_ear,left_shoulder,left_hip`.

    Raises:
        UserError: a name is unknown, said twice, or there are fewer than two.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in KEYPOINT_NAMES:
            raise UserError(f"keypoint {name!r} is unknown; choose from {', '.join(KEYPOINT_NAMES)}")
    if len(set(names)) < max(len(names), LEAST_KEYPOINTS):
        raise UserError(f"keypoints {text!r}: {LEAST_KEYPOINTS} different ones at least fix a similarity; name more")
    return names


def choose_side(seen: ArrayLike) -> tuple[str, ...]:
    """Choose ear, shoulder and hip of the side that is seen in most photos.

    Args:
        seen: (N, 17) bool, in the order of KEYPOINT_NAMES.

    Returns:
        Three names: of the side on which most photos show two of the three at least, then of that with more keypoints
        seen in all; the left side if even that is equal.
    """
    table = np.asarray(seen, bool).reshape(-1, len(KEYPOINT_NAMES))

    def visibility(names: Sequence[str]) -> tuple[int, int]:
        shown = table[:, columns_of(names)]
        return int((shown.sum(1) >= LEAST_KEYPOINTS).sum()), int(shown.sum())

    return max(SIDES.values(), key=visibility)


def columns_of(names: Sequence[str]) -> NDArray[np.int64]:
    """(K,) places of these names in KEYPOINT_NAMES."""
    return np.array([KEYPOINT_NAMES.index(name) for name in names], np.int64)
