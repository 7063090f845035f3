"""Where the bodies are: their keypoints, and their masks cut from the photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import BodyDetections, BodyMask, DecodedPhoto, Float, PhotoBodies, Pixels
from alignimation_index.models.protocols import BodyDetector
from alignimation_index.similarity import compose

# The shorter side that photos are decoded to, at least: what R-CNNs work at.
DECODED_SIDE_PX = 800
# The longer side that a mask keeps, at most, unless all of it is kept. Registration works on bodies of 96 pixels.
MASK_SIDE_PX = 256


def detect_bodies(
    photos: Sequence[DecodedPhoto], detector: BodyDetector, mask_side_px: int | None = MASK_SIDE_PX
) -> list[PhotoBodies]:
    """Detect the bodies of each photo.

    Args:
        photos: decoded to a shorter side of DECODED_SIDE_PX or more.
        detector: the network.
        mask_side_px: the longer side of a mask, at most; None keeps all decoded pixels.

    Returns:
        One PhotoBodies per photo.
    """
    found = detector.detect([photo.pixels for photo in photos])
    return [_on_photo(bodies, photo, mask_side_px) for bodies, photo in zip(found, photos, strict=True)]


def cut_mask(mask: Pixels, photo_from_decoded: NDArray[np.float64], side_px: int | None) -> BodyMask:
    """Cut a person mask to the person, and reduce it by an integer factor until its longer side is `side_px` at most.

    Args:
        mask: (H, W) uint8 of the decoded photo.
        photo_from_decoded: (2, 3).
        side_px: None keeps all pixels.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return BodyMask(np.zeros((1, 1), np.uint8), photo_from_decoded)
    left, top = columns[0], rows[0]
    cut = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    factor = 1 if side_px is None else -(-max(cut.shape) // side_px)
    shift = (factor - 1) / 2
    decoded_from_mask = np.array([[factor, 0, left + shift], [0, factor, top + shift]])
    return BodyMask(_reduced(cut, factor), compose(photo_from_decoded, decoded_from_mask))


def _on_photo(found: BodyDetections, photo: DecodedPhoto, mask_side_px: int | None) -> PhotoBodies:
    matrix = photo.photo_from_decoded
    keypoints: Float = found.keypoints.copy()
    keypoints[..., :2] = photo.to_photo(found.keypoints[..., :2])
    boxes = photo.to_photo(found.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
    return PhotoBodies(boxes, found.scores, keypoints, [cut_mask(mask, matrix, mask_side_px) for mask in found.masks])


def _reduced(mask: Pixels, factor: int) -> Pixels:
    """Means of blocks; a side that the factor does not divide is filled up with what is off the person."""
    if factor == 1:
        return np.ascontiguousarray(mask)
    height, width = mask.shape
    filled = np.pad(mask, ((0, -height % factor), (0, -width % factor)))
    blocks = filled.reshape(filled.shape[0] // factor, factor, filled.shape[1] // factor, factor)
    return np.asarray(np.rint(blocks.mean((1, 3), dtype=np.float32)), np.uint8)
