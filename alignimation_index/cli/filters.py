"""The options that choose frames, the same for every command that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from alignimation_index.query.expression import FrameFilter

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--all-variants", is_flag=True, help="Also edited photos' originals, RAW, bursts and copies."),
    click.option("--max-residual", type=click.FloatRange(0), help="Largest registration residual, in frame sides."),
    click.option("--min-size", type=click.FloatRange(0), help="Smallest face, in pixels of the photo."),
    click.option("--years", metavar="FIRST-LAST", help="Years the photos were taken: 2000-2020, 2000-, -2020, 2012."),
    click.option("--person", metavar="NAME", help="A name, or a person's number; me: who is on most photos."),
    click.argument("expression", metavar="[EXPR]", default=""),
)
_HIDDEN = (
    click.option("--include-archived", is_flag=True, help="Also photos in the archive of a Google Photos export."),
    click.option("--include-trashed", is_flag=True, help="Also photos in the bin of a Google Photos export."),
)


def including_hidden(command: Command) -> Command:
    """Give a command the options that bring in what is hidden otherwise."""
    for option in _HIDDEN:
        command = option(command)
    return command


def choosing_frames(command: Command) -> Command:
    """Give a command the argument EXPR and the options that narrow and widen it."""
    command = including_hidden(command)
    for option in _OPTIONS:
        command = option(command)
    return command


def frame_filter(
    expression: str,
    person: str | None,
    years: str | None,
    frontal: bool | None,
    min_size: float | None,
    max_residual: float | None,
    include_trashed: bool,
    include_archived: bool,
    all_variants: bool,
) -> FrameFilter:
    """The filter that EXPR and the options describe together; an option wins over the same term in EXPR."""
    from alignimation_index.query.expression import parse_expression, parse_years

    wanted = parse_expression(expression)
    first, last = parse_years(years) if years else (wanted.first_year, wanted.last_year)
    return replace(
        wanted,
        person=wanted.person if person is None else person,
        first_year=first,
        last_year=last,
        frontal=wanted.frontal if frontal is None else frontal,
        min_size_px=wanted.min_size_px if min_size is None else min_size,
        max_residual=wanted.max_residual if max_residual is None else max_residual,
        include_trashed=include_trashed,
        include_archived=include_archived,
        all_variants=all_variants,
    )
