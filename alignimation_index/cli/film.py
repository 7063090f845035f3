"""The options that say how a film moves, what is written on it, and what kind of file it becomes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.option_groups import Command, as_one
from alignimation_index.errors import UserError

if TYPE_CHECKING:
    from alignimation_index.render.film.film import Look
    from alignimation_index.render.film.labels import Labels
    from alignimation_index.render.film.transitions.transition import Transition
    from alignimation_index.render.stills.framing import Framing

# As in render.film.transitions.transition and render.film.labels, which take long to import.
TRANSITIONS = ("cut", "crossfade", "blend", "morph")
CORNERS = ("bottom-left", "bottom-right", "top-left", "top-right", "bottom", "top")
CODECS = ("h264", "h265", "av1", "vp9", "prores")
DEFAULT_FPS = 24.0

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


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """What the options say, each as click gives it; see `film_options`."""

    fps: float | None
    pace: float | None
    transition: str
    share: float | None
    blend_width: str | None
    label: tuple[str, ...]
    label_corner: str
    label_size: float
    font: str | None
    locale: str | None
    time_bar: bool
    compare: tuple[str, str] | None
    grid: tuple[str, ...]
    codec: str | None

    @property
    def photos_per_second(self) -> float:
        """How fast photos come: never faster than pictures."""
        from alignimation_index.render.film.transitions.transition import PHOTOS_PER_SECOND

        return self.pace or min(PHOTOS_PER_SECOND[self.transition], self.fps or math.inf)

    @property
    def sides(self) -> tuple[str, ...]:
        """Whom or what is shown side by side: names, or expressions; none for a film of one person."""
        if self.compare and self.grid:
            raise UserError("--compare and --grid are two ways to show several people. Give one of them.")
        return self.compare or self.grid

    def look(self, framing: Framing, background: str = "keep", *, is_folder: bool = False) -> Look:
        """How the film looks.

        Args:
            framing: of each person's pictures.
            background: what is behind people.
            is_folder: whether it becomes a folder of pictures; cut, that holds each photo once.

        Raises:
            UserError: something is not understood, or of no use together.
        """
        from alignimation_index.render.film.film import Look

        once = is_folder and self.transition == TRANSITIONS[0]
        fps = self.fps or (self.photos_per_second if once else DEFAULT_FPS)
        return Look(framing, self._transition(), fps, self._labels(), self.codec, background)

    def _transition(self) -> Transition:
        from alignimation_index.render.film.transitions.transition import BLEND, CUT, Transition, parse_width

        if self.blend_width is not None and self.transition != BLEND:
            raise UserError(f"--blend-width is for --transition blend, not for {self.transition}.")
        if self.share is not None and self.transition in (CUT, BLEND):
            raise UserError(f"--share is for --transition crossfade and morph, not for {self.transition}.")
        told: dict[str, Any] = {} if self.share is None else {"share": self.share}
        if self.blend_width is not None:
            told["blend_width"], told["blend_in_days"] = parse_width(self.blend_width)
        return Transition(self.transition, **told)

    def _labels(self) -> Labels:
        """People side by side are named where nothing else is said."""
        from alignimation_index.render.film.fonts import font_of
        from alignimation_index.render.film.label_text import check_locale, label_template
        from alignimation_index.render.film.labels import Labels

        template = label_template(self.label or (("person", "year", "age") if self.sides else ()))
        check_locale(self.locale)
        font_of(self.font, 20)
        return Labels(template, self.label_corner, self.label_size, self.font, self.locale, self.time_bar)


def film_options(command: Command) -> Command:
    """Give a command the options of a film, but for frames and framing, as one argument `film` of FilmOptions."""
    return as_one(command, "film", FilmOptions, (*_MOVING, *_WRITTEN, *_BESIDE, *_FILE))


def query_in_words(expression: str, options: Mapping[str, Any]) -> str:
    """What was asked for, for the film's file to say: EXPR, and the options that choose frames; no path is in it."""
    told = {name: value for name, value in options.items() if name in _QUERY and value not in (None, ())}
    words = [_in_words(name.replace("_", " "), value) for name, value in told.items()]
    return ", ".join([*([expression] if expression else []), *words])


_QUERY: tuple[str, ...] = (
    "person",
    "years",
    "frontal",
    "min_size",
    "max_residual",
    "every",
    "duration",
    "even",
    "limit",
    "saved",
)
_QUERY += ("compare", "grid")


def _in_words(name: str, value: Any) -> str:  # noqa: ANN401 - of an option
    if name == "frontal":
        return name if value else "any pose"
    return f"{name} {' and '.join(value) if isinstance(value, tuple) else value}"
