"""Dates as cameras and programs write them, and what a wall clock is ahead of UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

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

_FARTHEST_OFFSET = timedelta(hours=14)
_QUARTER_HOUR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class WallClock:
    """A moment as a clock on the spot showed it.

    Attributes:
        time: without a time zone, to the second; midnight where only the day is known.
        has_time: whether more than the day is known.
        utc_offset: what the clock was ahead of UTC, like "+02:00", or None.
    """

    time: datetime
    has_time: bool
    utc_offset: str | None


def parse_date(text: str) -> WallClock | None:
    """Parse a date as EXIF, XMP (ISO 8601) or a program in their place writes it.

    Accepts `2004:05:06 07:08:09`, other separators, a missing time, fractions of a second, which are dropped, and a
    trailing offset from UTC. None for what is no date, for a year or month alone, and for what is not credible.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in match.groups()[:6])
    try:
        time = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    return WallClock(time, match[4] is not None, parse_utc_offset(match["offset"] or "")) if is_credible(time) else None


def is_credible(time: datetime) -> bool:
    """Whether a photo may have been taken then, and by a clock that was set.

    Not so before the first photo, in the future, and at the dates that a clock starts from when nobody sets it.
    """
    if not _OLDEST_PHOTO_YEAR <= time.year <= datetime.now().year + 1:
        return False
    day = (time.year, time.month, time.day)
    never_set = time.year in _CLOCK_DEFAULT_YEARS and time == datetime(time.year, 1, 1)
    return day not in _CLOCK_EPOCHS and not never_set


def is_credible_utc(time: datetime) -> bool:
    """Whether a UTC time is credible whatever a wall clock may have shown then."""
    return is_credible(time) and all(is_credible(time + shift) for shift in (-_FARTHEST_OFFSET, _FARTHEST_OFFSET))


def parse_utc_offset(text: str) -> str | None:
    """Normalise `+02:00`, `+0200` or `Z` to the form `+02:00`; None for anything else, or beyond 14 hours."""
    if text.strip() == "Z":
        return "+00:00"
    match = _OFFSET.fullmatch(text.strip())
    if match is None or int(match[2] + match[3]) > 1400:
        return None
    return f"{match[1]}{match[2]}:{match[3]}"


def format_utc_offset(offset: timedelta) -> str:
    """An offset of whole minutes in the form `+02:00`."""
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"{'-' if offset < timedelta(0) else '+'}{hours:02}:{minutes:02}"


def offset_as_delta(utc_offset: str) -> timedelta:
    """The time that an offset in the form `+02:00` is."""
    size = timedelta(hours=int(utc_offset[1:3]), minutes=int(utc_offset[4:]))
    return -size if utc_offset.startswith("-") else size


def offset_between(local: datetime, utc: datetime, tolerance: timedelta) -> timedelta | None:
    """What the wall clock of a time zone was ahead of UTC, from the same moment in both.

    Args:
        local: by the wall clock, without a time zone.
        utc: in UTC, without a time zone.
        tolerance: by how much the two may be apart.

    Returns:
        A multiple of a quarter hour within ±14 hours; None where no zone fits. No zone has ever been a quarter past
        the hour since cameras have clocks, so that a difference like this is a late clock's.
    """
    difference = local - utc
    offset = round(difference / _QUARTER_HOUR) * _QUARTER_HOUR
    is_zone = abs(offset) <= _FARTHEST_OFFSET and offset % timedelta(hours=1) != _QUARTER_HOUR
    return offset if is_zone and abs(difference - offset) <= tolerance else None
