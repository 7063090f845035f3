"""What a picture file says about itself: its size, its date, its camera."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from alignimation_index.library.decode import open_picture, read_orientation, upright_size

log = logging.getLogger(__name__)

_MAKE, _MODEL, _EXIF_IFD = 0x010F, 0x0110, 0x8769

_DATE_TAGS = ((0x9003, 0x9011, "exif"), (0x9004, 0x9012, "exif"), (0x0132, 0x9010, "exif-modified"))
"""(date, its offset from UTC, source), best first: original, digitized, modified. EXIF 2.32, 4.6.6 F."""

_WANTED_TAGS = {_MAKE, _MODEL}.union(*((date, offset) for date, offset, _ in _DATE_TAGS))

_DATE = re.compile(
    r"(\d{4})[:/.-] ?(\d{1,2})[:/.-] ?(\d{1,2})"
    r"(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d*)?)?)?"
    r" *(?P<offset>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):?([0-5]\d)", re.ASCII)

_OLDEST_PHOTO_YEAR = 1826
_CLOCK_EPOCHS = {(1970, 1, 1), (1980, 1, 1)}
_CLOCK_DEFAULT_YEARS = {2000, 2001, 2002}


@dataclass(frozen=True, slots=True)
class PhotoMetadata:
    """What a picture file says about itself.

    Attributes:
        width_px: width of the full upright photo.
        height_px: height of the full upright photo.
        taken_at: local wall-clock time without a time zone, to the second, or None.
        taken_at_source: "exif" for when it was taken or digitized, "exif-modified" for when the file was changed last,
            None without a date.
        utc_offset: what the wall clock was ahead of UTC, like "+02:00", or None.
        camera: make and model, the make once, or None.
    """

    width_px: int
    height_px: int
    taken_at: datetime | None
    taken_at_source: str | None
    utc_offset: str | None
    camera: str | None


def read_metadata(data: bytes) -> PhotoMetadata:
    """Read size, date and camera from a picture file; EXIF that cannot be read is taken as absent.

    Args:
        data: the whole file. Only its header is looked at, so truncated pixels pass unnoticed.

    Raises:
        DecodeError: the picture cannot be opened, for the same reasons as in `decode`.
    """
    with open_picture(data) as image:
        width_px, height_px = upright_size(image.size, read_orientation(image))
        tags = _text_tags(image)
    taken_at, source, utc_offset = _date_taken(tags)
    return PhotoMetadata(width_px, height_px, taken_at, source, utc_offset, _camera(tags))


def parse_exif_date(text: str) -> datetime | None:
    """Parse an EXIF date, or what programs write in its place, as a local wall-clock time.

    Accepts `2004:05:06 07:08:09`, other separators, a missing time, fractions of a second and a trailing offset from
    UTC, which are dropped. None for what is no date, for a year in which no photo can have been taken, and for the
    dates that a camera starts from when its clock was never set.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in match.groups()[:6])
    try:
        parsed = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    return parsed if _is_credible(parsed) else None


def parse_utc_offset(text: str) -> str | None:
    """Normalise `+02:00`, `+0200` or `Z` to the form `+02:00`; None for anything else, or beyond 14 hours."""
    if text.strip() == "Z":
        return "+00:00"
    match = _OFFSET.fullmatch(text.strip())
    if match is None or int(match[2] + match[3]) > 1400:
        return None
    return f"{match[1]}{match[2]}:{match[3]}"


def _is_credible(date: datetime) -> bool:
    if not _OLDEST_PHOTO_YEAR <= date.year <= datetime.now().year + 1:
        return False
    day = (date.year, date.month, date.day)
    never_set = date.year in _CLOCK_DEFAULT_YEARS and date == datetime(date.year, 1, 1)
    return day not in _CLOCK_EPOCHS and not never_set


def _text_tags(image: Image.Image) -> dict[int, str]:
    """The dates, offsets and camera names that the EXIF of an opened picture holds, as text."""
    tags: dict[int, str] = {}
    try:
        exif = image.getexif()
        _collect_text(exif, tags)
        _collect_text(exif.get_ifd(_EXIF_IFD), tags)
    except Exception as error:  # Pillow raises whatever the broken bytes provoke
        log.debug("unreadable EXIF: %s", error)
    return tags


def _collect_text(ifd: Mapping[int, object], tags: dict[int, str]) -> None:
    for tag in _WANTED_TAGS.intersection(ifd):
        text = _clean_text(ifd[tag])
        if text:
            tags[tag] = text


def _clean_text(value: object) -> str:
    """The printable text of an EXIF value up to its NUL padding; empty for what is no text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    text = value.lstrip("\0").split("\0")[0]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _date_taken(tags: Mapping[int, str]) -> tuple[datetime | None, str | None, str | None]:
    for date_tag, offset_tag, source in _DATE_TAGS:
        text = tags.get(date_tag, "")
        taken_at = parse_exif_date(text)
        if taken_at is not None:
            utc_offset = parse_utc_offset(tags.get(offset_tag, "")) or parse_utc_offset(_trailing_offset(text))
            return taken_at, source, utc_offset
    return None, None, None


def _trailing_offset(text: str) -> str:
    match = _DATE.fullmatch(text)
    return (match["offset"] or "") if match else ""


def _camera(tags: Mapping[int, str]) -> str | None:
    make, model = tags.get(_MAKE, ""), tags.get(_MODEL, "")
    brand = make.split(" ")[0].lower()
    if model.lower().startswith(brand):
        make = ""
    return f"{make} {model}".strip() or None
