"""A batch of images at many scales, without aliasing."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
import PIL.Image
import torch
from torchvision.ops import roi_align

from alignimation_index.datatypes import Image, Images
from alignimation_index.models.chips import reduce_image

BOX = PIL.Image.Resampling.BOX


class Pyramid:
    """Images of one shape, at any smaller size and in crops.

    Attributes:
        count: how many images.
        height, width: of each, in pixels.
    """

    def __init__(self, images: Images, device: str) -> None:
        """Take (H, W, 3) uint8 images of one shape, in memory or on the device."""
        self.count = len(images)
        self.height, self.width = int(images[0].shape[0]), int(images[0].shape[1])
        self._images = images
        self._device = device
        self._reduced: dict[int, torch.Tensor] = {}

    def resized(self, height: int, width: int) -> torch.Tensor:
        """All images at a size, each pixel the mean of those whose middle it covers: (B, 3, height, width), 0..255."""
        if self._device != "cpu":
            rows = _box_weights(height, self.height, self._device)
            columns = _box_weights(width, self.width, self._device)
            # Rounded after each axis, as Pillow has it.
            return (rows @ (self._planes(1) @ columns.T).round()).round()
        # Several times as fast as torch's pooling on a CPU.
        resized = [np.asarray(image.resize((width, height), BOX)) for image in self._pictures]
        return torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).float()

    def crops(self, owners: torch.Tensor, boxes: torch.Tensor, size: int) -> torch.Tensor:
        """Square crops without aliasing.

        Args:
            owners: (N,) which image each is of.
            boxes: (N, 4) extents in pixels (the first pixel covers 0..1); what lies outside of the image is cut off,
                and the rest stretched.
            size: side of a crop in pixels.

        Returns:
            (N, 3, size, size) float32 in 0..255.
        """
        inside = boxes.clone()
        inside[:, 0::2] = boxes[:, 0::2].clamp(0, self.width)
        inside[:, 1::2] = boxes[:, 1::2].clamp(0, self.height)
        shrink = (inside[:, 2:] - inside[:, :2]).amin(1) / size
        # One sample per crop pixel where it does not shrink; two per axis meet a shrinking by up to 2, halvings more.
        halvings = (shrink.clamp(min=0.6).log2() - 1e-6).ceil().long() - 1
        crops = torch.empty(len(boxes), 3, size, size, device=boxes.device)
        for count in set(halvings.tolist()):
            rows = (halvings == count).nonzero()[:, 0]
            samples, factor = (1, 1) if count < 0 else (2, 2**count)
            regions = torch.cat([owners[rows, None].float(), inside[rows] / factor], 1)
            crops[rows] = roi_align(self._planes(factor), regions, size, sampling_ratio=samples, aligned=True)
        return crops

    @cached_property
    def _pictures(self) -> list[PIL.Image.Image]:
        return [PIL.Image.fromarray(np.asarray(image)) for image in self._images]

    def _planes(self, factor: int) -> torch.Tensor:
        """(B, 3, h, w) float32 in 0..255 of the images reduced by a factor."""
        if factor not in self._reduced:
            reduced = [reduce_image(image, factor) for image in self._images]
            self._reduced[factor] = torch.stack([_as_planes(image) for image in reduced]).to(self._device).float()
        return self._reduced[factor]


def _as_planes(image: Image) -> torch.Tensor:
    """(H, W, 3) uint8 as (3, H, W), contiguous, where it is."""
    if isinstance(image, torch.Tensor):
        return image.permute(2, 0, 1).contiguous()
    return torch.from_numpy(image.transpose(2, 0, 1).copy())


@lru_cache(maxsize=256)
def _box_weights(to_size: int, from_size: int, device: str) -> torch.Tensor:
    """(to, from): means over equal parts of an axis, as Pillow's BOX has them: of pixels whose middle is inside."""
    step = from_size / to_size
    middle = (torch.arange(to_size, dtype=torch.float64)[:, None] + 0.5) * step
    offset = torch.arange(from_size, dtype=torch.float64) + 0.5 - middle
    half = max(step, 1) / 2
    inside = ((offset > -half) & (offset <= half)).double()
    return (inside / inside.sum(1, keepdim=True)).float().to(device)
