"""From frames to stills: read, decode, warp."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from alignimation_index import similarity
from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.scan import content_hash, read_file
from alignimation_index.query.frames import Frame
from alignimation_index.render.animation import failure
from alignimation_index.render.framing import Framing, canvas_from_template
from alignimation_index.render.still import Still
from alignimation_index.render.warp import decode_side_needed, warp_photo

OnSkip = Callable[[Frame, str], None]


def stills(frames: Sequence[Frame], framing: Framing, on_skip: OnSkip, workers: int | None = None) -> Iterator[Still]:  # noqa: ARG001
    """The stills of frames, in their order; those that cannot be had are told to `on_skip` with the reason."""
    for index, frame in enumerate(frames):
        try:
            yield still_of(frame, framing, index)
        except (OSError, DecodeError) as error:
            on_skip(frame, failure(error))


def still_of(frame: Frame, framing: Framing, index: int = 0) -> Still:
    """Warp a frame's photo to the canvas."""
    if frame.template_from_photo is None:
        raise ValueError(f"face {frame.face_id} is not registered")
    data = read_file(frame.path)
    if content_hash(data) != frame.content_hash:
        raise OSError("the file has changed since it was indexed; run alignindex update")
    canvas_from_photo = similarity.compose(canvas_from_template(framing), frame.template_from_photo)
    side_px = max(framing.width_px, framing.height_px)
    unit_from_photo = similarity.compose(
        [[1 / side_px, 0, 0.5 / side_px], [0, 1 / side_px, 0.5 / side_px]], canvas_from_photo
    )
    photo = decode(data, decode_side_needed(unit_from_photo, side_px, frame.width_px, frame.height_px))
    square = warp_photo(photo, unit_from_photo, side_px)
    return Still(frame, index, np.ascontiguousarray(square[: framing.height_px, : framing.width_px]), canvas_from_photo)
