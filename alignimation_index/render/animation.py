"""From frames to an animation: read, decode, warp, encode, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from alignimation_index.errors import UserError
from alignimation_index.query.frames import Frame
from alignimation_index.render.encode import open_animation
from alignimation_index.render.framing import Framing
from alignimation_index.render.stills import stills

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many frames are done and how many there are."""


@dataclass
class RenderReport:
    """What became of the frames.

    Attributes:
        frame_count: frames in the animation.
        left_out: (path, reason) of those that could not be rendered.
    """

    frame_count: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


def render_animation(
    frames: Sequence[Frame],
    out: Path,
    fps: float,
    framing: Framing,
    progress: Progress = lambda _done, _all: None,
) -> RenderReport:
    """Render registered frames in the given order; `out` appears when it is complete, see `open_animation`.

    A photo that is gone, changed or broken since it was indexed is left out and named.

    Raises:
        UserError: no frame could be rendered, or `out` cannot be written.
    """
    report = RenderReport()
    made = stills(frames, framing, lambda frame, reason: report.left_out.append((frame.path, reason)))
    with open_animation(out, fps, framing.size) as animation, closing(made):
        for still in made:
            animation.write(still.pixels)
            progress(still.index + 1, len(frames))
        report.frame_count = animation.frame_count
        if not report.frame_count:
            raise UserError(_nothing_left(report))
    return report


def _nothing_left(report: RenderReport) -> str:
    if not report.left_out:
        return "There are no frames to render. Widen the query: more years, no --frontal, a smaller --min-size."
    path, reason = report.left_out[0]
    return f"None of {len(report.left_out)} photos could be rendered; the first: {path}: {reason}"
