"""Faces of people on one sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from alignimation_index.datatypes import Pixels
from alignimation_index.errors import DecodeError, UserError
from alignimation_index.query.frames import Frame
from alignimation_index.render.film.label_text import age_in_words
from alignimation_index.render.sheet import Tile, contact_sheet
from alignimation_index.render.stills.take import failure, render_frame

TILE_PX = 160


def person_sheet(frames: Sequence[Frame], limit: int) -> tuple[Pixels, list[tuple[str, str]]]:
    """Draw registered faces with their numbers, dates and ages, at most `limit`, evenly chosen over the frames.

    Doubtful ones are framed.

    Returns:
        (H, W, 3) uint8 RGB, and (path, reason) of frames that could not be drawn.

    Raises:
        UserError: none could.
    """
    chosen = np.linspace(0, len(frames) - 1, min(limit, len(frames))).round().astype(int)
    return face_sheet((frame, _moment(frame), frame.is_doubtful) for frame in (frames[index] for index in chosen))


def face_sheet(faces: Iterable[tuple[Frame, str, bool]]) -> tuple[Pixels, list[tuple[str, str]]]:
    """Draw registered faces, each with its number and a text, framed where that is asked for; as `person_sheet`."""
    tiles: list[Tile] = []
    left_out: list[tuple[str, str]] = []
    for frame, text, mark in faces:
        try:
            tiles.append(Tile(render_frame(frame, TILE_PX), f"{frame.face_id}: {text}", mark))
        except (OSError, DecodeError) as error:
            left_out.append((frame.path, failure(error)))
    if not tiles:
        raise UserError("There is no face to draw. See who there is: alignindex people list")
    return contact_sheet(tiles, TILE_PX), left_out


def _moment(frame: Frame) -> str:
    day = frame.taken_at.strftime("%Y-%m-%d") if frame.taken_at else "no date"
    return day if frame.age_years is None else f"{day}, {age_in_words(frame.age_years)}"
