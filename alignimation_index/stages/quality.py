"""How good a picture of a face is: large, sharp, well lit, surely a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alignimation_index.datatypes import DecodedPhoto, Detections, Float
from alignimation_index.similarity import fit_similarity

CHIP_PX = 96
# Where the landmarks come to lie in the chip, as shares of its side: eyes, nose, mouth.
CHIP_LANDMARKS = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.58], [0.34, 0.76], [0.66, 0.76]])
FULL_SIZE_PX = 160.0
FULL_SHARPNESS = 6.0
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


def measure_quality(photo: DecodedPhoto, faces: Detections, landmarks: Float) -> Quality:
    """Measure the faces of a photo; boxes and (N, 5, 2) landmarks in pixels of the full upright photo."""
    size_px = (faces.boxes[:, 2:] - faces.boxes[:, :2]).max(1, initial=0)
    chips = _grey_chips(photo, landmarks)
    sharpness = _laplacian(chips).std((1, 2))
    brightness = chips.mean((1, 2)) / 255
    shares = [
        np.minimum(size_px / FULL_SIZE_PX, 1),
        np.minimum(sharpness / FULL_SHARPNESS, 1),
        1 - (2 * brightness - 1) ** 2,
        faces.scores,
    ]
    quality = np.prod(shares, axis=0) ** (1 / len(shares))
    return Quality(*(np.asarray(values, np.float32) for values in (size_px, sharpness, brightness, quality)))


def _grey_chips(photo: DecodedPhoto, landmarks: Float) -> Float:
    """(N, CHIP_PX, CHIP_PX) upright grey faces in 0..255."""
    from alignimation_index.models.chips import cut_chips  # imports torch, which an update without work does not need

    chip_from_decoded = fit_similarity(photo.to_decoded(landmarks), CHIP_LANDMARKS * CHIP_PX)
    chips: Float = cut_chips(photo.pixels, chip_from_decoded, CHIP_PX).numpy()
    return np.tensordot(chips, np.array(LUMA, np.float32), (1, 0))


def _laplacian(grey: Float) -> Float:
    centre = grey[:, 1:-1, 1:-1]
    return grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * centre
