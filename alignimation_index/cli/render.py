"""`alignindex render`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from alignimation_index.cli.bodies import BodyOptions, body_options, choose_bodies
from alignimation_index.cli.filters import choosing_frames, frame_filter
from alignimation_index.cli.output import check_not_indexed, opened_store, progress_bar, say, warn


@click.command(short_help="Render frames as an aligned animation.")
@choosing_frames
@body_options
@click.option(
    "--frontal/--any-pose", default=True, show_default=True, help="Only faces that look at the camera, or all."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A .mp4, .gif or .webp; without suffix a folder of PNG frames.",
)
@click.option(
    "--fps", type=click.FloatRange(0, min_open=True), default=12, show_default=True, help="Frames per second."
)
@click.option(
    "--size", type=click.IntRange(16, 8192), default=720, show_default=True, help="Side of a frame in pixels."
)
@click.option("--limit", type=click.IntRange(1), help="At most so many frames, evenly chosen.")
@click.pass_context
def render(
    context: click.Context,
    /,
    out: Path,
    fps: float,
    size: int,
    limit: int | None,
    frontal: bool | None,
    bodies: BodyOptions,
    **choice: Any,  # noqa: ANN401
) -> None:
    """Render the frames that EXPR and the options choose (see query), in the order of time.

    Each photo is warped once, straight from the file; nothing is stretched. With --body the frames are bodies, in any
    pose, registered to a template.
    """
    from alignimation_index.query.frames import choose_frames
    from alignimation_index.render.animation import render_animation

    with opened_store(context) as store:
        with store.reading() as session:
            check_not_indexed(session, out)
        if bodies.wanted:
            said = context.get_parameter_source("frontal") is click.core.ParameterSource.COMMANDLINE
            wanted = frame_filter(frontal=(frontal or None) if said else None, **choice)
            chosen = choose_bodies(store, wanted, bodies, limit)
        else:
            wanted = frame_filter(frontal=frontal or None, **choice)
            if frontal is None and wanted.frontal is None:
                wanted = replace(wanted, frontal=True)
            with store.reading() as session:
                chosen = choose_frames(session, wanted, limit)
    if chosen.note:
        warn(chosen.note)
    with progress_bar() as progress:
        report = render_animation(chosen.frames, out, fps, size, lambda done, total: progress("frames", done, total))
    for path, reason in report.left_out:
        warn(f"Left out {path}: {reason}")
    for reason, count in chosen.left_out.items():
        say(f"Left out {count} {'photo' if count == 1 else 'photos'}: {reason}")
    say(f"{out}: {report.frame_count} frames, {report.frame_count / fps:.1f} s")
