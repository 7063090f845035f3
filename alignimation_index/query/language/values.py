"""What stands after the colon of a term, as values. A UserError says what would do instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alignimation_index.errors import UserError

_YEAR = r"(?!0000)[0-9]{4}"  # the calendar has no year 0
_DATE = re.compile(rf"({_YEAR})(?:-([0-9]{{1,2}})(?:-([0-9]{{1,2}}))?)?")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_RANGE = re.compile(r"(?P<sign>[<>]=?)(?P<bound>.+)|(?P<low>.*?)\.\.(?P<high>.*)|(?P<only>.+)", re.DOTALL)
_METRES = {"km": 1000.0, "m": 1.0, "mi": 1609.344}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Numbers from `low` to `high`; None is no bound, and the bounds themselves belong to it or not."""

    low: float | None = None
    high: float | None = None
    with_low: bool = True
    with_high: bool = True

    def holds(self, number: float) -> bool:
        """Whether a number lies between."""
        above = self.low is None or number > self.low or (self.with_low and number == self.low)
        return above and (self.high is None or number < self.high or (self.with_high and number == self.high))


@dataclass(frozen=True, slots=True)
class Period:
    """Wall-clock times from `start` to before `end`; None is no bound."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Circle:
    """Places on the ground within a distance of a point."""

    latitude_deg: float
    longitude_deg: float
    radius_m: float


def text(value: str) -> str:
    """Any text but none."""
    if not value.strip():
        raise UserError("Something is missing after the colon.")
    return value


def yes_or_no(value: str) -> bool:
    """`yes` or `no`."""
    if value.lower() not in ("yes", "no"):
        raise UserError("Write yes or no.")
    return value.lower() == "yes"


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser of one of these words."""

    def parse(value: str) -> str:
        if value not in choices:
            raise UserError(f"Write {' or '.join(choices)}.")
        return value

    return parse


def bounds(examples: str) -> Callable[[str], Bounds]:
    """A parser of `<20`, `<=20`, `>20`, `>=20`, `10..20`, `10..` and `..20`; `examples` are shown for anything else."""

    def parse(value: str) -> Bounds:
        found = _RANGE.fullmatch(value.strip())
        if not found or found["only"]:
            raise UserError(f"Write {examples}.")
        if found["sign"]:
            number, is_in = _number(found["bound"], examples), found["sign"].endswith("=")
            return Bounds(number, with_low=is_in) if ">" in found["sign"] else Bounds(high=number, with_high=is_in)
        low, high = (_number(bound, examples) if bound.strip() else None for bound in (found["low"], found["high"]))
        return Bounds(*_in_order(low, high, examples))

    return parse


def ages(value: str) -> Bounds:
    """As `bounds`; a whole number is a year of life, from one birthday to before the next."""
    parse = bounds("age:7, age:3..18, age:<18, age:>=60")
    asked = parse(f"{value}..{value}" if _NUMBER.fullmatch(value.strip()) else value)
    low, high, with_low, with_high = asked.low, asked.high, asked.with_low, asked.with_high
    if low is not None and not with_low and low.is_integer():
        low, with_low = low + 1, True
    if high is not None and with_high and high.is_integer():
        high, with_high = high + 1, False
    return Bounds(low, high, with_low, with_high)


def period(value: str) -> Period:
    """Parse `2015`, `2015-06`, `2015-06-03`, `2015-06..2016`, `2015..`, `..2016`, `>=2015-06`, `<2016`.

    The days of both ends belong to it.
    """
    found = _RANGE.fullmatch(value.strip())
    if not found:
        raise UserError(_DATES_LIKE)
    if found["only"]:
        return Period(*_span(found["only"]))
    if found["sign"]:
        start, end = _span(found["bound"])
        by_sign = {">=": Period(start), ">": Period(_not_the_last(end)), "<": Period(end=start), "<=": Period(end=end)}
        return by_sign[found["sign"]]
    first = _span(found["low"])[0] if found["low"].strip() else None
    last_start, last = _span(found["high"]) if found["high"].strip() else (None, None)
    if first is None and last_start is None:
        raise UserError(_DATES_LIKE)
    if first is not None and last_start is not None and last is not None and first >= last:
        raise UserError(f"The first comes after the last. Write {found['high']}..{found['low']}.")
    return Period(first, last)


def years(value: str) -> Period:
    """Parse `2012`, `2000..2020`, `2000-2020`, `2000-`, `-2020`, `>=2000`, `<2020`."""
    if re.fullmatch(rf"[<>]=?{_YEAR}", value.strip()):
        return period(value)
    first, last = parse_years(value)
    return Period(None if first is None else datetime(first, 1, 1), None if last is None else _start_of_year(last + 1))


def parse_years(text: str) -> tuple[int | None, int | None]:
    """Parse `2000-2020`, `2000..2020`, `2000-`, `-2020` or `2012` into (first, last), inclusive.

    Raises:
        UserError: it is none of these, or the last year comes first.
    """
    match = re.fullmatch(rf"({_YEAR})?\s*(-|\.\.)?\s*({_YEAR})?", text.strip())
    if not match or not (match[1] or match[3]) or (match[1] and match[3] and not match[2]):
        raise UserError(f"{text!r} is no range of years. Write 2000-2020, 2000-, -2020 or 2012.")
    first = int(match[1]) if match[1] else None
    last = int(match[3]) if match[3] else (first if not match[2] else None)
    if first is not None and last is not None and first > last:
        raise UserError(f"{text!r}: the first year comes after the last. Write {last}-{first}.")
    return first, last


def circle(value: str) -> Circle:
    """Parse `48.85,2.35,20km`: latitude and longitude in degrees, and a distance in km, m or mi."""
    number = r"([+-]?[0-9]+(?:\.[0-9]+)?)"
    found = re.fullmatch(rf"{number},{number},([0-9]+(?:\.[0-9]+)?)(km|mi|m)", re.sub(r"\s", "", value))
    if not found or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise UserError("Write latitude, longitude and distance: near:48.85,2.35,20km (or m, mi).")
    return Circle(float(found[1]), float(found[2]), float(found[3]) * _METRES[found[4]])


_DATES_LIKE = "Write dates like 2015, 2015-06, 2015-06-03, 2015-06..2016, 2015.. or <2016."


def _number(text: str, examples: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise UserError(f"{text!r} is no number. Write {examples}.")
    return float(text)


def _in_order(low: float | None, high: float | None, examples: str) -> tuple[float | None, float | None]:
    if low is None and high is None:
        raise UserError(f"Write {examples}.")
    if low is not None and high is not None and low > high:
        raise UserError(f"The first comes after the last. Write {high:g}..{low:g}.")
    return low, high


def _span(text: str) -> tuple[datetime, datetime | None]:
    """The first moment of a year, month or day, and that of the next; None after the end of the calendar."""
    found = _DATE.fullmatch(text.strip())
    try:
        parts = [None if part is None else int(part) for part in found.groups()] if found else [0, None, None]
        year, month, day = parts
        start = datetime(year or 0, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        raise UserError(f"{text!r} is no date. {_DATES_LIKE}") from None
    if day is not None:
        return start, None if start.date() == datetime.max.date() else start + timedelta(1)
    if month is None or month == 12:
        return start, _start_of_year(start.year + 1)
    return start, start.replace(month=start.month + 1)


def _start_of_year(year: int) -> datetime | None:
    return datetime(year, 1, 1) if year <= datetime.max.year else None


def _not_the_last(end: datetime | None) -> datetime:
    """The start of what comes after: nothing, after the end of the calendar."""
    return end or datetime.max
