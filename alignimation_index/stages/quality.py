"""How good a picture of a face is: large, sharp, well lit, surely a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignimation_index.datatypes import DecodedPhoto, Detections, Float
from alignimation_index.similarity import fit_similarity

if TYPE_CHECKING:
    from torch import Tensor

CHIP_PX = 96
# Where the landmarks come to lie in the chip, as shares of its side: eyes, nose, mouth.
CHIP_LANDMARKS = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.58], [0.34, 0.76], [0.66, 0.76]])
FULL_SIZE_PX = 160.0
FULL_SHARPNESS = 7.0
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Quality:
    """What N faces are worth as pictures.

    Attributes:
        size_px: (N,) float32, the longer side of the box in pixels of the full photo.
        sharpness: (N,) float32, standard deviation of the Laplacian of the face's grey values brought to CHIP_PX, so
            that a small face is blurred by its enlargement.
        brightness: (N,) float32 in 0..1, mean grey value of the face.
        quality: (N,) float32 in 0..1, geometric mean of the shares of a full size, a full sharpness, a middle
            brightness and the detector's score.
    """

    size_px: Float
    sharpness: Float
    brightness: Float
    quality: Float


def measure_quality(
    photos: Sequence[DecodedPhoto], faces: Sequence[Detections], landmarks: Sequence[Float]
) -> list[Quality]:
    """Measure the faces of each photo; boxes and (N, 5, 2) landmarks in pixels of the full upright photo."""
    sharpness, brightness = _sharpness_and_brightness(photos, landmarks)
    size_px = np.concatenate([(found.boxes[:, 2:] - found.boxes[:, :2]).max(1, initial=0) for found in faces])
    shares = [
        np.minimum(size_px / FULL_SIZE_PX, 1),
        np.minimum(sharpness / FULL_SHARPNESS, 1),
        1 - (2 * brightness - 1) ** 2,
        np.concatenate([found.scores for found in faces]),
    ]
    quality = np.prod(shares, axis=0) ** (1 / len(shares))
    ends = np.cumsum([len(found) for found in faces])[:-1]
    measured = (np.split(np.asarray(values, np.float32), ends) for values in (size_px, sharpness, brightness, quality))
    return [Quality(*of_photo) for of_photo in zip(*measured, strict=True)]


def _sharpness_and_brightness(photos: Sequence[DecodedPhoto], landmarks: Sequence[Float]) -> tuple[Float, Float]:
    """(all N,) each, of upright grey faces."""
    # These import torch, which an update without work does not need.
    import torch

    from alignimation_index.models.chips import cut_each

    chip_from_decoded = [
        fit_similarity(photo.to_decoded(of_photo), CHIP_LANDMARKS * CHIP_PX)
        for photo, of_photo in zip(photos, landmarks, strict=True)
    ]
    chips = cut_each([photo.pixels for photo in photos], chip_from_decoded, CHIP_PX)
    grey = torch.einsum("ncyx,c->nyx", chips, torch.tensor(LUMA, device=chips.device))
    edges = _laplacian(grey)
    sharpness = (edges - edges.mean((1, 2), keepdim=True)).square().mean((1, 2)).sqrt()
    return sharpness.cpu().numpy(), (grey.mean((1, 2)) / 255).cpu().numpy()


def _laplacian(grey: Tensor) -> Tensor:
    """(N, H, W) to (N, H - 2, W - 2)."""
    centre = grey[:, 1:-1, 1:-1]
    return grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * centre
