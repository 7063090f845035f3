"""`--every`: one photo per day, week, month or year, by the calendar of the place where it was taken."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from alignimation_index.errors import UserError
from alignimation_index.query.choosing.preference import LeftOut, Preference
from alignimation_index.query.frames import Frame

DAYS_A_YEAR = 365.2425
UNITS = ("day", "week", "month", "year")
UNDATED = "it has no date (photos set-date gives it one)"

_YEARS_PER = {"d": 1 / DAYS_A_YEAR, "w": 7 / DAYS_A_YEAR, "m": 1 / 12, "y": 1.0}
_ROUNDING = 1e-6
_SYNTAX = "Write day, week, month, year, a number of photos, or stages of life like week:1y,month:5y,year."


@dataclass(frozen=True, slots=True)
class Stage:
    """One photo per `unit` up to an age in years, see `Every`."""

    unit: str
    until_years: float = math.inf


@dataclass(frozen=True, slots=True)
class Every:
    """One photo per period: per `count` photos in a row, or by stages of life, the last of which has no end.

    An age counts from the birthday, or from the first frame where none is known.
    """

    stages: tuple[Stage, ...] = ()
    count: int | None = None


def parse_every(text: str) -> Every:
    """Parse `month`, `3` (photos) or `week:1y,month:5y,year`: weekly to the age of one, monthly to five, then yearly.

    Raises:
        UserError: it is none of these, or the ages do not rise.
    """
    if re.fullmatch(r"[1-9]\d{0,8}", text):
        return Every(count=int(text))
    stages = tuple(_stage(part.strip(), text) for part in text.split(","))
    untils = [stage.until_years for stage in stages]
    if untils[-1] != math.inf:
        raise UserError(f"'{text}' says nothing of later years. End it with one of {', '.join(UNITS)} alone.")
    if any(later <= earlier for earlier, later in pairwise(untils)):
        raise UserError(f"'{text}': the ages must rise from stage to stage, and only the last one has none.")
    return Every(stages)


def best_of_periods(frames: Sequence[Frame], every: Every, preference: Preference) -> list[LeftOut]:
    """Of frames in the order of time: those that are not the best of their period, and those without a date."""
    groups: dict[Hashable, list[Frame]] = {}
    for number, frame in enumerate(frames):
        groups.setdefault(_period(frame, number, frames[0], every), []).append(frame)
    left_out = [LeftOut(frame, UNDATED) for frame in groups.pop(None, [])]
    for group in groups.values():
        left_out += preference.others(group, f"it is not the best of its {_named(every, group[0], frames[0])}")
    return left_out


def _stage(part: str, text: str) -> Stage:
    match = re.fullmatch(r"(day|week|month|year)(?::(\d{1,4})([dwmy]))?", part)
    if not match:
        raise UserError(f"'{text}' is not understood. {_SYNTAX}")
    unit, count, scale = match.groups()
    return Stage(unit) if count is None else Stage(unit, int(count) * _YEARS_PER[scale])


def _period(frame: Frame, number: int, first: Frame, every: Every) -> Hashable:
    """What frames of one period have in common; None of a frame that has none."""
    if every.count:
        return number // every.count
    if frame.taken_at is None:
        return None
    unit = _unit(frame, first, every)
    return unit, _in_calendar(frame.taken_at.date(), unit)


def _in_calendar(day: date, unit: str) -> tuple[int, ...]:
    periods: dict[str, tuple[int, ...]] = {
        "day": (day.toordinal(),),
        "week": tuple(day.isocalendar()[:2]),
        "month": (day.year, day.month),
        "year": (day.year,),
    }
    return periods[unit]


def _unit(frame: Frame, first: Frame, every: Every) -> str:
    """The unit of the stage of life that a dated frame is of."""
    age = frame.age_years
    if age is None and frame.taken_at and first.taken_at:
        age = (frame.taken_at - first.taken_at).days / DAYS_A_YEAR
    return next(stage.unit for stage in every.stages if (age or 0) < stage.until_years - _ROUNDING)


def _named(every: Every, frame: Frame, first: Frame) -> str:
    return f"{every.count} photos" if every.count else _unit(frame, first, every)
