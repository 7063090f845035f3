"""Face chips of images on a GPU, where a step costs as much for one chip as for many: a few steps for all of them."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from alignimation_index.similarity import Matrices, compose, invert

# Chips are sampled so many pixels at a time, which take some 80 bytes each meanwhile.
PIXELS_AT_ONCE = 1 << 23
# So often images are halved for the chips of nearly all faces.
USUAL_HALVINGS = 4


class ImagesOnGpu:
    """Images of one device and their halves, all in one row of pixels."""

    def __init__(self, images: Sequence[torch.Tensor]) -> None:
        """Take (H, W, 3) uint8 each, of any sizes."""
        order = sorted(range(len(images)), key=lambda index: tuple(images[index].shape))
        self._place_of = np.argsort(order)
        by_shape = groupby((images[index] for index in order), lambda image: image.shape)
        self._halves = _Halves([torch.stack(list(alike)) for _, alike in by_shape], USUAL_HALVINGS)

    def cut(
        self, owners: NDArray[np.int64], chip_from_image: Matrices, halvings: NDArray[np.int64], size: int
    ) -> torch.Tensor:
        """As `chips.ChipCutter.cut`.

        Args:
            owners: (N,) which image each chip is of; N is at least 1.
            chip_from_image: (N, 2, 3) affine, finite.
            halvings: (N,) of the image before sampling.
            size: side of a chip in pixels.
        """
        if halvings.max() > self._halves.most:
            self._halves = _Halves(self._halves.stacks, int(halvings.max()))
        pixels, device = self._halves.pixels, self._halves.pixels.device
        places = torch.from_numpy(self._halves.places[halvings, self._place_of[owners]]).to(device)
        matrices = compose(_reduced_from_image(halvings), invert(chip_from_image))
        # Within what float32 holds: an index that is none is the end of all that this process does on the GPU.
        image_from_chip = torch.from_numpy(matrices.clip(-1e6, 1e6).astype(np.float32)).to(device)
        at_once = max(PIXELS_AT_ONCE // size**2, 1)
        parts = zip(torch.split(places, at_once), torch.split(image_from_chip, at_once), strict=True)
        return torch.cat([_sampled(pixels, *part, size) for part in parts])


_kept: dict[tuple[int, ...], ImagesOnGpu] = {}


def images_on_gpu(images: Sequence[torch.Tensor]) -> ImagesOnGpu:
    """The same for the same images as long as all of them are there: several stages cut chips out of them."""
    key = tuple(map(id, images))
    if key not in _kept:
        _kept[key] = ImagesOnGpu(images)
        for image in images:
            weakref.finalize(image, _kept.pop, key, None)
    return _kept[key]


class _Halves:
    """Images as they are, halved once, twice, ….

    Attributes:
        most: how often.
        pixels: (P, 3) uint8 of all of them. Those of halves are rounded means of 2x2, 4x4, … pixels of the image; the
            last ones of a side may cover fewer.
        places: (most + 1, images, 3) int64 first pixel, height and width of each.
        stacks: (B, H, W, 3) uint8 of the images of each shape, a part of `pixels`.
    """

    def __init__(self, stacks: Sequence[torch.Tensor], most: int) -> None:
        """Take (B, H, W, 3) uint8 each."""
        sides = np.concatenate([np.tile(stack.shape[1:3], (len(stack), 1)) for stack in stacks])
        sizes = np.stack([-(-sides // 2**halvings) for halvings in range(most + 1)])
        counts = sizes.prod(-1)
        starts = counts.cumsum().reshape(counts.shape) - counts
        self.most = most
        self.places = np.concatenate([starts[..., None], sizes], -1)
        halves = zip(*(_halved(stack, most) for stack in stacks), strict=True)
        self.pixels = torch.cat([images.flatten(0, 2) for of_stacks in halves for images in of_stacks])
        whole = torch.split(self.pixels[: int(counts[0].sum())], [stack[..., 0].numel() for stack in stacks])
        self.stacks = [part.view(stack.shape) for part, stack in zip(whole, stacks, strict=True)]


def _halved(images: torch.Tensor, most: int) -> list[torch.Tensor]:
    """(B, H, W, 3) uint8 as they are, halved once, twice, …: (B, h, w, 3) uint8 each."""
    halves, sums = [images], images
    for halvings in range(1, most + 1):
        # Sums, from which the next ones follow without rounding.
        height, width = sums.shape[1:3]
        even = F.pad(sums, (0, 0, 0, width % 2, 0, height % 2)) if height % 2 or width % 2 else sums
        # Four terms are several times as fast as a sum over axes, and short numbers as long ones.
        whole = torch.int16 if 255 * 4**halvings < 1 << 15 else torch.int32
        left, right = ([even[:, row::2, column::2].to(whole) for row in (0, 1)] for column in (0, 1))
        sums = left[0] + right[0] + left[1] + right[1]
        rows, columns = (_covered(side, 2**halvings, images.device) for side in images.shape[1:3])
        halves.append((sums / (rows[:, None, None] * columns[:, None]) + 0.5).byte())
    return halves


def _covered(side_px: int, factor: int, device: torch.device) -> torch.Tensor:
    """How many pixels of a side each reduced one covers."""
    starts = torch.arange(0, side_px, factor, device=device)
    return (side_px - starts).clamp(max=factor)


def _reduced_from_image(halvings: NDArray[np.int64]) -> Matrices:
    """(N, 2, 3): pixels of an image that was halved so often, from its own."""
    scale = 0.5 ** halvings[:, None]
    matrices = np.zeros((len(halvings), 2, 3))
    matrices[:, [0, 1], [0, 1]] = scale
    matrices[:, :, 2] = (scale - 1) / 2
    return matrices


def _sampled(pixels: torch.Tensor, places: torch.Tensor, image_from_chip: torch.Tensor, size: int) -> torch.Tensor:
    """Sample images at chips, bilinear; beyond an image its edge goes on.

    Args:
        pixels: (P, 3) uint8.
        places: (N, 3) int64 first pixel, height and width of the image of each chip.
        image_from_chip: (N, 2, 3) float32, both in pixels.
        size: side of a chip in pixels.

    Returns:
        (N, 3, size, size) float32.
    """
    along = torch.arange(size, dtype=torch.float32, device=pixels.device)
    across, down, offset = (column[..., None, None] for column in image_from_chip.unbind(-1))
    first, height, width = (column[:, None, None] for column in places.unbind(-1))
    x, y = (across * along + down * along[:, None] + offset).unbind(1)
    x, y = torch.minimum(x.clamp(min=0), width - 1.0), torch.minimum(y.clamp(min=0), height - 1.0)
    left, top = x.long(), y.long()
    right, bottom = torch.minimum(left + 1, width - 1), torch.minimum(top + 1, height - 1)

    def row(y: torch.Tensor) -> torch.Tensor:
        start = first + y * width
        return torch.lerp(pixels[start + left].float(), pixels[start + right].float(), (x - left)[..., None])

    return torch.lerp(row(top), row(bottom), (y - top)[..., None]).permute(0, 3, 1, 2)
