"""`alignindex render`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from alignimation_index.cli.filters import choosing_frames, frame_filter
from alignimation_index.cli.framing import choosing_framing, framing_from, say_what_is_inside
from alignimation_index.cli.output import check_not_indexed, opened_store, progress_bar, say, warn


@click.command(short_help="Render frames as an aligned animation.")
@choosing_frames
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
@choosing_framing
@click.option("--limit", type=click.IntRange(1), help="At most so many frames, evenly chosen.")
@click.pass_context
def render(
    context: click.Context,
    /,
    out: Path,
    fps: float,
    limit: int | None,
    frontal: bool | None,
    view: str,
    size: str,
    crop: str | None,
    edges: str,
    match: str | None,
    **choice: Any,  # noqa: ANN401
) -> None:
    """Render the frames that EXPR and the options choose (see query), in the order of time.

    Each photo is warped once, straight from the file; nothing is stretched.
    """
    from alignimation_index.query.frames import choose_frames
    from alignimation_index.render.animation import render_animation

    framing = framing_from(view, size, crop, edges, match)
    with opened_store(context) as store, store.reading() as session:
        check_not_indexed(session, out)
        wanted = frame_filter(frontal=frontal or None, **choice)
        if frontal is None and wanted.frontal is None:
            wanted = replace(wanted, frontal=True)
        chosen = choose_frames(session, wanted, limit)
    if chosen.note:
        warn(chosen.note)
    say_what_is_inside(chosen.frames, framing)
    with progress_bar() as progress:
        report = render_animation(chosen.frames, out, fps, framing, lambda done, total: progress("frames", done, total))
    for path, reason in report.left_out:
        warn(f"Left out {path}: {reason}")
    for reason, count in chosen.left_out.items():
        say(f"Left out {count} {'photo' if count == 1 else 'photos'}: {reason}")
    say(f"{out}: {report.frame_count} frames, {report.frame_count / fps:.1f} s")
