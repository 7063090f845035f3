"""From frames to an animation: read, decode, warp, encode, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alignimation_index.datatypes import Pixels
from alignimation_index.errors import DecodeError, UserError, in_words
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.scan import content_hash, read_file
from alignimation_index.query.frames import Frame
from alignimation_index.render.encode import open_animation
from alignimation_index.render.warp import decode_side_needed, warp_photo

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
    frames: Sequence[Frame], out: Path, fps: float, size_px: int, progress: Progress = lambda _done, _all: None
) -> RenderReport:
    """Render registered frames in the given order; `out` appears when it is complete, see `open_animation`.

    A photo that is gone, changed or broken since it was indexed is left out and named.

    Raises:
        UserError: no frame could be rendered, or `out` cannot be written.
    """
    report = RenderReport()
    with open_animation(out, fps, size_px) as animation:
        for done, frame in enumerate(frames, 1):
            try:
                animation.write(render_frame(frame, size_px))
            except (OSError, DecodeError) as error:
                report.left_out.append((frame.path, failure(error)))
            progress(done, len(frames))
        report.frame_count = animation.frame_count
        if not report.frame_count:
            raise UserError(_nothing_left(report))
    return report


def render_frame(frame: Frame, size_px: int) -> Pixels:
    """Warp a frame's photo to its template: (size_px, size_px, 3) uint8 RGB, black outside of the photo.

    Raises:
        OSError: the file is gone, cannot be read, or holds another photo than when it was indexed.
        DecodeError: the photo is broken.
        ValueError: the frame is not registered.
    """
    if frame.template_from_photo is None:
        raise ValueError(f"face {frame.face_id} is not registered")
    data = read_file(frame.path)
    if content_hash(data) != frame.content_hash:
        raise OSError("the file has changed since it was indexed; run alignindex update")
    side = decode_side_needed(frame.template_from_photo, size_px, frame.width_px, frame.height_px)
    return warp_photo(decode(data, side), frame.template_from_photo, size_px)


def failure(error: OSError | DecodeError) -> str:
    """Why a photo could not be rendered, in words."""
    return in_words(error) if isinstance(error, OSError) else str(error)


def _nothing_left(report: RenderReport) -> str:
    if not report.left_out:
        return "There are no frames to render. Widen the query: more years, no --frontal, a smaller --min-size."
    path, reason = report.left_out[0]
    return f"None of {len(report.left_out)} photos could be rendered; the first: {path}: {reason}"
