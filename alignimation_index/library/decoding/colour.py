"""Decoded pixels of any mode and colour space to 8-bit sRGB."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from alignimation_index.datatypes import Pixels

STRIP_PIXELS = 4_000_000
"""So many pixels of a picture that will be reduced are converted at once."""

log = logging.getLogger(__name__)


def coloured_and_reduced(image: Image.Image, rows: int, factor: int) -> Image.Image:
    """Convert any mode to L, RGB or RGBA and reduce it, strip by strip: of a large picture there is no second copy.

    Args:
        image: any mode, loaded.
        rows: what is below so many rows is made black.
        factor: how many pixels become one, along each side; a side that it does not divide is rounded up.
    """
    levels = _grey_levels(image) if image.mode.startswith(("I", "F")) else None
    width, height = (-(-side // factor) for side in image.size)
    whole: Image.Image | None = None
    for top, bottom in _strips(image, factor):
        is_whole = bottom - top == image.height
        strip = _to_8_bit_colour(image if is_whole else image.crop((0, top, image.width, bottom)), levels)
        if rows < bottom:
            strip.paste("black", (0, max(0, rows - top), *strip.size))  # which nothing is not, as CMYK
        reduced = strip.reduce(factor) if factor > 1 else strip  # which would copy
        if is_whole:
            return reduced
        whole = whole or Image.new(reduced.mode, (width, height))
        whole.paste(reduced, (0, top // factor))
    return cast("Image.Image", whole)


def _strips(image: Image.Image, factor: int) -> Iterator[tuple[int, int]]:
    """First row and end of strips of many pixels that `factor` divides; all in one where nothing is reduced."""
    height = image.height if factor == 1 else max(1, STRIP_PIXELS // image.width // factor) * factor
    for top in range(0, image.height, height):
        yield top, min(top + height, image.height)


def _to_8_bit_colour(image: Image.Image, levels: tuple[float, float] | None) -> Image.Image:
    """Convert any mode to L, RGB or, with transparency, RGBA; more than 8 bits of grey from between these levels."""
    if levels:
        return Image.fromarray(_scale_to_8_bit(np.asarray(image), *levels))
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")  # which would copy
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _grey_levels(image: Image.Image) -> tuple[float, float]:
    """Black and white of many-bit grey: white is the usual value that holds all there are, else the largest of them."""
    strips = (image.crop((0, top, image.width, bottom)) for top, bottom in _strips(image, 2))
    ends = [(grey.min(), grey.max()) for grey in map(_finite, map(np.asarray, strips))]
    black, brightest = min(0.0, *(float(low) for low, _ in ends)), max(float(high) for _, high in ends)
    usual_whites = (1.0, 255.0, 65535.0) if image.mode.startswith("F") else (65535.0,)
    return black, next((white for white in usual_whites if brightest <= white), brightest)


def _scale_to_8_bit(values: NDArray[np.generic], black: float, white: float) -> Pixels:
    """Scale (H, W) grey values to 0..255."""
    scaled: Pixels = np.rint((_finite(values) - black) * (255 / (white - black))).astype(np.uint8)
    return scaled


def _finite(values: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0)


def over_white(image: Image.Image) -> Image.Image:
    """RGB pixels of L, RGB or RGBA ones, transparent parts over white."""
    if image.mode != "RGBA":
        return image if image.mode == "RGB" else image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def is_srgb(icc_profile: bytes | None) -> bool:
    """Whether RGB pixels with this embedded profile are taken as sRGB as they are.

    So they are without a profile, and with one of another kind (CMYK, grey): it spoke of the pixels before they became
    RGB.
    """
    if not icc_profile or icc_profile[16:20] != b"RGB ":
        return True
    try:
        description = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc_profile)))
    except (ImageCms.PyCMSError, OSError) as error:
        log.debug("unusable colour profile: %s", error)
        return True
    return description.lower().startswith("srgb")


def to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Convert RGB pixels from their embedded colour space, Display P3 for instance, to sRGB."""
    if icc_profile is None or is_srgb(icc_profile):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB")) or image
    except (ImageCms.PyCMSError, OSError) as error:
        log.debug("unusable colour profile: %s", error)
        return image
