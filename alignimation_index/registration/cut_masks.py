"""Framing masks that were cut to the body, as if the rest of the photo were there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignimation_index.datatypes import BodyMask
from alignimation_index.registration.masks import BODY_SHARE, SIDE_PX, FramedMasks, frame_masks
from alignimation_index.similarity import Matrices, compose, invert


def frame_cut_masks(
    masks: Sequence[BodyMask], photo_sizes: Sequence[tuple[int, int]], side_px: int = SIDE_PX
) -> FramedMasks:
    """Frame cut masks; `frame_from_photo` is that of the full upright photo.

    Args:
        masks: of the bodies.
        photo_sizes: (width, height) of each photo, in its pixels; what lies beyond is not known.
        side_px: of the squares.
    """
    padded = [_pad(mask, size) for mask, size in zip(masks, photo_sizes, strict=True)]
    framed = frame_masks([pixels.astype(np.float32) / 255 for pixels, _ in padded], side_px)
    padded_from_photo = np.array([matrix for _, matrix in padded]).reshape(-1, 2, 3)
    return replace(framed, frame_from_photo=compose(framed.frame_from_photo, padded_from_photo))


def _pad(mask: BodyMask, photo_size: tuple[int, int]) -> tuple[NDArray[np.uint8], Matrices]:
    """The mask with as much of the photo around it as its square may reach, and the (2, 3) matrix to its pixels."""
    height, width = mask.pixels.shape
    reach = int(np.ceil(max(height, width) / BODY_SHARE)) + 1
    scale, shift = mask.photo_from_mask[0, 0], mask.photo_from_mask[:, 2]
    before = _room((shift - scale / 2 + 0.5) / scale, reach)
    end = shift + scale * (np.array([width, height]) - 0.5)
    after = _room((np.array(photo_size) - 0.5 - end) / scale, reach)
    pixels = np.pad(mask.pixels, ((before[1], after[1]), (before[0], after[0])))
    padded_from_mask = np.array([[1, 0, before[0]], [0, 1, before[1]]], np.float64)
    return pixels, compose(padded_from_mask, invert(mask.photo_from_mask))


def _room(whole: ArrayLike, reach: int) -> list[int]:
    """Whole pixels of the mask that fit between it and the photo's edge, `reach` at most."""
    return [int(room) for room in np.clip(np.floor(np.asarray(whole, np.float64) + 1e-6), 0, reach)]
