"""`alignindex faces`, `errors` and `query`: what the store holds, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.bodies import BodyOptions, body_options, choose_bodies, say_body_frames
from alignimation_index.cli.choosing import asked, choosing_film
from alignimation_index.cli.choosing import explain as explain_choice
from alignimation_index.cli.filters import (
    choosing_frames,
    choosing_output,
    expression_argument,
    frame_filter,
    including_hidden,
)
from alignimation_index.cli.output import (
    PRINTED_AT_ONCE,
    opened_store,
    say,
    say_csv,
    say_json,
    say_json_array,
    say_lines,
    say_table,
    warn,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from alignimation_index.query.choosing.choose import Choice, Chosen
    from alignimation_index.query.frames import Frame
    from alignimation_index.query.language.expression import FrameFilter
    from alignimation_index.store.engine import Store

_AsJson = Callable[["Iterable[Frame]"], "Iterator[dict[str, Any]]"]

_ANGLES = ("yaw", "pitch", "roll", "frontal", "quality")
_FACE_COLUMNS = ("path", "face_id", "score", *_ANGLES, "person_id", "person", "assigned_by")
_FRAME_COLUMNS = ("path", "taken_at", "face_id", "person_id", "person", *_ANGLES, "residual")

as_json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.command(short_help="List the faces.")
@expression_argument
@including_hidden
@choosing_output
@click.pass_context
def faces(context: click.Context, /, expression: str, output: str | None, **hidden: Any) -> None:  # noqa: ANN401
    """List the faces on the photos; with EXPR those that are as it says (see query)."""
    from dataclasses import replace

    from alignimation_index.query.language.expression import parse_expression

    with opened_store(context) as store, store.reading() as session:
        _list(session, replace(parse_expression(expression), **hidden), output, _faces_json, _FACE_COLUMNS)


@click.command(short_help="List what could not be read, and why.")
@as_json_option
@click.pass_context
def errors(context: click.Context, as_json: bool) -> None:
    """List what could not be read, and why. It is tried again when the file changes."""
    from alignimation_index.pipeline.stages import STAGES
    from alignimation_index.store.runs import errors as stored_errors

    with opened_store(context) as store, store.reading() as session:
        rows = stored_errors(session, STAGES)
    if as_json:
        say_json([{"path": path, "stage": stage, "reason": reason} for path, stage, reason in rows])
    else:
        say_table(("path", "stage", "reason"), rows)


@click.command(short_help="Choose frames: registered faces in the order of time.")
@choosing_frames
@body_options
@click.option("--frontal", is_flag=True, default=None, help="Only faces that look at the camera.")
@choosing_film
@choosing_output
@click.pass_context
def run(
    context: click.Context,
    /,
    output: str | None,
    explain: bool,
    bodies: BodyOptions,
    **options: Any,  # noqa: ANN401
) -> None:
    """Choose frames, in the order of time. EXPR is of terms that hold together, empty for all:

    \b
    person:me  year:2000..2020  frontal:yes  "size:>=120"  "residual:<0.05"

    Also with `or`, `not` and parentheses: "person:me (with:Bob or with:Eve) not album:Work*".

    With an option that chooses the frames of a film, such as --every, they are those of the film.
    """
    with opened_store(context) as store:
        request = asked(context, store, **options)
        wanted = frame_filter(**request.filters)
        if bodies.wanted or wanted.kind == "body":
            _say_bodies(store, choose_bodies(store, wanted, bodies, request.choice), output, explain=explain)
            return
        with store.reading() as session:
            if explain or request.is_choosing:
                _say_chosen(session, wanted, request.choice, output, explain=explain)
            else:
                _list(session, wanted, output, _frames_json, _FRAME_COLUMNS)


def _say_bodies(store: Store, chosen: Chosen, output: str | None, *, explain: bool) -> None:
    if chosen.note:
        warn(chosen.note)
    if explain:
        explain_choice(chosen, as_json=output == "json")
    else:
        say_body_frames(store, chosen, output)


def _say_chosen(session: Session, wanted: FrameFilter, choice: Choice, output: str | None, *, explain: bool) -> None:
    from alignimation_index.query.choosing.choose import choose_frames

    chosen = choose_frames(session, wanted, choice)
    if chosen.note:
        warn(chosen.note)
    if explain:
        explain_choice(chosen, as_json=output == "json")
    elif output == "count":
        say(str(len(chosen.frames)))
    else:
        _say(iter(chosen.frames), output, _frames_json, _FRAME_COLUMNS)


def _list(
    session: Session, wanted: FrameFilter, output: str | None, as_json: _AsJson, csv_columns: Sequence[str]
) -> None:
    """Print the frames in the form asked for; whom a guess took for "me" is said first, what was left out at last."""
    from alignimation_index.query.frames import stream_frames
    from alignimation_index.query.language.selection import count_faces, count_variants_left_out, remarks
    from alignimation_index.query.variants import LEFT_OUT

    for remark in remarks(session, wanted):
        warn(remark)
    if output == "count":
        say(str(count_faces(session, wanted)))
    else:
        _say(stream_frames(session, wanted), output, as_json, csv_columns)
    if left_out := count_variants_left_out(session, wanted):
        warn(f"Left out {left_out} {'frame' if left_out == 1 else 'frames'}: {LEFT_OUT}")


def _say(frames: Iterator[Frame], output: str | None, as_json: _AsJson, csv_columns: Sequence[str]) -> None:
    if output == "json":
        say_json_array(as_json(frames))
    elif output == "csv":
        say_csv(csv_columns, as_json(frames))
    elif output == "paths":
        say_lines(path for path, _ in groupby(frame.path for frame in frames))  # those of a photo follow each other
    else:
        _say_frames(frames)


def _say_frames(frames: Iterable[Frame]) -> None:
    header = ("taken", "face", "person", "yaw", "pitch", "frontal", "size", "quality", "path")
    say_table(
        header,
        (
            (
                frame.taken_at,
                frame.face_id,
                frame.person or frame.person_id,
                f"{frame.yaw_deg:.0f}",
                f"{frame.pitch_deg:.0f}",
                "yes" if frame.frontal else "no",
                f"{frame.size_px:.0f}",
                f"{frame.quality:.2f}",
                frame.path,
            )
            for frame in frames
        ),
    )


def _faces_json(frames: Iterable[Frame]) -> Iterator[dict[str, Any]]:
    from alignimation_index.pipeline.flow import batches

    for some in batches(frames, PRINTED_AT_ONCE):
        boxes = _rounded([frame.box for frame in some], 2)
        landmarks = _rounded([frame.landmarks for frame in some], 3)
        for frame, box, points in zip(some, boxes, landmarks, strict=True):
            yield _face_json(frame, box, points)


def _frames_json(frames: Iterable[Frame]) -> Iterator[dict[str, Any]]:
    from alignimation_index.pipeline.flow import batches

    for some in batches(frames, PRINTED_AT_ONCE):
        registered = [frame.template_from_photo for frame in some if frame.template_from_photo is not None]
        transforms = iter(_rounded(registered, 9))
        for frame, face in zip(some, _faces_json(some), strict=True):
            yield {
                **face,
                "taken_at": frame.taken_at and frame.taken_at.isoformat(),
                "template": frame.template,
                "transform": None if frame.template_from_photo is None else next(transforms),
                "residual": None if frame.residual is None else round(frame.residual, 6),
                "age": None if frame.age_years is None else round(frame.age_years, 2),
            }


def _face_json(frame: Frame, box: list[float], landmarks: list[list[float]]) -> dict[str, Any]:
    return {
        "path": frame.path,
        "face_id": frame.face_id,
        "box": box,
        "score": round(frame.score, 4),
        "landmarks": landmarks,
        "yaw": round(frame.yaw_deg, 2),
        "pitch": round(frame.pitch_deg, 2),
        "roll": round(frame.roll_deg, 2),
        "frontal": frame.frontal,
        "quality": round(frame.quality, 4),
        "person_id": frame.person_id,
        "person": frame.person,
        "assigned_by": frame.assigned_by,
    }


def _rounded(arrays: Sequence[NDArray[np.float32]], digits: int) -> list[Any]:
    """Arrays of one shape as nested lists; rounded together, since a call costs more than its numbers."""
    if not arrays:
        return []
    import numpy as np

    rounded: list[Any] = np.stack(arrays).astype(float).round(digits).tolist()
    return rounded
