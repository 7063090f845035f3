"""What the EXIF of an opened picture says: its dates, its camera, and where it was taken."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, SupportsFloat

from PIL import Image

from alignimation_index.library.dates.timestamps import format_utc_offset, offset_between, parse_date, parse_utc_offset

log = logging.getLogger(__name__)

_MAKE, _MODEL, _ORIENTATION, _EXIF_IFD, _GPS_IFD = 0x010F, 0x0110, 0x0112, 0x8769, 0x8825

_DATE_TAGS = ((0x9003, 0x9011, "exif"), (0x9004, 0x9012, "exif"), (0x0132, 0x9010, "exif-modified"))
"""(date, its offset from UTC, source), best first: original, digitized, modified. EXIF 2.32, 4.6.6 F."""

_TEXT_TAGS = {_MAKE, _MODEL}.union(*((date, offset) for date, offset, _ in _DATE_TAGS))

_LATITUDE_TAGS, _LONGITUDE_TAGS = (1, 2), (3, 4)
"""(letter of the hemisphere, degrees minutes seconds). EXIF 2.32, 4.6.7."""
_HEMISPHERE_SIGNS = {"N": 1, "E": 1, "S": -1, "W": -1}
_GPS_TIME, _GPS_DATE = 7, 29

_OLDEST_GPS_FIX = timedelta(minutes=5)
"""A phone writes down the last position that it knew, and when it knew it."""


@dataclass(frozen=True, slots=True)
class Exif:
    """The tags that are read, each group as far as its bytes make sense.

    Attributes:
        texts: dates, offsets and camera names by tag, printable and not empty.
        gps: the GPS directory by tag, as Pillow reads it.
        orientation: how the stored picture is turned upright, 1 to 8.
    """

    texts: dict[int, str]
    gps: dict[int, Any]
    orientation: int


def read_exif(image: Image.Image) -> Exif:
    """Read the EXIF of an opened picture; what cannot be read is taken as absent."""
    texts: dict[int, str] = {}
    gps: dict[int, Any] = {}
    with _unreadable_is_absent():
        exif = image.getexif()
        _collect_texts(exif, texts)
        _collect_texts(exif.get_ifd(_EXIF_IFD), texts)
    with _unreadable_is_absent():
        gps.update(image.getexif().get_ifd(_GPS_IFD))
    return Exif(texts, gps, _orientation(image))


def date_taken(exif: Exif) -> tuple[datetime | None, str | None, str | None]:
    """(wall-clock time, "exif" or "exif-modified", offset from UTC) of the best date, or None for each.

    Where no offset was written next to the date, it is what the clock was ahead of the satellites'.
    """
    for date_tag, offset_tag, source in _DATE_TAGS:
        clock = parse_date(exif.texts.get(date_tag, ""))
        if clock is not None:
            utc_offset = parse_utc_offset(exif.texts.get(offset_tag, "")) or clock.utc_offset
            if utc_offset is None and source == "exif":
                utc_offset = _offset_by_gps(clock.time, exif.gps)
            return clock.time, source, utc_offset
    return None, None, None


def position(exif: Exif) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees, north and east positive; None if missing, impossible, or 0, 0 as a default."""
    latitude_deg = _degrees(exif.gps, *_LATITUDE_TAGS)
    longitude_deg = _degrees(exif.gps, *_LONGITUDE_TAGS)
    on_earth = abs(latitude_deg) <= 90 and abs(longitude_deg) <= 180  # which NaN is not
    return (latitude_deg, longitude_deg) if on_earth and (latitude_deg, longitude_deg) != (0, 0) else None


def camera(exif: Exif) -> str | None:
    """Make and model, the make once, or None."""
    make, model = exif.texts.get(_MAKE, ""), exif.texts.get(_MODEL, "")
    brand = make.split(" ")[0].lower()
    if model.lower().startswith(brand):
        make = ""
    return f"{make} {model}".strip() or None


@contextmanager
def _unreadable_is_absent() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # Pillow raises whatever the broken bytes provoke
        log.debug("unreadable EXIF: %s", error)


def _collect_texts(ifd: Mapping[int, object], texts: dict[int, str]) -> None:
    for tag in _TEXT_TAGS.intersection(ifd):
        text = _clean_text(ifd[tag])
        if text:
            texts[tag] = text


def _clean_text(value: object) -> str:
    """The printable text of an EXIF value up to its NUL padding; empty for what is no text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    text = value.lstrip("\0").split("\0")[0]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _orientation(image: Image.Image) -> int:
    orientation: object = None
    with _unreadable_is_absent():
        # The HEIF reader turns the picture by itself, and puts the tag away.
        orientation = image.info.get("original_orientation") or image.getexif().get(_ORIENTATION)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _offset_by_gps(local: datetime, gps: Mapping[int, Any]) -> str | None:
    day = parse_date(_clean_text(gps.get(_GPS_DATE)))
    hours = _base_60(gps.get(_GPS_TIME, ()))
    if day is None or not 0 <= hours < 24:
        return None
    offset = offset_between(local, day.time + timedelta(hours=hours), _OLDEST_GPS_FIX)
    return None if offset is None else format_utc_offset(offset)


def _degrees(gps: Mapping[int, Any], hemisphere_tag: int, degrees_tag: int) -> float:
    """Degrees north or east; NaN if missing."""
    sign = _HEMISPHERE_SIGNS.get(_clean_text(gps.get(hemisphere_tag)).upper(), math.nan)
    return sign * _base_60(gps.get(degrees_tag, ()))


def _base_60(parts: Iterable[SupportsFloat]) -> float:
    """Three numbers, each sixty times finer, in units of the first; NaN for anything else."""
    try:
        whole, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return math.nan
    return whole + minutes / 60 + seconds / 3600
