"""From photo pixels to the pixels of the canvas: one antialiased resampling through a similarity transform."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageFilter

from alignimation_index import similarity
from alignimation_index.datatypes import DecodedPhoto, Pixels
from alignimation_index.render.stills.edges import blend_into_blur, bordered
from alignimation_index.render.stills.framing import BLUR, MIRROR, colour_of
from alignimation_index.similarity import Matrices

Box = tuple[int, int, int, int]

# Pixels on each side that the filter and bicubic interpolation read.
REACH_PX = 3
# Weight of a neighbour in the filter ahead of the interpolation, per source pixel that a canvas pixel has beyond one:
# the one that came nearest to area sampling of finer photos, from 1 to 2 pixels to a pixel.
SOFTENING = 0.19
# Less than that is not to be seen, and would take a third of the time.
LEAST_SOFTENING = 0.01
# Stored transforms are float32, and some pass through JSON.
SIMILARITY_TOLERANCE = 1e-3


def decode_side_needed(canvas_from_photo: ArrayLike, width_px: int, height_px: int) -> int:
    """The shorter side that a decoded photo needs to have at least one pixel per pixel of the canvas.

    Args:
        canvas_from_photo: (2, 3) float, a similarity from pixels of the full upright photo to those of the canvas.
        width_px: width of the full upright photo.
        height_px: height of the full upright photo.

    Returns:
        Pixels, at most the photo's own shorter side.

    Raises:
        ValueError: the matrix is not a similarity.
    """
    _check_similarity(canvas_from_photo)
    shorter_px = min(width_px, height_px)
    # Rounded first: a float32 matrix must not turn 256 into 257, which may cost a decode of twice the side.
    return max(1, math.ceil(round(shorter_px * min(1.0, float(similarity.scale_of(canvas_from_photo))), 2)))


def part_needed(
    canvas_from_photo: ArrayLike, size: tuple[int, int], photo_size: tuple[int, int], edges: str
) -> tuple[float, float, float, float]:
    """What a canvas sees of a photo, and mirrors of it, as xyxy in pixels of the full upright photo.

    Args:
        canvas_from_photo: (2, 3) float, a similarity.
        size: width and height of the canvas.
        photo_size: width and height of the photo.
        edges: see `Framing`.
    """
    first, end = _seen(np.asarray(canvas_from_photo, np.float64), size)
    if edges == MIRROR:
        last = np.array(photo_size) - 1
        first, end = np.minimum(first, 2 * last - end), np.maximum(end, -first)
    return float(first[0]), float(first[1]), float(end[0]), float(end[1])


def warp_photo(
    photo: DecodedPhoto, canvas_from_photo: ArrayLike, size: tuple[int, int], edges: str = "#000000"
) -> Pixels:
    """Render the part of a photo that a canvas sees.

    Bicubic interpolation; where the canvas has fewer pixels than the photo, a filter comes first. Pillow's bicubic
    kernel (a = −1) is sharp, and moves detail by up to a tenth of a source pixel to and fro, on average not at all.

    Args:
        photo: may be reduced, and in part; `decode_side_needed` and `part_needed` say how far that costs nothing.
        canvas_from_photo: (2, 3) float, a similarity from pixels of the full upright photo to those of the canvas.
        size: width and height of the canvas.
        edges: what is beyond the photo, see `Framing`.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: the matrix is not a similarity.
    """
    _check_similarity(canvas_from_photo)
    canvas_from_decoded = similarity.compose(canvas_from_photo, photo.photo_from_decoded)
    pixels, canvas_from_source = _reduced(np.asarray(photo.pixels), canvas_from_decoded)
    box = _box(canvas_from_source, size, pixels.shape, edges)
    if box is None:
        return np.full((size[1], size[0], 3), colour_of(edges), np.uint8)
    source = bordered(pixels, box, _padding(edges), colour_of(edges))
    canvas_from_cut = similarity.compose(canvas_from_source, [[1, 0, box[0]], [0, 1, box[1]]])
    canvas = _resampled(Image.fromarray(source), canvas_from_cut, size, colour_of(edges))
    if edges == BLUR:
        photo_from_canvas = similarity.invert(canvas_from_photo)
        canvas = blend_into_blur(canvas, photo_from_canvas, (photo.width_px, photo.height_px))
    return np.asarray(canvas)


def _check_similarity(matrix: ArrayLike) -> None:
    """Raise ValueError unless the (2, 3) matrix is of the form [[a, -b, x], [b, a, y]]."""
    (a, minus_b, _), (b, d, _) = np.asarray(matrix, np.float64)
    scale = math.hypot(a, b)
    if not (0 < scale < math.inf and math.hypot(a - d, b + minus_b) <= SIMILARITY_TOLERANCE * scale):
        raise ValueError(f"a photo is never stretched: expected a similarity [[a, -b, x], [b, a, y]], got {matrix!r}")


def _reduced(pixels: Pixels, canvas_from_source: Matrices) -> tuple[Pixels, Matrices]:
    """Average whole blocks of a source that has two pixels or more per pixel of the canvas, as decoding would have."""
    factor = int(1 / float(similarity.scale_of(canvas_from_source)) + 1e-6)
    if factor < 2:
        return pixels, canvas_from_source
    shift = (factor - 1) / 2
    moved = similarity.compose(canvas_from_source, [[factor, 0, shift], [0, factor, shift]])
    return np.asarray(Image.fromarray(pixels).reduce(factor)), moved


def _seen(canvas_from_source: Matrices, size: tuple[int, int]) -> tuple[Matrices, Matrices]:
    """The corners of smallest and of largest coordinates of what a canvas sees, in pixels of the source."""
    corners = [(x, y) for x in (-0.5, size[0] - 0.5) for y in (-0.5, size[1] - 0.5)]
    seen = similarity.apply(similarity.invert(canvas_from_source), corners)
    return seen.min(axis=0), seen.max(axis=0)


def _box(canvas_from_source: Matrices, size: tuple[int, int], shape: tuple[int, ...], edges: str) -> Box | None:
    """The source pixels that the canvas depends on, as x0, y0, x1, y1 with exclusive ends; None if it sees no photo.

    It reaches beyond the photo as far as the canvas sees it mirrored, else by a margin, so that its border is
    antialiased too.
    """
    first, end = _seen(canvas_from_source, size)
    sides = np.array([shape[1], shape[0]])
    first, end = np.floor(first), np.ceil(end) + 1
    if edges == MIRROR:
        first, end = np.minimum(first, 2 * sides - end), np.maximum(end, -first)
    elif (np.minimum(end, sides) <= np.maximum(first, 0)).any():
        return None
    else:
        first, end = np.maximum(first, 0), np.minimum(end, sides)
    first, end = first - REACH_PX, end + REACH_PX
    return int(first[0]), int(first[1]), int(end[0]), int(end[1])


def _padding(edges: str) -> str:
    return {BLUR: "edge", MIRROR: "symmetric"}.get(edges, "constant")


def _resampled(
    source: Image.Image, canvas_from_source: Matrices, size: tuple[int, int], colour: tuple[int, int, int]
) -> Image.Image:
    """Warp RGB pixels to a canvas of this size, the colour beyond them."""
    source_from_canvas = similarity.invert(canvas_from_source)
    neighbour = SOFTENING * (float(similarity.scale_of(source_from_canvas)) - 1)
    if neighbour > LEAST_SOFTENING:
        row = np.array([neighbour, 1 - 2 * neighbour, neighbour])
        source = source.filter(ImageFilter.Kernel((3, 3), np.outer(row, row).ravel().tolist(), scale=1))
    # Pillow's coordinates are those of pixels' outer corners, both of the source and of the canvas.
    linear = source_from_canvas[:, :2]
    start = source_from_canvas[:, 2] + 0.5 - linear @ [0.5, 0.5]
    data = np.column_stack([linear, start]).ravel().tolist()
    return source.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC, fillcolor=colour)
