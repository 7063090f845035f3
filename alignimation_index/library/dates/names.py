"""Dates in the names that cameras, phones and messengers give to files, and in the names of folders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from alignimation_index.library.dates.timestamps import is_credible, is_credible_utc

# Letters right before a date belong to it, as in IMG20150726; letters and digits in turn are a hash.
_DAY = re.compile(r"(?:^|[\W_])[a-z]*((?:19|20)\d\d)([-_. ]?)(\d\d)\2(\d\d)", re.IGNORECASE | re.ASCII)
_TIME = re.compile(
    r"(?:[-_ T]|,? \D{1,3} )?"  # ` at `, ` um `, ` à `
    r"(?P<hour>[01]\d|2[0-3]|\d(?=[-_.:]))(?P<separator>[-_.:]?)(?P<minute>[0-5]\d)(?P=separator)(?P<second>[0-5]\d)"
    r"(?:\d{3})?(?!\d)(?:\W?(?P<half>[AP])M\b)?",
    re.IGNORECASE | re.ASCII,
)
_GOES_ON = re.compile(r"[0-9a-z]", re.IGNORECASE)

_UTC_PREFIX = "PXL_"
"""Google's camera names a file by UTC."""

_MILLISECONDS = re.compile(r"(?:FB_IMG_|mmexport|wx_camera_)(\d{13})(?!\d)", re.ASCII)
"""Since 1970 UTC, as Facebook and WeChat name what they save; a bare number could be anything."""

_LONE_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class NameDate:
    """A date in a file's name.

    Attributes:
        time: without a time zone; midnight where only the day is known.
        has_time: whether more than the day is known.
        is_utc: whether the time is in UTC instead of by the wall clock.
    """

    time: datetime
    has_time: bool
    is_utc: bool = False


def date_in_name(file_name: str) -> NameDate | None:
    """The first credible date in a file's name, year before month before day; None if there is none.

    `IMG_20150726_182132`, `IMG-20150726-WA0001`, `2015-07-26 18.21.32`, `Screenshot_2019-05-04-11-22-33`,
    `WhatsApp Image 2019-05-04 at 9.45.12 PM`, `FB_IMG_1428937623123`; not hashes, phone numbers and other digits.
    """
    if match := _MILLISECONDS.match(file_name):
        time = datetime(1970, 1, 1) + timedelta(seconds=int(match[1]) // 1000)
        return NameDate(time, has_time=True, is_utc=True) if is_credible_utc(time) else None
    dates = (_named_date(file_name, day) for day in _DAY.finditer(file_name))
    return next(filter(None, dates), None)


def year_in_name(folder_name: str) -> int | None:
    """The year that a folder's name speaks of, `Photos from 2015` in any language; None for none or several."""
    years = {year for year in map(int, _LONE_YEAR.findall(folder_name)) if is_credible(datetime(year, 7, 2))}
    return years.pop() if len(years) == 1 else None


def _named_date(name: str, day: re.Match[str]) -> NameDate | None:
    time = _TIME.match(name, day.end())
    if time is None and _GOES_ON.match(name, day.end()):
        return None
    try:
        moment = datetime(int(day[1]), int(day[3]), int(day[4])) + (_time_of_day(time) if time else timedelta(0))
    except ValueError:
        return None
    is_utc = time is not None and name.startswith(_UTC_PREFIX)
    return NameDate(moment, time is not None, is_utc) if is_credible(moment) else None


def _time_of_day(match: re.Match[str]) -> timedelta:
    hour = int(match["hour"])
    if half := match["half"]:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    return timedelta(hours=hour, minutes=int(match["minute"]), seconds=int(match["second"]))
