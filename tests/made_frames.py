"""Frames as a query returns them, made up: what a test does not name is ordinary."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np

from alignimation_index.query.frames import Frame
from alignimation_index.registration.faces import FACE_TEMPLATE, FACE_TEMPLATE_NAME

FIRST_DAY = datetime(2000, 1, 3, 12)  # a Monday
_numbers = count(1)
_UNIT = 200  # pixels of a photo that the template's side covers


def made_frame(day: float | None = 0, **changes: Any) -> Frame:
    """A frame taken so many days after FIRST_DAY; None: undated. Landmarks lie where the template wants them."""
    number = next(_numbers)
    columns: dict[str, Any] = {
        "path": f"/photos/{number:05}.jpg",
        "content_hash": f"{number:064x}",
        "width_px": 800,
        "height_px": 600,
        "taken_at": None if day is None else FIRST_DAY + timedelta(days=day),
        "face_id": number,
        "box": np.array([0, 0, 100, 100], np.float32),
        "score": 0.9,
        "landmarks": np.asarray(FACE_TEMPLATE * _UNIT, np.float32),
        "yaw_deg": 0.0,
        "pitch_deg": 0.0,
        "roll_deg": 0.0,
        "frontal": True,
        "size_px": 200.0,
        "quality": 0.5,
        "person_id": 1,
        "person": None,
        "template": FACE_TEMPLATE_NAME,
        "template_from_photo": np.array([[1 / _UNIT, 0, 0], [0, 1 / _UNIT, 0]], np.float32),
        "residual": 0.01,
        "sharpness": 5.0,
        "brightness": 0.5,
    }
    return Frame(**{**columns, **changes})


def made_fingerprint(tone: int, bits: int = 0) -> bytes:
    """Of a photo of one tone, whose hash has so many bits set."""
    return ((1 << bits) - 1).to_bytes(8, "big") + bytes([tone]) * 256
