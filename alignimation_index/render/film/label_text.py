"""What a label says of a frame: its date, age, person and place, by a template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from string import Formatter
from typing import Any

from alignimation_index.errors import UserError
from alignimation_index.query.frames import Frame
from alignimation_index.render.film.places import place_in_words

FIELDS = ("date", "year", "age", "person", "place")
SEPARATOR = " · "
_WEEKS_UNTIL_MONTHS, _MONTHS_UNTIL_YEARS = 13, 24
_NAMES = {
    "%A": ("days", "wide"),
    "%a": ("days", "abbreviated"),
    "%B": ("months", "wide"),
    "%b": ("months", "abbreviated"),
}


def label_template(labels: Sequence[str]) -> str:
    """One template of what is asked for: names of FIELDS or templates, in that order.

    Raises:
        UserError: a template has an unknown field or cannot be read.
    """
    parts = [f"{{{label}}}" if label in FIELDS else label for label in labels]
    for part in parts:
        _check(part)
    return SEPARATOR.join(parts)


def label_text(template: str, frame: Frame, locale: str | None = None) -> str:
    """Fill in a template; what is not known of a frame is left out, with the signs around it.

    Args:
        template: text with fields such as {age} or {date:%B %Y}, see FIELDS.
        frame: of whom and when.
        locale: for dates, such as de_DE; None for English.
    """
    values: dict[str, Any] = {
        "date": _Date(frame.taken_at, locale),
        "year": f"{frame.taken_at:%Y}" if frame.taken_at else "",
        "age": "" if frame.age_years is None else age_in_words(frame.age_years),
        "person": frame.person or "",
        "place": place_in_words(frame.latitude_deg, frame.longitude_deg),
    }
    return _tidy(template.format(**values))


def age_in_words(age_years: float) -> str:
    """Completed weeks, `3 w`, until three months; then months, `5 m`, until two years; then years, `7 y`."""
    weeks = int(age_years * 365.2425 / 7 + 0.002)
    months = int(age_years * 12 + 0.02)  # days are no exact part of a month
    if weeks < _WEEKS_UNTIL_MONTHS:
        return f"{weeks} w"
    return f"{months} m" if months < _MONTHS_UNTIL_YEARS else f"{int(age_years + 0.002)} y"


class _Date:
    """A moment that formats itself in a language; as nothing where it is not known."""

    def __init__(self, taken_at: datetime | None, locale: str | None) -> None:
        self._taken_at, self._locale = taken_at, locale

    def __format__(self, spec: str) -> str:
        if self._taken_at is None:
            return ""
        if self._locale is not None:
            return _localised(self._taken_at, spec, self._locale)
        return self._taken_at.strftime(spec) if spec else f"{self._taken_at.day} {self._taken_at:%b %Y}"


def _localised(moment: datetime, spec: str, locale: str) -> str:
    dates = _babel_dates(locale)
    if not spec:
        return str(dates.format_date(moment, "long", locale))
    for code, (kind, width) in _NAMES.items():
        if code in spec:
            context = "format" if "%d" in spec else "stand-alone"
            names = getattr(dates, "get_month_names" if kind == "months" else "get_day_names")(width, context, locale)
            spec = spec.replace(code, names[moment.month if kind == "months" else moment.weekday()])
    return moment.strftime(spec)


def _babel_dates(locale: str) -> Any:  # noqa: ANN401 - the module, which is optional
    try:
        from babel import Locale, UnknownLocaleError, dates
    except ImportError:
        raise UserError(
            'For --locale the names of months are needed. Install them: pip install "alignindex[locale]"'
        ) from None
    try:
        Locale.parse(locale)
    except (ValueError, UnknownLocaleError):
        raise UserError(
            f"There is no locale {locale!r}. Write a language and a country, like de_DE or pt_BR."
        ) from None
    return dates


def check_locale(locale: str | None) -> None:
    """Raise UserError where dates cannot be written in a language."""
    if locale is not None:
        _babel_dates(locale)


def _check(template: str) -> None:
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    try:
        fields = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
        unknown = [field for field in fields if field not in FIELDS]
        if not unknown:
            template.format(**{**dict.fromkeys(FIELDS, ""), "date": _Date(datetime(2000, 1, 1), None)})
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise UserError(f"--label {template!r} cannot be read: {error}. It can hold {known}.") from None
    if unknown:
        raise UserError(f"--label {template!r}: there is no {{{unknown[0]}}}. It can hold {known}.")


def _tidy(text: str) -> str:
    """Take away what only stood between things that are not there."""
    text = re.sub(r"\(\s*\)", "", text)
    text = re.sub(r"(?:\s*[·|]\s*){2,}", SEPARATOR, text)
    return re.sub(r"^[\s·|,:–-]+|[\s·|,:–-]+$", "", text)
