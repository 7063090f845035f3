"""From photo pixels to the pixels of a frame: one antialiased resampling through a similarity transform."""

from __future__ import annotations

import math

import numpy as np
import torch
from kornia.filters import gaussian_blur2d
from kornia.geometry.transform import warp_affine
from numpy.typing import ArrayLike

from alignimation_index import similarity
from alignimation_index.datatypes import DecodedPhoto, Pixels
from alignimation_index.similarity import Matrices

Box = tuple[int, int, int, int]

# The blur that a camera's own sampling leaves in a picture, in pixels (Lowe 2004, "Distinctive Image Features from
# Scale-Invariant Keypoints", section 3.3).
NATIVE_SIGMA_PX = 0.5
# Neighbours that bicubic interpolation reads on each side.
INTERPOLATION_REACH_PX = 2
# Stored transforms are float32, and some pass through JSON.
SIMILARITY_TOLERANCE = 1e-3


def frame_from_template(size_px: int) -> Matrices:
    """The matrix from the unit square to the pixels of a frame.

    Template (0, 0) is the top left corner of the frame's first pixel and (1, 1) the bottom right corner of its last,
    while pixel coordinates are integers at pixel centres: x_frame = size_px · x_template − 0.5.

    Returns:
        (2, 3) float64.
    """
    return np.array([[size_px, 0.0, -0.5], [0.0, size_px, -0.5]])


def decode_side_needed(template_from_photo: ArrayLike, size_px: int, width_px: int, height_px: int) -> int:
    """The shorter side that a decoded photo needs to have at least one pixel per pixel of the frame.

    Args:
        template_from_photo: (2, 3) float, a similarity from pixels of the full upright photo to the unit square.
        size_px: side of the frame.
        width_px: width of the full upright photo.
        height_px: height of the full upright photo.

    Returns:
        Pixels, at most the photo's own shorter side.

    Raises:
        ValueError: the matrix is not a similarity.
    """
    _check_similarity(template_from_photo)
    frame_px_per_photo_px = size_px * float(similarity.scale_of(template_from_photo))
    shorter_px = min(width_px, height_px)
    # Rounded first: a float32 matrix must not turn 256 into 257, which may cost a decode of twice the side.
    return max(1, math.ceil(round(shorter_px * min(1.0, frame_px_per_photo_px), 2)))


def warp_photo(
    photo: DecodedPhoto,
    template_from_photo: ArrayLike,
    size_px: int,
    device: str | torch.device = "cpu",
) -> Pixels:
    """Render the part of a photo that a frame sees.

    Bicubic interpolation; where the frame has fewer pixels than the photo, a Gaussian filter comes first. What lies
    outside of the photo is black.

    Args:
        photo: may be reduced; `decode_side_needed` says how far that costs no sharpness.
        template_from_photo: (2, 3) float, a similarity from pixels of the full upright photo to the unit square.
        size_px: side of the frame.
        device: where torch computes.

    Returns:
        (size_px, size_px, 3) uint8 RGB.

    Raises:
        ValueError: the matrix is not a similarity.
    """
    _check_similarity(template_from_photo)
    frame_from_photo = similarity.compose(frame_from_template(size_px), template_from_photo)
    frame_from_decoded = similarity.compose(frame_from_photo, photo.photo_from_decoded)
    sigma_px = _antialias_sigma(frame_from_decoded)
    box = _visible_box(frame_from_decoded, size_px, photo.pixels.shape, _blur_radius(sigma_px))
    if box is None:
        return np.zeros((size_px, size_px, 3), np.uint8)
    crop = _blur(_crop(np.asarray(photo.pixels), box, device), sigma_px)
    decoded_from_crop = np.array([[1.0, 0.0, box[0]], [0.0, 1.0, box[1]]])
    return _resample(crop, similarity.compose(frame_from_decoded, decoded_from_crop), size_px)


def _check_similarity(matrix: ArrayLike) -> None:
    """Raise ValueError unless the (2, 3) matrix is of the form [[a, -b, x], [b, a, y]]."""
    (a, minus_b, _), (b, d, _) = np.asarray(matrix, np.float64)
    scale = math.hypot(a, b)
    if not (0 < scale < math.inf and math.hypot(a - d, b + minus_b) <= SIMILARITY_TOLERANCE * scale):
        raise ValueError(f"a photo is never stretched: expected a similarity [[a, -b, x], [b, a, y]], got {matrix!r}")


def _antialias_sigma(frame_from_source: Matrices) -> float:
    """Standard deviation, in source pixels, of the filter that keeps a shrunk picture free of aliasing.

    Blurs of standard deviation p and q in a row are one of √(p² + q²). The source has a native blur of its own, the
    frame shall have the same in its larger pixels, and the filter is what is missing.
    """
    source_px_per_frame_px = 1 / float(similarity.scale_of(frame_from_source))
    return NATIVE_SIGMA_PX * math.sqrt(max(0.0, source_px_per_frame_px**2 - 1))


def _blur_radius(sigma_px: float) -> int:
    return math.ceil(3 * sigma_px)


def _visible_box(frame_from_source: Matrices, size_px: int, shape: tuple[int, ...], blur_radius_px: int) -> Box | None:
    """The source pixels that the frame depends on, as x0, y0, x1, y1 with exclusive ends; None if it sees no photo.

    The box reaches a margin beyond the photo, so that the photo's border is antialiased against the black too.
    """
    corners = [(x, y) for x in (-0.5, size_px - 0.5) for y in (-0.5, size_px - 0.5)]
    seen = similarity.apply(similarity.invert(frame_from_source), corners)
    margin = blur_radius_px + INTERPOLATION_REACH_PX
    height, width = shape[:2]
    first = np.maximum(np.floor(seen.min(axis=0)), 0) - margin
    end = np.minimum(np.ceil(seen.max(axis=0)) + 1, [width, height]) + margin
    if (end - first <= 2 * margin).any():
        return None
    return int(first[0]), int(first[1]), int(end[0]), int(end[1])


def _crop(pixels: Pixels, box: Box, device: str | torch.device) -> torch.Tensor:
    """Cut the box out of (H, W, 3) uint8 pixels, black where it exceeds them: (1, 3, h, w) float32 in 0..255."""
    x0, y0, x1, y1 = box
    height, width = pixels.shape[:2]
    inside = pixels[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    planes = torch.tensor(inside, device=device).permute(2, 0, 1)[None]
    beyond = [max(-x0, 0), max(x1 - width, 0), max(-y0, 0), max(y1 - height, 0)]
    # Channels first in memory as well: the blur is four times as fast on it.
    return torch.nn.functional.pad(planes, beyond).float().contiguous()


def _blur(source: torch.Tensor, sigma_px: float) -> torch.Tensor:
    """Filter (1, 3, h, w) with a Gaussian."""
    radius = _blur_radius(sigma_px)
    if radius == 0:
        return source
    kernel_size = 2 * radius + 1
    return gaussian_blur2d(source, (kernel_size, kernel_size), (sigma_px, sigma_px), border_type="constant")


def _resample(source: torch.Tensor, frame_from_source: Matrices, size_px: int) -> Pixels:
    """Warp (1, 3, h, w) float32 to (size_px, size_px, 3) uint8."""
    matrix = torch.tensor(frame_from_source, dtype=source.dtype, device=source.device)[None]
    # align_corners=True is kornia's name for pixel centres at integer coordinates.
    frame = warp_affine(source, matrix, (size_px, size_px), mode="bicubic", align_corners=True)
    pixels: Pixels = frame[0].clamp(0, 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()
    return pixels
