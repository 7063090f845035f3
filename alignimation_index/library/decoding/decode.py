"""Bytes of a picture file to upright RGB pixels."""

from __future__ import annotations

import functools
import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from alignimation_index.datatypes import DecodedPhoto, Pixels
from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.colour import coloured_and_reduced, over_white, to_srgb
from alignimation_index.library.decoding.raw import is_camera_raw, open_raw
from alignimation_index.library.formats import format_by_content

if TYPE_CHECKING:
    from torch import Tensor

MAX_PIXELS = 178_956_970
"""Largest width × height that is decoded: the size at which Pillow stops by default.

A JPEG may be twice as large, as those of phones' sensors of 200 million pixels are: of it, less is decoded.
"""

SHARED_PIXELS = 50_000_000
"""Pictures of which more pixels are decoded are so one at a time, however many decoders there are."""

MIN_ROWS_SHARE = 0.1
"""Of a truncated JPEG, the least share of its rows that is worth a look."""

# AVIF before HEIF: either may carry the brand mif1, and only the AVIF reader looks at the compatible brands.
# JPEG opens MPO as well.
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")

# Of which less than all can be decoded.
_JPEGS = ("JPEG", "MPO")

_ORIENTATION_TAG = 0x0112
_TRANSPOSE_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.32, tag 0x0112: how to turn the stored picture upright; 1 needs nothing."""

LAST_COLUMN_FIRST, LAST_ROW_FIRST = (2, 3, 6, 7), (3, 4, 7, 8)
"""Orientations that bring a rounded-up end of the stored picture to the upright one's left, and to its top."""

_TRUNCATED = re.compile(r"truncat|end of file|buffer overrun", re.IGNORECASE)

log = logging.getLogger(__name__)


class TooLargeToShareError(Exception):
    """More than SHARED_PIXELS of the picture would be decoded: it is to be decoded again, while no other such is."""


Part = tuple[float, float, float, float]

PART_MARGIN_PX = 4
"""So many decoded pixels more, on each side, than what is asked for in part: filters read beyond what they are for."""


def decode(
    data: bytes, min_side_px: int | None = None, *, is_alone: bool = True, part: Part | None = None
) -> DecodedPhoto:
    """Decode the first frame of a picture, upright, in sRGB, transparent parts over white.

    Formats, told by content: JPEG, MPO, PNG, WebP, TIFF, BMP, GIF, HEIF, AVIF; of a camera's RAW file the embedded
    preview. Safe to call from many threads.

    Args:
        data: the whole file.
        min_side_px: at least 1; the pixels may be reduced by an integer factor as long as their shorter side keeps
            this many. A JPEG is decoded at 1/2, 1/4 or 1/8 of its size, which is also several times as fast. None:
            full size. A side that the factor does not divide is rounded up.
        is_alone: whether a picture of more than SHARED_PIXELS may be decoded now.
        part: xyxy in pixels of the full upright photo: only what is there is kept, which saves copies of the rest.

    Returns:
        (H, W, 3) uint8 RGB pixels with the full upright size. A truncated JPEG gives the rows that are there.

    Raises:
        DecodeError: the picture is empty, truncated (with too little left of it), damaged, too large or of another
            format.
        TooLargeToShareError: it is large, and not alone.
    """
    with open_picture(data) as image:
        stored_size, rows = _load(image, min_side_px, is_alone=is_alone)
        orientation = read_orientation(image)
        factor = max(1, min(image.size) // min_side_px) if min_side_px else 1
        reduced = coloured_and_reduced(image, rows, factor)
        reduction = factor * _dct_reduction(stored_size, image.size)
        rgb = to_srgb(over_white(reduced), image.info.get("icc_profile"))
        photo = _upright(rgb, stored_size, reduction, orientation, part)
        if rows == image.height:
            return photo
        return replace(photo, truncated_to=_upright_part(rows * reduction // factor, stored_size, orientation))


@contextmanager
def open_picture(data: bytes) -> Iterator[Image.Image]:
    """Open a picture's header (a RAW file's preview); whatever goes wrong, then or in the block, is a DecodeError."""
    _prepare_pillow()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # it refuses twice as many, and warns before
    if not data:
        raise DecodeError("the file is empty")
    try:
        with open_raw(data) if is_camera_raw(data) else Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_pixel_count(image)
            yield image
    except (DecodeError, TooLargeToShareError):
        raise
    except Exception as error:
        raise DecodeError(_reason(error, data)) from error


def read_orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, of an opened picture's pixels; 1 where it is missing or broken."""
    if image.format == "TIFF":
        return 1  # Pillow turns it upright by itself, and names the upright size from the start
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception as error:  # Pillow raises whatever the broken bytes provoke
        log.debug("unreadable EXIF: %s", error)
        return 1
    return orientation if isinstance(orientation, int) and orientation in _TRANSPOSE_TO_UPRIGHT else 1


def upright_size(stored_size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) after turning a picture of this stored (width, height) upright."""
    width, height = stored_size
    return (height, width) if orientation >= 5 else (width, height)


def _dct_reduction(stored_size: tuple[int, int], loaded_size: tuple[int, int]) -> int:
    """By how much libjpeg reduced both sides, rounding up."""
    width, height = stored_size
    return next(factor for factor in (1, 2, 4, 8) if loaded_size == (-(-width // factor), -(-height // factor)))


def _upright(
    reduced: Image.Image, stored_size: tuple[int, int], reduction: int, orientation: int, part: Part | None
) -> DecodedPhoto:
    rgb = reduced.transpose(_TRANSPOSE_TO_UPRIGHT[orientation]) if orientation != 1 else reduced
    left, top = overhang_px(rgb.size, stored_size, reduction, orientation)
    if part:
        box = _decoded_part(part, rgb.size, reduction, (left, top))
        rgb = rgb.crop(box)
        left, top = left - box[0] * reduction, top - box[1] * reduction
    # np.array would take several times as long.
    return DecodedPhoto(np.asarray(rgb), *upright_size(stored_size, orientation), reduction, (left, top))


def _decoded_part(
    part: Part, size: tuple[int, int], reduction: int, overhang: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The decoded pixels that show a part of the photo, with their margin; at least one."""
    ends = []
    for low, high, side, over in zip(part[:2], part[2:], size, overhang, strict=True):
        first = int((low + over) // reduction) - PART_MARGIN_PX
        end = int((high + over) // reduction) + 1 + PART_MARGIN_PX
        first = min(max(first, 0), side - 1)
        ends.append((first, max(min(end, side), first + 1)))
    (x0, x1), (y0, y1) = ends
    return x0, y0, x1, y1


def _upright_part(rows_px: int, stored_size: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """xyxy of the first rows of the stored picture, on the upright one."""
    width, height = upright_size(stored_size, orientation)
    if orientation >= 5:  # rows and columns are swapped
        rows_px = min(rows_px, width)
        return (width - rows_px, 0, width, height) if orientation in LAST_COLUMN_FIRST else (0, 0, rows_px, height)
    rows_px = min(rows_px, height)
    return (0, height - rows_px, width, height) if orientation in LAST_ROW_FIRST else (0, 0, width, rows_px)


def place_upright(
    pixels: Pixels | Tensor, stored_size: tuple[int, int], reduction: int, orientation: int
) -> DecodedPhoto:
    """Say where pixels that were reduced, then turned upright, lie on the upright photo: an end may overhang it.

    Args:
        pixels: (H, W, 3) uint8, upright.
        stored_size: full (width, height) as stored.
        reduction: how many stored pixels each stands for, along each side; the last of a side may have had fewer.
        orientation: by which they were turned.
    """
    overhang = overhang_px((pixels.shape[1], pixels.shape[0]), stored_size, reduction, orientation)
    return DecodedPhoto(pixels, *upright_size(stored_size, orientation), reduction, overhang)


def overhang_px(
    size: tuple[int, int], stored_size: tuple[int, int], reduction: int, orientation: int
) -> tuple[int, int]:
    """By how many photo pixels (left, top) upright decoded pixels begin before the photo, see `place_upright`."""
    width, height = upright_size(stored_size, orientation)
    return (
        size[0] * reduction - width if orientation in LAST_COLUMN_FIRST else 0,
        size[1] * reduction - height if orientation in LAST_ROW_FIRST else 0,
    )


@functools.cache
def _prepare_pillow() -> None:
    """Register the readers that Pillow does not load by itself, and keep its remarks on broken files to itself."""
    import pillow_heif
    from PIL import AvifImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401 - importing registers them

    pillow_heif.register_heif_opener()
    # warnings.catch_warnings() would not do: it is not safe in threads.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    logging.getLogger("PIL").addHandler(logging.NullHandler())


def _check_pixel_count(image: Image.Image) -> None:
    limit = MAX_PIXELS * (2 if image.format in _JPEGS else 1)
    if image.width * image.height > limit:
        raise DecodeError(f"decompression bomb: {image.width} × {image.height} pixels, more than {limit}")


def _reason(error: Exception, data: bytes) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, UnidentifiedImageError):
        return _reason_for_unidentified(data)
    if isinstance(error, Image.DecompressionBombError):
        return f"decompression bomb: {text}"
    if isinstance(error, MemoryError):
        return "too large for the memory of this machine"
    if _TRUNCATED.search(text):
        return f"truncated: {text}"
    return f"damaged: {type(error).__name__}: {text}"


def _reason_for_unidentified(data: bytes) -> str:
    name = format_by_content(data)
    if name in _FORMATS:
        return f"truncated or damaged: the header of this {name} cannot be read"
    return "not a picture in a supported format" + (f": the content is {name}" if name else "")


def _load(image: Image.Image, min_side_px: int | None, *, is_alone: bool) -> tuple[tuple[int, int], int]:
    """Decode the pixels, a JPEG's at reduced size; return the full (width, height) as stored, and the rows decoded."""
    stored_size = image.size
    jpeg = image if isinstance(image, ImageFile.ImageFile) and image.format in _JPEGS else None
    if jpeg and image.width * image.height > MAX_PIXELS:
        min_side_px = min(min_side_px or MAX_PIXELS, min(image.size) // 2)
    if jpeg and min_side_px is not None:
        jpeg.draft(None, (min_side_px, min_side_px))
    if not is_alone and image.width * image.height > SHARED_PIXELS:
        raise TooLargeToShareError
    if jpeg:
        return stored_size, _load_jpeg_rows(jpeg)
    image.load()
    return image.size, image.height


def _load_jpeg_rows(image: ImageFile.ImageFile) -> int:
    """Decode a JPEG; return how many rows of it there are, which is all but where the file ends early."""
    try:
        image.load()
    except OSError as error:
        # Pillow leaves the rows that it came to where they belong, and those below zero.
        _left, _top, _right, rows = image.im.getbbox() or (0, 0, 0, 0)
        if not _TRUNCATED.search(str(error)) or rows < MIN_ROWS_SHARE * image.height:
            raise
        image.tile = []  # or it would be decoded again
        return rows
    return image.height
