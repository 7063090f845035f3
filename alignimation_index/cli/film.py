"""The options that say how a film moves, what is written on it, and what kind of file it becomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alignimation_index.errors import UserError

if TYPE_CHECKING:
    from alignimation_index.render.labels import Labels
    from alignimation_index.render.transitions.transition import Transition

Command = TypeVar("Command", bound=Callable[..., Any])

# As in render.transitions.transition and render.labels, which take long to import.
TRANSITIONS = ("cut", "crossfade", "blend", "morph")
CORNERS = ("bottom-left", "bottom-right", "top-left", "top-right", "bottom", "top")
CODECS = ("h264", "h265", "av1", "vp9", "prores")

_MOVING = (
    click.option(
        "--fps",
        type=click.FloatRange(0, min_open=True),
        help="Pictures per second of the film, however many photos there are.  [default: 24]",
    ),
    click.option(
        "--pace",
        metavar="PHOTOS",
        type=click.FloatRange(0, min_open=True),
        help="Photos per second.  [default: 12, for crossfade and morph 3; at most --fps]",
    ),
    click.option(
        "--transition",
        type=click.Choice(TRANSITIONS),
        default=TRANSITIONS[0],
        show_default=True,
        help="From each photo to the next; blend: a mean of all photos near in time, morph: faces are warped.",
    ),
    click.option(
        "--share",
        type=click.FloatRange(0, 1),
        help="Of a photo's time, how much a crossfade or morph takes.  [default: 0.6]",
    ),
    click.option(
        "--blend-width",
        metavar="TIME",
        help="How far a blend reaches: 0.5s of the film, or 10d, 6w, 3m, 1y of life.  [default: 0.25s]",
    ),
)
_WRITTEN = (
    click.option(
        "--label",
        metavar="WHAT",
        multiple=True,
        help='date, year, age, person, place, or a text like "{date:%B %Y} · {age}"; can be repeated.',
    ),
    click.option("--label-corner", type=click.Choice(CORNERS), default=CORNERS[0], show_default=True, help="Where."),
    click.option(
        "--label-size",
        type=click.FloatRange(0.01, 0.3),
        default=0.045,
        show_default=True,
        help="Height of the text, as a part of the picture's shorter side.",
    ),
    click.option(
        "--font", metavar="FILE", type=click.Path(dir_okay=False), help="A .ttf or .otf; needed for Chinese, say."
    ),
    click.option("--locale", metavar="NAME", help="Language of dates, such as de_DE.  [default: English]"),
    click.option("--time-bar", is_flag=True, help="A thin bar shows how much of the film has passed."),
)
_BESIDE = (
    click.option(
        "--compare",
        nargs=2,
        metavar="A B",
        help="Two people side by side, by age if both birthdays are known, else by date; or two EXPR of one person.",
    ),
    click.option("--grid", metavar="PERSON", multiple=True, help="Several people in a grid, by date: repeat it."),
)
_FILE = (
    click.option(
        "--codec",
        type=click.Choice(CODECS),
        help="h264, h265 or av1 in .mp4; vp9 or av1 in .webm; prores in .mov.  [default: the first]",
    ),
    click.option(
        "--from",
        "record",
        metavar="OUT.json",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Make the film anew that this file, which stands beside it, describes.",
    ),
)


def film_options(command: Command) -> Command:
    """Give a command the options of a film, but for which frames and how they are framed."""
    for option in reversed((*_MOVING, *_WRITTEN, *_BESIDE, *_FILE)):
        command = option(command)
    return command


def transition_of(name: str, share: float | None, blend_width: str | None) -> Transition:
    """The transition that the options describe.

    Raises:
        UserError: a width is not understood, or of no use for this transition.
    """
    from alignimation_index.render.transitions.transition import BLEND, CUT, Transition, parse_width

    if blend_width is not None and name != BLEND:
        raise UserError(f"--blend-width is for --transition blend, not for {name}.")
    if share is not None and name in (CUT, BLEND):
        raise UserError(f"--share is for --transition crossfade and morph, not for {name}.")
    told: dict[str, Any] = {} if share is None else {"share": share}
    if blend_width is not None:
        told["blend_width"], told["blend_in_days"] = parse_width(blend_width)
    return Transition(name, **told)


def labels_of(
    label: tuple[str, ...],
    label_corner: str,
    label_size: float,
    font: str | None,
    locale: str | None,
    time_bar: bool,
    *,
    is_beside: bool = False,
) -> Labels:
    """The labels that the options describe; people side by side are named where nothing else is said.

    Raises:
        UserError: a template, font or locale is not understood.
    """
    from alignimation_index.render.fonts import font_of
    from alignimation_index.render.label_text import check_locale, label_template
    from alignimation_index.render.labels import Labels

    template = label_template(label or (("person", "age") if is_beside else ()))
    check_locale(locale)
    font_of(font, 20)
    return Labels(template, label_corner, label_size, font, locale, time_bar)
