"""From what a user asks to a condition on frames."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from alignimation_index.errors import UserError

_YEAR = r"(?!0000)[0-9]{4}"  # the calendar has no year 0


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which frames are wanted; None leaves a condition out, and all that are given hold together.

    Attributes:
        person: a name, or a person's number.
        first_year: earliest year of the photo's date, inclusive.
        last_year: latest year, inclusive.
        frontal: whether the face looks at the camera.
        min_size_px: smallest longer side of the face's box, in pixels of the full photo.
        max_residual: largest registration residual, in template units.
        include_trashed: whether photos in the bin of an export are wanted too.
        include_archived: whether photos in the archive of an export are wanted too.
        all_variants: whether frames are wanted of all photos that are variants of each other, or of the best one.
    """

    person: str | None = None
    first_year: int | None = None
    last_year: int | None = None
    frontal: bool | None = None
    min_size_px: float | None = None
    max_residual: float | None = None
    include_trashed: bool = False
    include_archived: bool = False
    all_variants: bool = True


def parse_expression(expression: str) -> FrameFilter:
    """Parse terms such as `person:me year:2000..2020 frontal:yes size:>=120 residual:<0.05`.

    Terms are separated by spaces and hold together; a value with spaces goes into quotes. An empty expression wants
    all frames.

    Raises:
        UserError: a term is not understood; the message names it and what would do.
    """
    try:
        terms = shlex.split(expression)
    except ValueError as error:
        raise UserError(f"{expression!r}: {error}. Close the quotes.") from None
    wanted = FrameFilter()
    for term in terms:
        key, colon, value = term.partition(":")
        if not colon or key not in _TERMS:
            raise UserError(f"{term!r} is not understood{_suggestion(key)}. Terms: {', '.join(_TERMS)} as KEY:VALUE.")
        wanted = _TERMS[key](wanted, value)
    return wanted


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


def _years(wanted: FrameFilter, value: str) -> FrameFilter:
    first, last = parse_years(value)
    return replace(wanted, first_year=first, last_year=last)


def _frontal(wanted: FrameFilter, value: str) -> FrameFilter:
    if value not in ("yes", "no"):
        raise UserError(f"'frontal:{value}' is not understood. Write frontal:yes or frontal:no.")
    return replace(wanted, frontal=value == "yes")


def _size(wanted: FrameFilter, value: str) -> FrameFilter:
    return replace(wanted, min_size_px=_bound("size", value, ">="))


def _residual(wanted: FrameFilter, value: str) -> FrameFilter:
    return replace(wanted, max_residual=_bound("residual", value, "<="))


def _bound(key: str, value: str, sign: str) -> float:
    match = re.fullmatch(rf"{sign[0]}=?(\d+(?:\.\d+)?)", value)
    if not match:
        raise UserError(f"'{key}:{value}' is not understood. Write {key}:{sign} and a number, in quotes.")
    return float(match[1])


def _person(wanted: FrameFilter, value: str) -> FrameFilter:
    return replace(wanted, person=value)


_TERMS: dict[str, Callable[[FrameFilter, str], FrameFilter]] = {
    "person": _person,
    "year": _years,
    "frontal": _frontal,
    "size": _size,
    "residual": _residual,
}


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key, _TERMS, n=1)
    return f"; did you mean {near[0]}:" if near else ""
