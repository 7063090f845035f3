"""The options that ask for bodies, the same for every command that shows frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.completion import complete_photo, complete_template
from alignimation_index.cli.option_groups import Command, as_one
from alignimation_index.cli.output import (
    data_folder,
    progress_bar,
    say,
    say_csv,
    say_json_array,
    say_lines,
    say_table,
    say_waiting,
    warn,
)

if TYPE_CHECKING:
    from alignimation_index.models.bodies import BodyModelSource
    from alignimation_index.pipeline.progress import Progress
    from alignimation_index.query.choosing.choose import Choice, Chosen
    from alignimation_index.query.frames import Frame
    from alignimation_index.query.language.expression import FrameFilter
    from alignimation_index.store.engine import Store

_COLUMNS = ("path", "taken_at", "body_id", "face_id", "person_id", "person", "template", "residual")

body_model_option = click.option(
    "--body-model", metavar="NAME", help="Body detector.  [default: the one used last, else torchvision-rcnn]"
)
_OPTIONS = (
    click.option("--body", is_flag=True, help="Bodies instead of faces; so do the options about bodies."),
    click.option(
        "--keypoints",
        metavar="NAMES",
        help="What comes to rest, as in left_ear,left_shoulder,left_hip.  [default: these, of the side seen most]",
    ),
    click.option(
        "--reference",
        metavar="PHOTO",
        help="Register bodies to that on PHOTO, and keep it as a template.",
        shell_complete=complete_photo,
    ),
    click.option(
        "--template",
        metavar="NAME",
        help="Register bodies to this one; with --reference, what to call it.",
        shell_complete=complete_template,
    ),
    click.option(
        "--any-body", is_flag=True, help="Also bodies of which no face tells who they are: a photo's largest."
    ),
    body_model_option,
)


@dataclass(frozen=True, slots=True)
class BodyOptions:
    """What the user says of bodies; see the options of the same names."""

    body: bool
    keypoints: str | None
    reference: str | None
    template: str | None
    any_body: bool
    body_model: str | None

    @property
    def wanted(self) -> bool:
        """Whether bodies are asked for, by name or by saying something of them."""
        return any(getattr(self, one.name) for one in fields(self))


def body_options(command: Command) -> Command:
    """Add the options that ask for bodies; the command is given them as one, `bodies`."""
    return as_one(command, "bodies", BodyOptions, _OPTIONS)


def choose_bodies(store: Store, wanted: FrameFilter, options: BodyOptions, choice: Choice) -> Chosen:
    """Find and register the bodies that are wanted, and choose their frames; says what the user should know of them."""
    from alignimation_index.models.device import choose_device
    from alignimation_index.pipeline.bodies.register import TemplateChoice, register
    from alignimation_index.query.bodies import choose_bodies as choose_among_bodies
    from alignimation_index.registration.keypoints import parse_names

    keypoints = parse_names(options.keypoints) if options.keypoints else None
    template = TemplateChoice(options.template, options.reference, keypoints)
    with progress_bar() as progress:
        found = register(
            store,
            wanted,
            template,
            any_body=options.any_body,
            model=options.body_model,
            source=partial(body_source, store, options.body_model, "auto", progress),
            progress=progress,
            on_wait=say_waiting,
            device="cuda" if choose_device("auto") == "cuda" else None,
        )
    say_bodies(len(found.wanted.frames), found.wanted.without_face, found.template)
    with store.reading() as session:
        return choose_among_bodies(session, found.wanted, found.template, wanted, choice)


def cut_out_people(store: Store, frames: Sequence[Frame], options: BodyOptions) -> list[Frame]:
    """Give frames the masks of their people; bodies are looked for on their photos where that is stale."""
    from alignimation_index.pipeline.bodies.cutouts import cut_out

    with progress_bar() as progress:
        source = partial(body_source, store, options.body_model, "auto", progress)
        return cut_out(store, frames, options.body_model, source, progress, say_waiting)


def find_all_bodies(store: Store, model: str | None, full_masks: bool | None, device: str, progress: Progress) -> None:
    """Find the bodies on all photos where that is stale, and say how many there are."""
    from alignimation_index.pipeline.bodies.find import find_bodies
    from alignimation_index.query.bodies import count_bodies
    from alignimation_index.store.bodies import keep_full_masks

    if full_masks is not None:
        with store.writing() as session:
            keep_full_masks(session, full_masks)
    report = find_bodies(store, model, partial(body_source, store, model, device, progress), progress, say_waiting)
    with store.reading() as session:
        count, without_face = count_bodies(session)
    say(
        f"{report.photos_computed} photos looked at for bodies, {report.bodies_found} found. "
        f"There are {count}, {without_face} of them without a face."
    )
    if report.photos_failed:
        warn(f"{report.photos_failed} photos could not be looked at: see alignindex errors")


def body_source(store: Store | None, model: str | None, device: str, progress: Progress) -> BodyModelSource:
    """The body detector for a store, or without one; says so where it is second choice, or not the one used before."""
    from alignimation_index.models.bodies import body_models, choose_body_detector
    from alignimation_index.models.weights import WeightStore
    from alignimation_index.store.bodies import body_model

    weights = WeightStore(data_folder() / "weights")
    pinned = None
    if store:
        with store.reading() as session:
            pinned = body_model(session)
    name, note = choose_body_detector(model, pinned, weights, lambda done, total: progress("weights", done, total))
    if note:
        warn(note)
    if pinned and pinned != name:
        warn(f"Bodies were found by {pinned} so far; they are found anew by {name}.")
    return body_models(name, weights, device)


def say_bodies(count: int, without_face: int, template: str) -> None:
    """Say to what bodies are registered, and how many nobody's face goes with."""
    unknown = f", {without_face} of them without a face that tells who it is" if without_face else ""
    warn(f"{count} {'body' if count == 1 else 'bodies'}{unknown}; registered to the template {template}")


def say_body_frames(store: Store, chosen: Chosen, output: str | None) -> None:
    """Print frames of bodies as the output option of `query` says, and what is left out of them."""
    for reason, count in chosen.reasons.items():
        warn(f"Left out {count} {'photo' if count == 1 else 'photos'}: {reason}")
    if output == "count":
        say(str(len(chosen.frames)))
    elif output == "json":
        say_json_array(bodies_json(store, chosen.frames))
    elif output == "paths":
        say_lines(dict.fromkeys(frame.path for frame in chosen.frames))
    elif output == "csv":
        say_csv(_COLUMNS, bodies_json(store, chosen.frames))
    else:
        header = ("taken", "body", "person", "size", "residual", "path")
        say_table(header, map(_row, chosen.frames))


def bodies_json(store: Store, frames: Iterable[Frame]) -> Iterator[dict[str, Any]]:
    """Frames of bodies for programs."""
    from alignimation_index.query.wanted_bodies import NO_FACE
    from alignimation_index.store.bodies import keypoints_of

    listed = list(frames)
    with store.reading() as session:
        keypoints = keypoints_of(session, [frame.body_id for frame in listed if frame.body_id is not None])
    for frame in listed:
        yield {
            "path": frame.path,
            "body_id": frame.body_id,
            "box": _rounded(frame.box, 2),
            "score": round(frame.score, 4),
            "keypoints": _rounded(keypoints[frame.body_id or 0], 3),
            "face_id": None if frame.face_id == NO_FACE else frame.face_id,
            "person_id": frame.person_id,
            "person": frame.person,
            "assigned_by": frame.assigned_by,
            "taken_at": frame.taken_at and frame.taken_at.isoformat(),
            "template": frame.template,
            "transform": _rounded(frame.template_from_photo, 9),
            "residual": None if frame.residual is None else round(frame.residual, 6),
            "age": None if frame.age_years is None else round(frame.age_years, 2),
        }


def _row(frame: Frame) -> tuple[object, ...]:
    residual = None if frame.residual is None else f"{frame.residual:.4f}"
    person = frame.person or frame.person_id
    return frame.taken_at, frame.body_id, person, f"{frame.size_px:.0f}", residual, frame.path


def _rounded(array: Any, digits: int) -> Any:  # noqa: ANN401 - an array or None
    return None if array is None else array.astype(float).round(digits).tolist()
