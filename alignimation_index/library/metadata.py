"""What a picture file says about itself: its size, its date, its camera, its place, and its XMP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alignimation_index.library import exif
from alignimation_index.library.decoding.decode import open_picture, read_orientation, upright_size
from alignimation_index.library.sidecars.xmp import Xmp, read_xmp


@dataclass(frozen=True, slots=True)
class PhotoMetadata:
    """Size, and what EXIF says of when and with what a photo was taken.

    Attributes:
        width_px: width of the full upright photo.
        height_px: height of the full upright photo.
        taken_at: local wall-clock time without a time zone, to the second, or None.
        taken_at_source: "exif" for when it was taken or digitized, "exif-modified" for when the file was changed last,
            None without a date.
        utc_offset: what the wall clock was ahead of UTC, like "+02:00", as written or by GPS, or None.
        camera: make and model, the make once, or None.
    """

    width_px: int
    height_px: int
    taken_at: datetime | None
    taken_at_source: str | None
    utc_offset: str | None
    camera: str | None


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """All that a picture file says about itself.

    Attributes:
        metadata: size, date and camera.
        position: (latitude, longitude) in degrees, north and east positive, or None.
        orientation: how the stored picture, and the regions of its XMP, are turned upright: 1 to 8 as in EXIF.
        xmp: the embedded packet; an empty one where there is none.
    """

    metadata: PhotoMetadata
    position: tuple[float, float] | None
    orientation: int
    xmp: Xmp


def read_facts(data: bytes) -> PhotoFacts:
    """Read all that a picture file says about itself; EXIF and XMP that cannot be read are taken as absent.

    Args:
        data: the whole file. Only its header is looked at, so truncated pixels pass unnoticed.

    Raises:
        DecodeError: the picture cannot be opened, for the same reasons as in `decode`.
    """
    with open_picture(data) as image:
        width_px, height_px = upright_size(image.size, read_orientation(image))
        tags = exif.read_exif(image)
        packet = image.info.get("xmp")
    metadata = PhotoMetadata(width_px, height_px, *exif.date_taken(tags), exif.camera(tags))
    xmp = read_xmp(packet) if isinstance(packet, bytes) else Xmp()
    return PhotoFacts(metadata, exif.position(tags), tags.orientation, xmp)


def read_metadata(data: bytes) -> PhotoMetadata:
    """Read size, date and camera only, as `read_facts` does.

    Raises:
        DecodeError: the picture cannot be opened, for the same reasons as in `decode`.
    """
    return read_facts(data).metadata
