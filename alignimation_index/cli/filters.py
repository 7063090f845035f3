"""The argument EXPR and the options that choose frames, the same for every command that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alignimation_index.cli.completion import complete_expression, complete_person

if TYPE_CHECKING:
    from alignimation_index.query.language.expression import FrameFilter

Command = TypeVar("Command", bound=Callable[..., Any])


def _joined(_context: click.Context, _parameter: click.Parameter, words: tuple[str, ...]) -> str:
    return " ".join(words)


expression_argument = click.argument(
    "expression", metavar="[EXPR]", nargs=-1, callback=_joined, shell_complete=complete_expression
)
_OPTIONS = (
    click.option("--all-variants", is_flag=True, help="Also edited photos' originals, RAW, bursts and copies."),
    click.option("--max-residual", type=click.FloatRange(0), help="Largest registration residual, in frame sides."),
    click.option("--min-size", type=click.FloatRange(0), help="Smallest face, in pixels of the photo."),
    click.option("--years", metavar="FIRST-LAST", help="Years the photos were taken: 2000-2020, 2000-, -2020, 2012."),
    click.option(
        "--person",
        metavar="NAME",
        shell_complete=complete_person,
        help="A name, or a person's number; me: who is on most photos.",
    ),
    expression_argument,
)
_HIDDEN = (
    click.option("--include-archived", is_flag=True, help="Also photos in the archive of a Google Photos export."),
    click.option("--include-trashed", is_flag=True, help="Also photos in the bin of a Google Photos export."),
)
_OUTPUTS = (
    click.option("--count", "output", flag_value="count", help="Only how many there are."),
    click.option("--paths", "output", flag_value="paths", help="Only the photos' paths."),
    click.option("--csv", "output", flag_value="csv", help="As a table for spreadsheets."),
    click.option("--json", "output", flag_value="json", help="For programs."),
)


def including_hidden(command: Command) -> Command:
    """Give a command the options that bring in what is hidden otherwise."""
    return _with(command, _HIDDEN)


def choosing_frames(command: Command) -> Command:
    """Give a command the argument EXPR and the options that narrow and widen it."""
    return _with(including_hidden(command), _OPTIONS)


def choosing_output(command: Command) -> Command:
    """Give a command the options that say in which form it lists what it finds: `output`, None for people."""
    return _with(command, _OUTPUTS)


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
    """The filter that EXPR and the options describe together.

    An option is a term that holds too; it replaces a term of the same name that stands in EXPR by itself.
    """
    from alignimation_index.query.language.expression import parse_expression, term

    options = {
        "person": (person, "--person {}"),
        "year": (years, "--years {}"),
        "frontal": (None if frontal is None else "yes" if frontal else "no", None),
        "size": (None if min_size is None else f">={min_size!r}", None),
        "residual": (None if max_residual is None else f"<={max_residual!r}", None),
    }
    terms = [
        term(name, value, source and source.format(value))
        for name, (value, source) in options.items()
        if value is not None
    ]
    wanted = parse_expression(expression).narrowed(*terms)
    return replace(
        wanted, include_trashed=include_trashed, include_archived=include_archived, all_variants=all_variants
    )


def _with(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in options:
        command = option(command)
    return command
