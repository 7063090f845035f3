"""Weighted sums of pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from alignimation_index.datatypes import Pixels

OPAQUE = 255.0


def mixed(pictures: Sequence[Pixels], weights: Sequence[float]) -> Pixels:
    """The weighted sum of pictures, of the values as they are stored.

    In linear light bright pictures would outweigh dark ones: half way from a dark photo to a bright one it looked as
    if the dark one had already gone, and flashes stood out of a blend.

    Args:
        pictures: (H, W, 3) uint8 RGB, or (H, W, 4) with alpha, not premultiplied.
        weights: their sum is 1.

    Returns:
        uint8 of the same shape.
    """
    if len(pictures) == 1:
        return pictures[0]
    total = torch.zeros(pictures[0].shape)
    for picture, weight in zip(pictures, weights, strict=True):
        total.add_(premultiplied(picture), alpha=weight)
    return as_pixels(total)


def premultiplied(picture: Pixels) -> torch.Tensor:
    """A picture whose colours count as far as it is opaque: as it is, where there is no alpha."""
    tensor = torch.from_numpy(np.require(picture, requirements="W"))
    if tensor.shape[-1] == 3:
        return tensor
    alpha = tensor[..., 3:].float()
    return torch.cat([tensor[..., :3] * (alpha / OPAQUE), alpha], -1)


def as_pixels(total: torch.Tensor) -> Pixels:
    """What `premultiplied` values, (H, W, C) float32, look like as uint8; the argument is overwritten."""
    if total.shape[-1] == 4:
        total[..., :3] *= OPAQUE / total[..., 3:].clamp(min=1)
    pixels: Pixels = total.add_(0.5).clamp_(0, OPAQUE).to(torch.uint8).numpy()
    return pixels
