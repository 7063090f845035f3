"""A batch of images at many scales: halved again and again by exact means, and sampled once from the half that fits."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.ops import roi_align

from alignimation_index.datatypes import Images


class Pyramid:
    """Images of one shape, at any smaller size and in crops.

    Both are sampled, one bilinear sample to a pixel, from an image at most twice as large. On faces of real photos this
    keeps as many as means over exact areas do, which the published way takes of the full photo each time.

    Attributes:
        count: how many images.
        height, width: of each, in pixels.
    """

    def __init__(self, images: Images, device: str) -> None:
        """Take (H, W, 3) uint8 images of one shape, in memory or on the device."""
        self.count = len(images)
        self.height, self.width = int(images[0].shape[0]), int(images[0].shape[1])
        self._halves = {1: _stacked(images, device)}
        self._planes: dict[int, torch.Tensor] = {}

    def resized(self, height: int, width: int) -> torch.Tensor:
        """All images at a size: (B, 3, height, width), 0..255, uint8 on a CPU and whole float32 numbers on a GPU."""
        factor = 1
        while 2 * factor * height <= self.height:
            factor *= 2
        return _resized(self._halved(factor), height, width)

    def crops(self, owners: torch.Tensor, boxes: torch.Tensor, size: int) -> torch.Tensor:
        """Square crops.

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
        halvings = shrink.clamp(min=1).log2().long()
        crops = torch.empty(len(boxes), 3, size, size, device=boxes.device)
        for count in set(halvings.tolist()):
            rows, factor = (halvings == count).nonzero()[:, 0], 2**count
            regions = torch.cat([owners[rows, None].float(), inside[rows] / factor], 1)
            crops[rows] = roi_align(self._floats(factor), regions, size, sampling_ratio=1, aligned=True)
        return crops

    def _halved(self, factor: int) -> torch.Tensor:
        """The images reduced by a power of two, as `resized` gives them."""
        if factor not in self._halves:
            twice = self._halved(factor // 2)
            # The last row or column of an odd number is left out, so that all the others are exact means of 2x2.
            height, width = (side // 2 for side in twice.shape[-2:])
            self._halves[factor] = _resized(twice[..., : 2 * height, : 2 * width], height, width)
        return self._halves[factor]

    def _floats(self, factor: int) -> torch.Tensor:
        """The same, float32, plane by plane."""
        if factor not in self._planes:
            self._planes[factor] = self._halved(factor).float().contiguous()
        return self._planes[factor]


def _resized(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    resized = F.interpolate(images, (height, width), mode="bilinear")
    return resized if resized.dtype == torch.uint8 else resized.round()


def _stacked(images: Images, device: str) -> torch.Tensor:
    """(B, 3, H, W), channels last: uint8 on a CPU, which then computes several times as fast, else float32."""
    if isinstance(images[0], torch.Tensor):
        stack = torch.stack([torch.as_tensor(image) for image in images])
    else:
        stack = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    return (stack if device == "cpu" else stack.to(device).float()).permute(0, 3, 1, 2)
