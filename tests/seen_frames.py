"""Frames without a store."""

from __future__ import annotations

from typing import Any

import numpy as np

from alignimation_index.query.frames import Frame


def seen_face(**values: Any) -> Frame:
    """A registered face in the middle of a 200 × 100 photo, but for these values."""
    landmarks = np.array([[90, 40], [110, 40], [100, 52], [92, 62], [108, 62]], np.float32)
    plain = {
        "path": "photo.jpg",
        "content_hash": "0" * 64,
        "width_px": 200,
        "height_px": 100,
        "taken_at": None,
        "face_id": 1,
        "box": np.array([80, 20, 120, 75], np.float32),
        "score": 0.99,
        "landmarks": landmarks,
        "yaw_deg": 0.0,
        "pitch_deg": 0.0,
        "roll_deg": 0.0,
        "frontal": True,
        "size_px": 55.0,
        "quality": 0.5,
        "person_id": None,
        "person": None,
        "template": "face",
        "template_from_photo": np.array([[0.012, 0, -0.7], [0, 0.012, -0.06]], np.float32),
        "residual": 0.01,
    }
    return Frame(**{**plain, **values})
