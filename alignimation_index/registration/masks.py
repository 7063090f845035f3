"""Masks of bodies, all of one size: cut from photos, and made semantic by Gaussians around keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray

from alignimation_index.datatypes import Float

SIDE_PX = 128
# What is left around a body is room for the photos that are registered to it.
BODY_SHARE = 0.75
# The recipe's deviation of the Gaussians, of the mask's side.
SIGMA = 0.04


@dataclass(frozen=True, slots=True)
class FramedMasks:
    """Person masks of N photos, each cut to a square around the body and brought to one size.

    Attributes:
        pixels: (N, 1, S, S) float32 in 0..1.
        known: (N, 1, S, S) float32, 1 inside the photo and 0 beyond its edges.
        frame_from_photo: (N, 2, 3) float64, pixels of the photo to pixels of the square; nan for an empty mask.
    """

    pixels: Float
    known: Float
    frame_from_photo: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.pixels)

    def at(self, rows: ArrayLike) -> FramedMasks:
        """Those of these photos."""
        index = np.atleast_1d(np.asarray(rows))
        return FramedMasks(self.pixels[index], self.known[index], self.frame_from_photo[index])


def frame_masks(masks: Sequence[ArrayLike], side_px: int = SIDE_PX) -> FramedMasks:
    """Cut person masks to squares in which the body's longer side takes BODY_SHARE.

    Args:
        masks: per photo (H, W) in 0..1 or bool, of the whole upright photo; sizes may differ.
        side_px: of the squares.
    """
    framed = [_frame(np.asarray(mask), side_px) for mask in masks]
    pixels, known, matrices = zip(*framed, strict=True) if framed else ((), (), ())
    shape = (len(framed), 1, side_px, side_px)
    return FramedMasks(
        np.array(pixels, np.float32).reshape(shape),
        np.array(known, np.float32).reshape(shape),
        np.array(matrices, np.float64).reshape(-1, 2, 3),
    )


def gaussians(points: ArrayLike, side_px: int, sigma: float = SIGMA) -> Float:
    """Draw a Gaussian of height 1 around each point.

    Args:
        points: (…, 2) in pixels of a square of `side_px`; nan draws nothing.
        side_px: of the square.
        sigma: deviation, as a share of the side.

    Returns:
        (…, S, S) float32.
    """
    where = np.asarray(points, np.float64)[..., None, None]
    y, x = np.mgrid[:side_px, :side_px]
    squared = (x - where[..., 0, :, :]) ** 2 + (y - where[..., 1, :, :]) ** 2
    drawn: Float = np.nan_to_num(np.exp(-squared / (2 * (sigma * side_px) ** 2))).astype(np.float32)
    return drawn


def semantic_masks(pixels: ArrayLike, points: ArrayLike, sigma: float = SIGMA) -> Float:
    """Draw the recipe's masks: one channel per keypoint, person mask × Gaussian around it.

    Args:
        pixels: (N, 1, S, S) person masks.
        points: (N, K, 2) keypoints in their pixels; a channel is empty where its keypoint is nan.
        sigma: deviation of the Gaussians, as a share of the side.

    Returns:
        (N, K, S, S) float32.
    """
    people = np.asarray(pixels, np.float32)
    drawn: Float = people * gaussians(points, people.shape[-1], sigma)
    return drawn


def _frame(mask: NDArray[np.generic], side_px: int) -> tuple[Float, Float, NDArray[np.float64]]:
    """Square, what is known of it, and the matrix to it, of one mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return (
            np.zeros((2, side_px, side_px), np.float32)[0],
            np.zeros((side_px, side_px), np.float32),
            np.full((2, 3), np.nan),
        )
    low, high = np.array([columns[0], rows[0]]), np.array([columns[-1], rows[-1]]) + 1
    side = int(np.ceil((high - low).max() / BODY_SHARE))
    corner = (low + high - side) // 2
    square = _cut(np.stack([mask.astype(np.float32), np.ones(mask.shape, np.float32)]), corner, side)
    resized = F.interpolate(
        torch.from_numpy(square)[None], size=(side_px, side_px), mode="bilinear", antialias=True, align_corners=False
    )[0].numpy()
    scale = side_px / side
    shift = scale * (0.5 - corner) - 0.5
    return resized[0], (resized[1] > 0.99).astype(np.float32), np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def _cut(layers: Float, corner: NDArray[np.int64], side: int) -> Float:
    """(L, side, side) of (L, H, W) layers from `corner` (x, y) on; 0 beyond their edges."""
    height, width = layers.shape[1:]
    square = np.zeros((len(layers), side, side), np.float32)
    left, top = np.maximum(corner, 0)
    right, bottom = np.minimum(corner + side, (width, height))
    square[:, top - corner[1] : bottom - corner[1], left - corner[0] : right - corner[0]] = layers[
        :, top:bottom, left:right
    ]
    return square
