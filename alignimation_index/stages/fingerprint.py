"""What a photo looks like from afar: by this, copies of a picture and the photos of a burst are found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import DecodedPhoto, Pixels

Reals = NDArray[np.float64]

SIDE_PX = 32
"""The photo is reduced to a square of so many grey pixels, whatever its shape."""
FREQUENCIES = 8
"""So many of the lowest frequencies along each side make the hash."""
TONES_PX = 16
"""Side of the square of tones that is kept beside the hash."""
MIN_CONTRAST = 4.0
"""Standard deviation of the greys, of 255, below which there is nothing to recognise: the inside of a pocket, a sky."""

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def fingerprint_photos(photos: Sequence[DecodedPhoto]) -> list[bytes | None]:
    """Take the fingerprint of each photo.

    Args:
        photos: decoded to any size; what is far larger than SIDE_PX is reduced by means first.

    Returns:
        8 bytes of perceptual hash (big endian), then TONES_PX × TONES_PX bytes of grey, row by row. None of a photo
        that is truncated, or has less than MIN_CONTRAST.
    """
    whole = [photo for photo in photos if photo.truncated_to is None]
    taken = iter([_fingerprint(grey) for grey in _squares(whole)])
    return [None if photo.truncated_to else next(taken) for photo in photos]


def _fingerprint(grey: Reals) -> bytes | None:
    if grey.std() < MIN_CONTRAST:
        return None
    tones = grey.reshape(TONES_PX, SIDE_PX // TONES_PX, TONES_PX, -1).mean((1, 3))
    kept: bytes = np.rint(tones).astype(np.uint8).tobytes()
    return perceptual_hash(grey) + kept


def perceptual_hash(grey: Reals) -> bytes:
    """Hash a square of grey pixels: which of its lowest frequencies are above their median, the mean tone aside.

    Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), 3.2.1.
    """
    cosines = _dct(len(grey))[:FREQUENCIES]
    # Rounded, so that what is equal in a symmetric picture is so on every machine.
    lowest = (cosines @ grey @ cosines.T).ravel().round(4)
    return np.packbits(lowest > np.median(lowest[1:])).tobytes()


def _squares(photos: Sequence[DecodedPhoto]) -> list[Reals]:
    """(SIDE_PX, SIDE_PX) grey each: means of what each covers of the photo, which its last pixels may hang over."""
    # Imports torch, which an update without work does not need.
    from alignimation_index.models.chips import in_memory, reduce_image

    factors = [max(min(photo.pixels.shape[:2]) // (4 * SIDE_PX), 1) for photo in photos]
    small = in_memory([reduce_image(photo.pixels, factor) for photo, factor in zip(photos, factors, strict=True)])
    return [
        _square(pixels, photo, photo.reduction * factor)
        for pixels, photo, factor in zip(small, photos, factors, strict=True)
    ]


def _square(pixels: Pixels, photo: DecodedPhoto, reduction: int) -> Reals:
    """One of these, from its photo's reduced pixels."""
    left, top = photo.overhang_px
    rows = _covers(pixels.shape[0], top / reduction, photo.height_px / reduction)
    columns = _covers(pixels.shape[1], left / reduction, photo.width_px / reduction)
    square: Reals = rows @ (pixels @ _LUMA) @ columns.T
    return square


@lru_cache(maxsize=64)
def _covers(length: int, start: float, extent: float) -> Reals:
    """(SIDE_PX, length): the share of each pixel of a line in the means of equal parts of `extent` from `start` on."""
    edges = start + np.linspace(0, extent, SIDE_PX + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(length)
    shared = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None)
    shares: Reals = shared / shared.sum(1, keepdims=True)
    return shares


@cache
def _dct(size: int) -> Reals:
    """(size, size): the rows of the discrete cosine transform II, without its scale."""
    frequency, position = np.arange(size)[:, None], np.arange(size)
    cosines: Reals = np.cos(np.pi * frequency * (2 * position + 1) / (2 * size))
    return cosines
