"""What fills the canvas beyond a photo's edges: the photo's own colours, run on and blurred."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from alignimation_index import similarity
from alignimation_index.datatypes import Float, Pixels
from alignimation_index.similarity import Matrices

# The fill has this part of the canvas's resolution: what is blurred needs no more.
FILL_REDUCTION = 8
FILL_BLUR_PX = 1.5
# Over this share of the canvas's shorter side a photo's edge fades into the fill.
FEATHER = 0.04


def blend_into_blur(canvas: Image.Image, photo_from_canvas: Matrices, photo_size: tuple[int, int]) -> Image.Image:
    """Fill the canvas beyond a photo with its colours, the more blurred the further out, without a seam.

    Args:
        canvas: RGB, anything beyond the photo.
        photo_from_canvas: (2, 3) from pixels of the canvas to pixels of the photo, a similarity.
        photo_size: width and height of that photo.
    """
    depth = _depth_px(canvas.size, photo_from_canvas, photo_size)
    if depth is None:
        return canvas
    fade = np.clip(depth / (FEATHER * min(canvas.size)), 0, 1)
    mask = Image.fromarray(np.uint8(255 * fade * fade * (3 - 2 * fade)))
    inside = Image.fromarray(np.uint8(255 * np.clip(depth + 0.5, 0, 1)))
    known = np.asarray(inside.reduce(FILL_REDUCTION), np.float32)[..., None] / np.float32(255)
    only_photo = Image.composite(canvas, Image.new("RGB", canvas.size), inside)
    colours = np.asarray(only_photo.reduce(FILL_REDUCTION), np.float32)
    fill = _fill_in(colours, known)
    # Steps between the levels of the pyramid would show on wide, even ground.
    smooth = Image.fromarray(np.uint8(np.clip(fill + 0.5, 0, 255))).filter(ImageFilter.GaussianBlur(FILL_BLUR_PX))
    return Image.composite(canvas, smooth.resize(canvas.size, Image.Resampling.BICUBIC), mask)


def _depth_px(size: tuple[int, int], photo_from_canvas: Matrices, photo_size: tuple[int, int]) -> Float | None:
    """(H, W) how deep inside the photo each pixel of the canvas is, in its pixels; None if none is beyond it."""
    scale = float(similarity.scale_of(photo_from_canvas))
    columns, rows = (np.arange(side, dtype=np.float32) for side in size)
    depth: Float | None = None
    for (along_x, along_y, start), side in zip(photo_from_canvas, photo_size, strict=True):
        across, down = np.float32(along_x / scale) * columns, np.float32(along_y / scale) * rows
        place: Float = (across + np.float32((start + 0.5) / scale))[None] + down[:, None]
        nearest: Float = np.minimum(place, np.float32(side / scale) - place)
        depth = nearest if depth is None else np.minimum(depth, nearest)
    return None if depth is None or depth.min() >= 0 else np.asarray(depth, np.float32)


def _fill_in(premultiplied: Float, known: Float) -> Float:
    """Colours everywhere, of colours in part: pull-push (Gortler et al. 1996, "The Lumigraph", section 3.4).

    Args:
        premultiplied: (H, W, 3) float32, colours times `known`.
        known: (H, W, 1) float32 in 0..1.
    """
    if max(known.shape[:2]) <= 1 or known.min() >= 1:
        return np.asarray(premultiplied / np.maximum(known, 1e-6), np.float32)
    colours, weights = _halved(premultiplied), _halved(known)
    # Twice as known as the mean of four, so that what is next to the photo is decided there, not far away.
    gain = np.minimum(2.0, 1 / np.maximum(weights, 1e-6)).astype(np.float32)
    coarse = _fill_in(colours * gain, weights * gain)
    return np.asarray(premultiplied + (1 - known) * _enlarged(coarse, known.shape), np.float32)


def _halved(values: Float) -> Float:
    """Means of two by two; an odd last row or column is repeated."""
    height, width = values.shape[:2]
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, -1)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def _enlarged(values: Float, shape: tuple[int, ...]) -> NDArray[np.float32]:
    size = (shape[1], shape[0])
    doubled = (values.shape[1] * 2, values.shape[0] * 2)
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(values, 2, 0)]
    grown = [plane.resize(doubled, Image.Resampling.BICUBIC).crop((0, 0, *size)) for plane in planes]
    return np.stack([np.asarray(plane) for plane in grown], 2)


def bordered(pixels: Pixels, box: tuple[int, int, int, int], mode: str, colour: tuple[int, int, int]) -> Pixels:
    """Cut a box out of (H, W, 3) pixels that may exceed them.

    Args:
        pixels: (H, W, 3) uint8.
        box: x0, y0, x1, y1 with exclusive ends.
        mode: what is beyond: "edge" repeats the last pixel, "symmetric" mirrors, "constant" is the colour.
        colour: red, green and blue.
    """
    x0, y0, x1, y1 = box
    height, width = pixels.shape[:2]
    inner = pixels[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    beyond = ((max(-y0, 0), max(y1 - height, 0)), (max(-x0, 0), max(x1 - width, 0)))
    if mode != "constant":
        return np.pad(inner, (*beyond, (0, 0)), mode="symmetric" if mode == "symmetric" else "edge")
    filled = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
    filled[:] = colour
    top, left = beyond[0][0], beyond[1][0]
    filled[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return filled
