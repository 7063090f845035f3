"""Face chips: small squares cut out of a photo, turned upright, without aliasing, for the networks that read faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from alignimation_index.datatypes import Float, Images, Pixels
from alignimation_index.similarity import Matrices, apply, compose, invert, scale_of


def cut_chips(image: Pixels, chip_from_image: ArrayLike, size: int) -> torch.Tensor:
    """Warp square chips out of an image, bilinear, prefiltered where a chip shrinks the image.

    Where a chip shrinks, the image is first reduced by means of 2x2, 4x4, … pixels while the rest of the
    reduction stays above 1; that rest, of at most 2, is met by the mean of 2x2 samples per chip pixel.

    Args:
        image: (H, W, 3) uint8.
        chip_from_image: (N, 2, 3) affine; both frames in pixels, the centre of the first pixel at (0, 0).
        size: side of a chip in pixels.

    Returns:
        (N, 3, size, size) float32 in 0..255, on the CPU. Outside of the image its edge goes on.

    Raises:
        ValueError: a transform is not finite, as where the landmarks it was fitted to coincide.
    """
    matrices = np.asarray(chip_from_image, np.float64).reshape(-1, 2, 3)
    if not np.isfinite(matrices).all():
        raise ValueError(f"chip_from_image has to be finite, got {matrices.tolist()}")
    chips = torch.empty(len(matrices), 3, size, size)
    halvings = _halvings(matrices)
    for count in np.unique(halvings):
        rows = np.flatnonzero(halvings == count)
        samples = 1 if count < 0 else 2
        sampled = _sample(image, invert(matrices[rows]), size, samples, 2 ** max(int(count), 0))
        chips[torch.from_numpy(rows)] = F.avg_pool2d(sampled, samples)
    return chips


def embed_each(
    images: Images,
    chip_from_images: Sequence[Matrices],
    size: int,
    embed_chips: Callable[[torch.Tensor], Float],
) -> list[Float]:
    """Cut the chips of all images and embed them together, so that the network sees full batches.

    Args:
        images: (H, W, 3) uint8 each.
        chip_from_images: (N, 2, 3) per image.
        size: side of a chip in pixels.
        embed_chips: maps (M, 3, size, size) float32 to (M, D) float32.

    Returns:
        (N, D) float32 per image.
    """
    chips = [cut_chips(image, matrices, size) for image, matrices in zip(images, chip_from_images, strict=True)]
    if not chips:
        return []
    ends = np.cumsum([len(of_image) for of_image in chips])
    return np.split(embed_chips(torch.cat(chips)), ends[:-1])


def _halvings(chip_from_image: Matrices) -> NDArray[np.int64]:
    """(N,) halvings of the image before sampling; -1 for a chip that does not shrink it."""
    # The margin keeps a chip of scale 1 (or 1/2, …) on the sharper side, whatever the rounding.
    shrink = np.ceil(-np.log2(scale_of(chip_from_image)) - 1e-6)
    return np.maximum(shrink, 0).astype(np.int64) - 1


def _sample(image: Pixels, image_from_chip: Matrices, size: int, samples: int, factor: int) -> torch.Tensor:
    """Sample an image reduced by `factor`, `samples` per chip pixel and axis: (N, 3, size·samples, size·samples)."""
    level, level_from_image = _reduce_region(image, _corners(image_from_chip, size), factor)
    level_from_chip = compose(level_from_image, image_from_chip)
    height, width = level.shape[-2:]
    theta = compose(compose(_unit_from_pixels(width, height), level_from_chip), invert(_unit_from_pixels(size, size)))
    shape = (len(theta), 3, size * samples, size * samples)
    grid = F.affine_grid(torch.from_numpy(theta).float(), list(shape), align_corners=False)
    # One view of the image per chip, since grid_sample spreads its work over the batch.
    return F.grid_sample(level.expand(len(theta), -1, -1, -1), grid, padding_mode="border", align_corners=False)


def _reduce_region(image: Pixels, points: NDArray[np.float64], factor: int) -> tuple[torch.Tensor, Matrices]:
    """Reduce the part of an image around points (…, 2) xy: (1, 3, h, w) float32 and (2, 3) `level_from_image`.

    The origin is a multiple of `factor`, so that a chip does not depend on which others share its region.
    """
    last = np.array(image.shape[1::-1]) - 1
    margin = 2 * factor
    x, y = np.clip(np.floor(points.reshape(-1, 2).min(0)).astype(np.int64) - margin, 0, last) // factor * factor
    right, bottom = np.clip(np.ceil(points.reshape(-1, 2).max(0)).astype(np.int64) + margin, 0, last) + 1
    region = Image.fromarray(image[y:bottom, x:right])
    level = torch.from_numpy(np.array(region.reduce(factor))).permute(2, 0, 1).float()[None]
    scale, half = 1 / factor, (1 / factor - 1) / 2
    return level, np.array([[scale, 0, half - scale * x], [0, scale, half - scale * y]])


def _corners(image_from_chip: Matrices, size: int) -> NDArray[np.float64]:
    """(N, 4, 2) the outer corners of the chips, in image pixels."""
    low, high = -0.5, size - 0.5
    return apply(image_from_chip, [[low, low], [high, low], [low, high], [high, high]])


def _unit_from_pixels(width: int, height: int) -> Matrices:
    """(2, 3): torch's sampling frame, -1..1 from outer edge to outer edge, from pixels (align_corners=False)."""
    return np.array([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1]])
