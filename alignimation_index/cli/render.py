"""`alignindex render`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.choosing import asked, choosing_film, say_left_out
from alignimation_index.cli.choosing import explain as explain_choice
from alignimation_index.cli.filters import choosing_frames, frame_filter
from alignimation_index.cli.output import check_not_indexed, opened_store, progress_bar, say, warn

if TYPE_CHECKING:
    from alignimation_index.query.choosing import Chosen
    from alignimation_index.store.engine import Store


@click.command(short_help="Render frames as an aligned animation.")
@choosing_frames
@click.option(
    "--frontal/--any-pose", default=None, help="Only faces that look at the camera, or all.  [default: frontal]"
)
@choosing_film
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="A .mp4, .gif or .webp; without suffix a folder of PNG frames. Needed but for --explain.",
)
@click.option(
    "--fps", type=click.FloatRange(0, min_open=True), default=12, show_default=True, help="Frames per second."
)
@click.option(
    "--size", type=click.IntRange(16, 8192), default=720, show_default=True, help="Side of a frame in pixels."
)
@click.option("--json", "as_json", is_flag=True, help="With --explain: for programs.")
@click.pass_context
def render(
    context: click.Context,
    /,
    out: Path | None,
    fps: float,
    size: int,
    explain: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Render the frames that EXPR and the options choose (see query), in the order of time.

    Each photo is warped once, straight from the file; nothing is stretched.
    """
    if out is None and not explain:
        raise click.MissingParameter(param_type="option", param_hint="'-o' / '--out'")
    with opened_store(context) as store:
        chosen = _choose(context, store, fps, out, options)
    if chosen.note:
        warn(chosen.note)
    if out is None or explain:
        explain_choice(chosen, as_json=as_json)
    else:
        _render(chosen, out, fps, size)


def _choose(context: click.Context, store: Store, fps: float, out: Path | None, options: dict[str, Any]) -> Chosen:
    from alignimation_index.query.choosing import choose_frames

    request = asked(context, store, fps, **options)
    wanted = frame_filter(**request.filters)
    if wanted.frontal is None and not request.any_pose:
        wanted = replace(wanted, frontal=True)
    with store.reading() as session:
        if out is not None:
            check_not_indexed(session, out)
        return choose_frames(session, wanted, request.choice)


def _render(chosen: Chosen, out: Path, fps: float, size: int) -> None:
    from alignimation_index.render.animation import render_animation

    with progress_bar() as progress:
        report = render_animation(chosen.frames, out, fps, size, lambda done, total: progress("frames", done, total))
    for path, reason in report.left_out:
        warn(f"Left out {path}: {reason}")
    say_left_out(chosen)
    say(f"{out}: {report.frame_count} frames, {report.frame_count / fps:.1f} s")
