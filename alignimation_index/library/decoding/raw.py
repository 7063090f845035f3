"""RAW files of cameras: the picture that the camera itself made of the sensor's values, and put into the file."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PIL import Image

from alignimation_index.errors import DecodeError
from alignimation_index.library.formats import RAW_COMMAND, reads_raw

if TYPE_CHECKING:
    import rawpy

MIN_PREVIEW_SIDE_PX = 400
"""A preview with a shorter side is a thumbnail, unless the sensor is not much larger; the RAW is developed instead."""
MIN_PREVIEW_SHARE = 0.25

_SIGNATURES: tuple[tuple[int, tuple[bytes, ...]], ...] = (
    (0, (b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"IIII", b"MMMM")),
    (4, (b"ftypcrx ",)),
    (6, (b"HEAPCCDR",)),
    (8, (b"CR\2",)),
)
"""(offset, possible bytes there): RAF, X3F, MRW, ORF, RW2, IIQ, CR3, CRW, CR2."""

_TIFF = {b"II*\0": "<", b"MM\0*": ">"}
_SUBFILE, _COMPRESSION, _PHOTOMETRIC, _MAKE, _SUB_IFDS, _DNG_VERSION = 254, 259, 262, 271, 330, 50706
_COLOUR_FILTER_ARRAY = 32803
_SENSOR_COMPRESSIONS = {32767, 32769, 32770, 34713, 65000, 65535}
"""Sony's, Epson's, Samsung's, Nikon's, Kodak's, Pentax's."""

_ORIENTATION, _EXIF_IFD, _GPS_IFD = 0x0112, 0x8769, 0x8825
_DATE, _ORIGINAL_DATE = 0x0132, 0x9003
_COPIED = {_MAKE, 0x0110, _DATE}
_FIRST_YEAR = 1980  # before that, there was no camera to write one
_SOFTWARE, _HEADER_BYTES = b"dcraw v", 1500
_ORIENTATION_OF_FLIP = {3: 3, 5: 8, 6: 6}
"""LibRaw's `flip`, how the sensor was held, as EXIF's orientation."""


def is_camera_raw(data: bytes) -> bool:
    """Whether a file's content is a camera's RAW, and not a plain TIFF, which begins alike."""
    if any(data.startswith(magics, offset) for offset, magics in _SIGNATURES):
        return True
    order = _TIFF.get(data[:4])
    if order is None:
        return False
    tags = _first_directory(data, order)
    if _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) == _COLOUR_FILTER_ARRAY:
        return True
    if _MAKE not in tags:
        return False
    # The first directory is that of a small preview, and the sensor's hangs below it.
    return tags.get(_COMPRESSION) in _SENSOR_COMPRESSIONS or (tags.get(_SUBFILE) == 1 and _SUB_IFDS in tags)


def open_raw(data: bytes) -> Image.Image:
    """Open the preview that a RAW file holds: a JPEG, else a bitmap, else the sensor's values developed at half size.

    Args:
        data: the whole file, of which `is_camera_raw` is true.

    Returns:
        The picture as it is stored, with an EXIF of its own, or one that says what the RAW file does.

    Raises:
        DecodeError: what reads RAW files is not installed, or cannot read this one.
    """
    if not reads_raw():
        raise DecodeError(f"RAW files need an extra: {RAW_COMMAND}")
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            held = raw.sizes.flip, raw.sizes.width, raw.sizes.height
            image = _preview(raw) or Image.fromarray(_developed(raw))
            _complete_exif(image, data, raw.other.timestamp, _orientation(image, *held))
            return image
    except rawpy.LibRawError as error:
        raise DecodeError(f"damaged or not supported RAW: {_words(error)}") from error


def _preview(raw: rawpy.RawPy) -> Image.Image | None:
    """The largest embedded preview; None without any that is worth a look."""
    import rawpy

    try:
        found = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    image = _opened(found.data) if isinstance(found.data, bytes) else Image.fromarray(found.data)
    side, sensor_side = min(image.size), min(raw.sizes.width, raw.sizes.height)
    return image if side >= min(MIN_PREVIEW_SIDE_PX, MIN_PREVIEW_SHARE * sensor_side) else None


def _opened(jpeg: bytes) -> Image.Image:
    """Open a JPEG, without the EXIF that LibRaw puts in front of one that does not begin with its own."""
    if jpeg[6:10] == b"Exif" and _SOFTWARE in jpeg[:_HEADER_BYTES]:
        (length,) = struct.unpack_from(">H", jpeg, 4)
        jpeg = jpeg[:2] + jpeg[4 + length :]
    return Image.open(io.BytesIO(jpeg), formats=("JPEG",))


def _developed(raw: rawpy.RawPy) -> Any:  # noqa: ANN401
    """(H, W, 3) uint8 sRGB as the sensor has it, at half its size."""
    return raw.postprocess(half_size=True, use_camera_wb=True, user_flip=0)


def _complete_exif(image: Image.Image, data: bytes, taken_at: datetime | None, orientation: int) -> None:
    """Let the preview's EXIF say what the RAW file says of camera, date and place, where it does not itself."""
    told, source = image.getexif(), Image.Exif()
    if _ORIENTATION not in told:
        told[_ORIENTATION] = orientation
    with suppress(Exception):  # Pillow raises whatever the bytes provoke, which in some are another format's header
        source.load(_as_tiff(data))
        for tag in _COPIED & source.keys():
            told.setdefault(tag, source[tag])
        for directory in (_EXIF_IFD, _GPS_IFD):
            for tag, value in source.get_ifd(directory).items():
                told.get_ifd(directory).setdefault(tag, value)
    if taken_at is not None and taken_at.year >= _FIRST_YEAR:
        told.get_ifd(_EXIF_IFD).setdefault(_ORIGINAL_DATE, taken_at.strftime("%Y:%m:%d %H:%M:%S"))


def _orientation(image: Image.Image, flip: int, width_px: int, height_px: int) -> int:
    """How to turn a preview that does not say so itself: as the sensor was held, unless the camera has done so."""
    is_turned = flip in (5, 6) and (image.width < image.height) != (width_px < height_px)
    return 1 if is_turned else _ORIENTATION_OF_FLIP.get(flip, 1)


def _as_tiff(data: bytes) -> bytes:
    """EXIF as Pillow wants it; the headers of ORF and RW2 are TIFF's but for their mark."""
    mark = b"MM\0*" if data[:2] == b"MM" else b"II*\0"
    return b"Exif\0\0" + mark + data[4:]


def _first_directory(data: bytes, order: str) -> dict[int, int]:
    """The first number of each tag in a TIFF's first directory (TIFF 6.0, section 2), as far as it is there."""
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        entries = [struct.unpack_from(f"{order}HHI4s", data, start + 2 + 12 * i) for i in range(count)]
    except struct.error:
        return {}
    return {tag: struct.unpack(f"{order}{'H2x' if kind == 3 else 'I'}", value)[0] for tag, kind, _, value in entries}


def _words(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
