"""`alignindex faces`, `errors` and `query`: what the store holds, for people and for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.bodies import BodyOptions, body_options, choose_bodies, say_body_frames
from alignimation_index.cli.filters import choosing_frames, frame_filter, including_hidden
from alignimation_index.cli.output import (
    PRINTED_AT_ONCE,
    opened_store,
    printable,
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

    from alignimation_index.query.expression import FrameFilter
    from alignimation_index.query.frames import Frame

as_json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.command(short_help="List the faces.")
@click.argument("expression", metavar="[EXPR]", default="")
@including_hidden
@as_json_option
@click.pass_context
def faces(context: click.Context, /, expression: str, as_json: bool, **hidden: bool) -> None:
    """List the faces on the photos; with EXPR those that are as it says."""
    with opened_store(context) as store, store.reading() as session:
        frames = named_frames(session, expression, **hidden)
        if as_json:
            say_json_array(_faces_json(frames))
        else:
            _say_frames(frames)


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
@click.option("--json", "output", flag_value="json", help="For programs.")
@click.option("--csv", "output", flag_value="csv", help="As a table for spreadsheets.")
@click.option("--paths", "output", flag_value="paths", help="Only the photos' paths.")
@click.pass_context
def query(context: click.Context, /, output: str | None, bodies: BodyOptions, **choice: Any) -> None:  # noqa: ANN401
    """Choose frames, in the order of time. EXPR is of terms that hold together, empty for all:

    \b
    person:me  year:2000..2020  frontal:yes  "size:>=120"  "residual:<0.05"
    """
    if bodies.wanted:
        with opened_store(context) as store:
            say_body_frames(store, choose_bodies(store, frame_filter(**choice), bodies), output)
        return
    with opened_store(context) as store, store.reading() as session:
        frames = _frames(session, frame_filter(**choice))
        if output == "json":
            say_json_array(_frames_json(frames))
        elif output == "csv":
            _say_csv(frames)
        elif output == "paths":
            say_lines(dict.fromkeys(frame.path for frame in frames))
        else:
            _say_frames(frames)


def named_frames(
    session: Session, expression: str, *, include_trashed: bool, include_archived: bool
) -> Iterator[Frame]:
    """The frames that an expression describes, with what is hidden otherwise where that is asked for."""
    from dataclasses import replace

    from alignimation_index.query.expression import parse_expression

    wanted = parse_expression(expression)
    return _frames(session, replace(wanted, include_trashed=include_trashed, include_archived=include_archived))


def _frames(session: Session, wanted: FrameFilter) -> Iterator[Frame]:
    """The frames, read while they are asked for; a guess at who is meant is said at once."""
    from dataclasses import replace

    from alignimation_index.query.frames import stream_frames, variants_among, who_is
    from alignimation_index.query.variants import LEFT_OUT

    if wanted.person is not None:
        person, note = who_is(session, wanted.person)
        wanted = replace(wanted, person=person)
        if note:
            warn(note)
    if left_out := len(variants_among(session, wanted)):
        warn(f"Left out {left_out} {'frame' if left_out == 1 else 'frames'}: {LEFT_OUT}")
    return stream_frames(session, wanted)


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


def _say_csv(frames: Iterable[Frame]) -> None:
    fields = ("path", "taken_at", "face_id", "person_id", "person", "yaw", "pitch", "roll", "frontal", "quality")
    writer = csv.writer(sys.stdout)
    writer.writerow((*fields, "residual"))
    for values in _frames_json(frames):
        writer.writerow(printable("" if values[name] is None else str(values[name])) for name in (*fields, "residual"))


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
