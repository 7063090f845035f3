"""The options that choose the frames of a film among those that are wanted, and what was chosen, told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from alignimation_index.cli.completion import complete_photo, complete_saved
from alignimation_index.cli.output import say, say_json, say_table
from alignimation_index.errors import UserError

if TYPE_CHECKING:
    from alignimation_index.query.choosing.choose import Choice, Chosen
    from alignimation_index.query.choosing.preference import LeftOut
    from alignimation_index.query.frames import Frame
    from alignimation_index.store.engine import Store

Command = TypeVar("Command", bound=Callable[..., Any])

_PHOTO = "(a path or content hash; can be repeated)"
_CHOOSING = (
    click.option("--all-outliers", is_flag=True, help="Also faces in doubt, or registered far worse than others."),
    click.option("--all-alike", is_flag=True, help="Also photos that look like another of the same minutes."),
    click.option(
        "--drop", metavar="PHOTO", multiple=True, help=f"Never this photo {_PHOTO}.", shell_complete=complete_photo
    ),
    click.option(
        "--pin", metavar="PHOTO", multiple=True, help=f"Always this photo {_PHOTO}.", shell_complete=complete_photo
    ),
    click.option("--limit", type=click.IntRange(1), help="At most so many frames, even over time, the best of each."),
    click.option(
        "--even",
        type=click.Choice(["photos", "time"]),
        default="photos",
        show_default=True,
        help="Each photo equally long, or as long as the time in the calendar that it stands for.",
    ),
    click.option(
        "--duration", metavar="TIME", help="Of the film, exactly: 60s, 1m30s. Holds the best it has room for."
    ),
    click.option(
        "--every",
        metavar="PERIOD",
        help="The best of each day, week, month or year; of so many photos, like 3; or by age: week:1y,month:5y,year.",
    ),
)
_OF_A_RUN = (
    click.option("--explain", is_flag=True, help="Only say what would be left out, and why, and how long it will be."),
    click.option(
        "--saved",
        metavar="NAME",
        help="What is saved under this name; --pin and --drop are kept with it.",
        shell_complete=complete_saved,
    ),
)
_STEPS = ("every", "duration", "limit", "all_alike", "all_outliers")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line asks for, together with what is saved under the name that it gives.

    Attributes:
        filters: for `cli.filters.frame_filter`; frontal is True or None.
        any_pose: whether faces that look elsewhere are asked for.
        choice: how to choose among the frames.
        is_choosing: whether anything is said of that.
    """

    filters: dict[str, Any]
    any_pose: bool
    choice: Choice
    is_choosing: bool


def choosing_steps(command: Command) -> Command:
    """Give a command the options that can be saved with a query."""
    for option in _CHOOSING:
        command = option(command)
    return command


def choosing_film(command: Command) -> Command:
    """Give a command all options that choose the frames of a film."""
    for option in _OF_A_RUN:
        command = option(command)
    return choosing_steps(command)


def asked(
    context: click.Context,
    store: Store,
    photos_per_second: float = 12.0,
    *,
    saved: str | None,
    **options: Any,  # noqa: ANN401
) -> Asked:
    """Read the options of `choosing_frames` and `choosing_film`, but for --explain; those given win over saved ones.

    Photos that are pinned or dropped are kept with the saved query.

    Raises:
        UserError: something is not understood, or there is no such query or photo.
    """
    pins, drops = options.pop("pin"), options.pop("drop")
    if saved is None:
        pinned, dropped = _for_this_run(store, pins, drops)
    else:
        pinned, dropped = _with_saved(context, store, saved, pins, drops, options)
    even, steps = options.pop("even"), {name: options.pop(name) for name in _STEPS}
    is_choosing = any((*steps.values(), even != "photos", pinned, dropped))
    choice = _choice(photos_per_second, even, pins=pinned, drops=dropped, **steps)
    any_pose = options["frontal"] is False
    return Asked({**options, "frontal": options["frontal"] or None}, any_pose, choice, is_choosing)


def options_given(context: click.Context) -> dict[str, Any]:
    """The options of the command line that are saved with a query."""
    of_the_answers = {"name", "expression", "pin", "drop", "replace"}
    return {
        name: value
        for name, value in context.params.items()
        if name not in of_the_answers and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def explain(chosen: Chosen, *, as_json: bool) -> None:
    """Tell every frame that is left out and why, and how many frames and seconds will come."""
    if as_json:
        say_json(_explained_json(chosen))
        return
    say_table(("taken", "photo", "left out because", "instead"), map(_explained_row, chosen.left_out))
    say_left_out(chosen)
    say(will_come(chosen))


def say_left_out(chosen: Chosen) -> None:
    """Tell how many frames are left out for each reason."""
    for reason, count in chosen.reasons.items():
        say(f"Left out {count} {'photo' if count == 1 else 'photos'}: {reason}")


def will_come(chosen: Chosen) -> str:
    """How long the film will be."""
    count = len(chosen.frames)
    return f"{count} {'frame' if count == 1 else 'frames'}, {chosen.seconds:.1f} s will come"


def _for_this_run(store: Store, pins: Iterable[str], drops: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    from alignimation_index.pipeline.saved import pins_and_drops

    with store.reading() as session:
        return pins_and_drops(session, pins, drops)


def _with_saved(
    context: click.Context, store: Store, name: str, pins: tuple[str, ...], drops: tuple[str, ...], into: dict[str, Any]
) -> tuple[frozenset[str], frozenset[str]]:
    from alignimation_index.pipeline.saved import answer_photos
    from alignimation_index.query.saved import find_saved

    if into["expression"]:
        raise UserError("EXPR and --saved say the same thing twice. Give one of them; options may narrow either.")
    if pins or drops:
        answer_photos(store, name, pins, drops)
    with store.reading() as session:
        saved = find_saved(session, name)
    into["expression"] = saved.expression
    for option, value in saved.options.items():
        if option in into and context.get_parameter_source(option) is not ParameterSource.COMMANDLINE:
            into[option] = value
    return saved.pins, saved.drops


def _choice(
    photos_per_second: float,
    even: Any,  # noqa: ANN401 - one of the choices that click leaves
    *,
    every: str | None,
    duration: str | None,
    **options: Any,  # noqa: ANN401
) -> Choice:
    from alignimation_index.query.choosing.choose import Choice
    from alignimation_index.query.choosing.pacing import Pace, parse_duration
    from alignimation_index.query.choosing.periods import parse_every

    pace = Pace(photos_per_second, parse_duration(duration) if duration else None, even)
    return Choice(pace, parse_every(every) if every else None, **options)


def _explained_row(one: LeftOut) -> tuple[object, ...]:
    instead = one.instead and one.instead.path
    return one.frame.taken_at, one.frame.path, one.reason, instead


def _explained_json(chosen: Chosen) -> dict[str, Any]:
    return {
        "frame_count": len(chosen.frames),
        "seconds": round(chosen.seconds, 3),
        "reasons": chosen.reasons,
        "frames": list(_shown_json(chosen)),
        "left_out": [
            {**_frame_json(one.frame), "reason": one.reason, "instead": one.instead and one.instead.path}
            for one in chosen.left_out
        ],
    }


def _shown_json(chosen: Chosen) -> Iterator[dict[str, Any]]:
    from alignimation_index.query.choosing.score import score

    for frame, start_s in zip(chosen.frames, chosen.starts_s, strict=True):
        yield {**_frame_json(frame), "start": round(start_s, 3), "score": round(score(frame), 3)}


def _frame_json(frame: Frame) -> dict[str, Any]:
    taken_at = frame.taken_at and frame.taken_at.isoformat()
    return {"path": frame.path, "content_hash": frame.content_hash, "taken_at": taken_at, "face_id": frame.face_id}
