"""Stills made up for films: plain pictures with a face in the middle."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from alignimation_index.query.frames import Frame
from alignimation_index.registration.faces import FACE_TEMPLATE
from alignimation_index.render.stills.still import Still

SIDE_PX = 48


def frame_of(index: int, days: float | None = None, **values) -> Frame:
    """A frame whose photo is its canvas; taken `days` after the turn of the century."""
    taken_at = None if days is None else datetime(2000, 1, 1) + timedelta(days=days)
    given = {"yaw_deg": 0.0, "pitch_deg": 0.0, "person": None, "landmarks": FACE_TEMPLATE * SIDE_PX} | values
    return Frame(
        path=f"/photos/{index}.jpg",
        content_hash=f"{index:064}",
        width_px=SIDE_PX,
        height_px=SIDE_PX,
        taken_at=taken_at,
        face_id=index,
        box=np.zeros(4, np.float32),
        score=1.0,
        roll_deg=0.0,
        frontal=True,
        size_px=30.0,
        quality=1.0,
        person_id=None,
        template="face",
        template_from_photo=np.array([[1, 0, 0.5], [0, 1, 0.5]], np.float32) / SIDE_PX,
        residual=0.0,
        **given,
    )


def still_of(index: int, shade: int, days: float | None = None, *, alpha: int | None = None, **values) -> Still:
    """A still of one grey; with `alpha` an RGBA one."""
    pixels = np.full((SIDE_PX, SIDE_PX, 3 if alpha is None else 4), shade, np.uint8)
    if alpha is not None:
        pixels[..., 3] = alpha
    return Still(frame_of(index, days, **values), index, pixels, np.eye(2, 3))


def shades_of(instants) -> list[float]:
    """The mean value of each picture."""
    return [float(instant.pixels[..., :3].mean()) for instant in instants]
