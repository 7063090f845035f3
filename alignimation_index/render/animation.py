"""One frame as a square picture."""

from __future__ import annotations

from alignimation_index.datatypes import Pixels
from alignimation_index.errors import DecodeError, in_words
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.scan import content_hash, read_file
from alignimation_index.query.frames import Frame
from alignimation_index.render.warp import decode_side_needed, warp_photo


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
