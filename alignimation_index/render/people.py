"""A person's faces on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alignimation_index.datatypes import Pixels
from alignimation_index.errors import DecodeError, UserError
from alignimation_index.query.frames import Frame
from alignimation_index.render.animation import failure, render_frame
from alignimation_index.render.sheet import Tile, contact_sheet

TILE_PX = 160


def person_sheet(frames: Sequence[Frame], limit: int) -> tuple[Pixels, list[tuple[str, str]]]:
    """Draw registered faces with their dates, at most `limit`, evenly chosen over the frames.

    Returns:
        (H, W, 3) uint8 RGB, and (path, reason) of frames that could not be drawn.

    Raises:
        UserError: none could.
    """
    chosen = np.linspace(0, len(frames) - 1, min(limit, len(frames))).round().astype(int)
    tiles: list[Tile] = []
    left_out: list[tuple[str, str]] = []
    for frame in (frames[index] for index in chosen):
        try:
            tiles.append(Tile(render_frame(frame, TILE_PX), _caption(frame)))
        except (OSError, DecodeError) as error:
            left_out.append((frame.path, failure(error)))
    if not tiles:
        raise UserError("There is no face to draw. See who there is: alignindex people list")
    return contact_sheet(tiles, TILE_PX), left_out


def _caption(frame: Frame) -> str:
    return frame.taken_at.strftime("%Y-%m-%d") if frame.taken_at else "no date"
