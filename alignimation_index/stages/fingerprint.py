"""What a photo looks like from afar: by this, copies of a picture and the photos of a burst are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alignimation_index.datatypes import DecodedPhoto, Float, Image, Pixels

SIDE_PX = 32
"""The photo is reduced to a square of so many grey pixels, whatever its shape."""
FREQUENCIES = 8
"""So many of the lowest frequencies along each side make the hash."""
TONES_PX = 16
"""Side of the square of tones that is kept beside the hash."""
MIN_CONTRAST = 4.0
"""Standard deviation of the greys, of 255, below which there is nothing to recognise: the inside of a pocket, a sky."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def fingerprint_photos(photos: Sequence[DecodedPhoto]) -> list[bytes | None]:
    """Take the fingerprint of each photo.

    Args:
        photos: decoded to any size; what is far larger than SIDE_PX is reduced by means first.

    Returns:
        8 bytes of perceptual hash (big endian), then TONES_PX × TONES_PX bytes of grey, row by row. None of a photo
        that is truncated, or has less than MIN_CONTRAST.
    """
    return [None if photo.truncated_to else fingerprint(photo.pixels) for photo in photos]


def fingerprint(image: Image) -> bytes | None:
    """Take the fingerprint of (H, W, 3) uint8 RGB pixels, see `fingerprint_photos`."""
    grey = _reduced(_small(image).astype(np.float32) @ _LUMA, SIDE_PX)
    if grey.std() < MIN_CONTRAST:
        return None
    tones = grey.reshape(TONES_PX, SIDE_PX // TONES_PX, TONES_PX, -1).mean((1, 3))
    kept: bytes = np.rint(tones).astype(np.uint8).tobytes()
    return perceptual_hash(grey) + kept


def perceptual_hash(grey: Float) -> bytes:
    """Hash a square of grey pixels: which of its lowest frequencies are above their median, the mean tone aside.

    Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), 3.2.1.
    """
    cosines = _dct(len(grey))[:FREQUENCIES]
    lowest = (cosines @ grey @ cosines.T).ravel()
    return np.packbits(lowest > np.median(lowest[1:])).tobytes()


def _small(image: Image) -> Pixels:
    """Means of so many pixels that a side keeps a few for each of SIDE_PX; on this machine's processor."""
    # Imports torch, which an update without work does not need.
    from alignimation_index.models.chips import reduce_image

    small = reduce_image(image, max(min(image.shape[:2]) // (4 * SIDE_PX), 1))
    return small if isinstance(small, np.ndarray) else np.asarray(small.cpu())


def _reduced(grey: Float, side_px: int) -> Float:
    """(H, W) to (side_px, side_px), each the mean of what it covers."""
    height, width = grey.shape
    reduced: Float = _covers(height, side_px) @ grey @ _covers(width, side_px).T
    return reduced


def _covers(length: int, cells: int) -> Float:
    """(cells, length): the share of each pixel of a line in the mean of each of the equal cells that cover it."""
    edges = np.linspace(0, length, cells + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(length)
    shared = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None)
    shares: Float = (shared / shared.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _dct(size: int) -> Float:
    """(size, size): the rows of the discrete cosine transform II, without its scale."""
    frequency, position = np.arange(size)[:, None], np.arange(size)
    cosines: Float = np.cos(np.pi * frequency * (2 * position + 1) / (2 * size)).astype(np.float32)
    return cosines
