"""Decoding several photos at once, where they will be looked at: JPEGs on an NVIDIA GPU, if that is where."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeAlias

from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.colour import is_srgb
from alignimation_index.library.decoding.decode import (
    LAST_COLUMN_FIRST,
    LAST_ROW_FIRST,
    MAX_PIXELS,
    decode,
    open_picture,
    place_upright,
    read_orientation,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor

log = logging.getLogger(__name__)

# A JPEG that ends before its end marker is left to Pillow, which says so; some cameras add data behind it.
_START_OF_SCAN, _END, _TAIL_BYTES = b"\xff\xda", b"\xff\xd9", 1 << 16


Decode: TypeAlias = "Callable[[bytes, int], DecodedPhoto]"


def decode_batch(
    photos: Sequence[bytes], min_side_px: int, device: str, decode_one: Decode = decode, at_once: int = 1
) -> list[DecodedPhoto | DecodeError]:
    """Decode photos as `decode` does; on "cuda", all end up on the device, plain JPEGs by nvJPEG.

    Args:
        photos: whole files.
        min_side_px: as in `decode`.
        device: where the pixels will be looked at.
        decode_one: `decode`, here or in another process.
        at_once: how many may be decoded side by side.

    Returns:
        For each photo its pixels, or why there are none.
    """
    on_gpu = _decode_on_gpu(photos, min_side_px) if device == "cuda" else {}
    others = [i for i in range(len(photos)) if i not in on_gpu]
    decode_other = partial(_decode_or_reason, decode_one, min_side_px)
    with ThreadPoolExecutor(at_once) if min(at_once, len(others)) > 1 else nullcontext() as threads:
        decoded = (threads.map if threads else map)(decode_other, [photos[i] for i in others])
        found = {**on_gpu, **dict(zip(others, decoded, strict=True))}
    return [found[i] if i in on_gpu or device != "cuda" else _moved(found[i], device) for i in range(len(photos))]


def _decode_or_reason(decode_one: Decode, min_side_px: int, data: bytes) -> DecodedPhoto | DecodeError:
    try:
        return decode_one(data, min_side_px)
    except DecodeError as error:
        return error


def _moved(decoded: DecodedPhoto | DecodeError, device: str) -> DecodedPhoto | DecodeError:
    import torch

    if isinstance(decoded, DecodeError):
        return decoded
    return replace(decoded, pixels=torch.tensor(decoded.pixels, device=device))


@dataclass(frozen=True)
class _Header:
    """What a JPEG's header says: its stored (width, height), and its EXIF orientation."""

    size: tuple[int, int]
    orientation: int


def _decode_on_gpu(photos: Sequence[bytes], min_side_px: int) -> dict[int, DecodedPhoto]:
    """The photos that nvJPEG decodes, by index."""
    headers = {i: header for i, data in enumerate(photos) if (header := _plain_jpeg(data))}
    pixels = _nvjpeg([photos[i] for i in headers])
    return {
        i: _reduced_upright(planes, header, min_side_px)
        for (i, header), planes in zip(headers.items(), pixels, strict=False)
    }


def _plain_jpeg(data: bytes) -> _Header | None:
    """The header of a whole JPEG in sRGB or grey; None for everything else."""
    if not data.startswith(b"\xff\xd8\xff") or not _is_whole(data):
        return None
    try:
        with open_picture(data) as image:
            plain = image.mode in ("RGB", "L") and is_srgb(image.info.get("icc_profile"))
            plain = plain and image.width * image.height <= MAX_PIXELS  # nvJPEG decodes all of it
            return _Header(image.size, read_orientation(image)) if plain else None
    except DecodeError:
        return None


def _is_whole(data: bytes) -> bool:
    """Whether an end marker comes after the pixels, and not only after those of the thumbnail in the header."""
    tail = data[-_TAIL_BYTES:]
    return tail.rfind(_END) > tail.rfind(_START_OF_SCAN)


def _nvjpeg(photos: Sequence[bytes]) -> list[Tensor]:
    """(3, H, W) uint8 on the GPU each; none at all where one of them cannot be decoded."""
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg

    # That bytes must not be written to, which nothing does; a copy would take half as long as decoding.
    warnings.filterwarnings("ignore", message="The given buffer is not writable")
    encoded = [torch.frombuffer(data, dtype=torch.uint8) for data in photos]
    try:
        decoded: list[Tensor] = decode_jpeg(encoded, ImageReadMode.RGB, device="cuda") if encoded else []
    except torch.cuda.OutOfMemoryError:
        raise
    except RuntimeError as error:
        log.debug("nvJPEG: %s", error)
        return []
    return decoded


def _reduced_upright(planes: Tensor, header: _Header, min_side_px: int) -> DecodedPhoto:
    """Bring (3, H, W) uint8 to the size that `decode` would, upright."""
    import torch.nn.functional as F

    by_libjpeg, rest = _reductions(header.size, min_side_px)
    if by_libjpeg > 1:
        planes = _scaled_as_by_libjpeg(planes, by_libjpeg)
    if rest > 1:
        means = F.avg_pool2d(planes[None].float(), rest, ceil_mode=True)[0]
        planes = (means + 0.5).byte()
    upright = _turned(planes, header.orientation).permute(1, 2, 0)
    return place_upright(upright, header.size, by_libjpeg * rest, header.orientation)


def _reductions(size: tuple[int, int], min_side_px: int) -> tuple[int, int]:
    """By how much `decode` reduces a JPEG: libjpeg's 8, 4 or 2, and what is left to Pillow."""
    side = min(size)
    by_libjpeg = next(factor for factor in (8, 4, 2, 1) if side // min_side_px >= factor or factor == 1)
    return by_libjpeg, max(1, -(-side // by_libjpeg) // min_side_px)


def _scaled_as_by_libjpeg(planes: Tensor, factor: int) -> Tensor:
    """Reduce (3, H, W) uint8 as a JPEG's reduced decoding does: of each block of 8 × 8, the lower frequencies."""
    import torch

    height, width = planes.shape[1:]
    down, across = -(-height // 8), -(-width // 8)
    if height % 8 or width % 8:  # what is missing in the last blocks is what is at the edge
        rows, columns = (torch.arange(8 * count, device=planes.device) for count in (down, across))
        planes = planes[:, rows.clamp(max=height - 1)][:, :, columns.clamp(max=width - 1)]
    # Rows of blocks change places as wholes, not byte by byte.
    rows_of_blocks = planes.contiguous().view(torch.int64).reshape(3, down, 8, across).transpose(2, 3)
    blocks = rows_of_blocks.contiguous().view(torch.uint8)
    pixels = blocks.to(torch.float16 if planes.is_cuda else torch.float32)
    side = 8 // factor
    reduced = pixels @ _lower_frequencies(side, planes.device).to(pixels.dtype)
    rows = (reduced + 0.5).clamp(0, 255).byte().reshape(3, down, across, side, side).transpose(2, 3)
    whole: Tensor = rows.reshape(3, down * side, across * side)
    return whole[:, : -(-height // factor), : -(-width // factor)]


@lru_cache
def _lower_frequencies(side: int, device: torch.device) -> Tensor:
    """(64, side²): blocks of 8 × 8 samples to side × side with the lower frequencies only."""
    import torch

    # Both DCTs are orthonormal; their scales differ by the root of the factor.
    along: Tensor = _dct(side).T @ _dct(8)[:side] * (side / 8) ** 0.5
    return torch.kron(along, along).T.contiguous().to(device)


def _dct(size: int) -> Tensor:
    """(size, size) the orthonormal DCT-II, frequencies by row."""
    import torch

    index = torch.arange(size, dtype=torch.float64)
    waves = torch.cos(math.pi / size * index[:, None] * (index + 0.5)) * (2 / size) ** 0.5
    waves[0] /= 2**0.5
    rows: Tensor = waves.float()
    return rows


def _turned(planes: Tensor, orientation: int) -> Tensor:
    """Turn stored (3, H, W) upright: EXIF 2.32, tag 0x0112."""
    if orientation >= 5:  # rows and columns are swapped
        planes = planes.transpose(1, 2)
    flipped = [axis for axis, which in ((2, LAST_COLUMN_FIRST), (1, LAST_ROW_FIRST)) if orientation in which]
    return planes.flip(flipped) if flipped else planes
