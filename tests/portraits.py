"""Frames of a real photo, registered by where its landmarks are known to be, without a store."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

from alignimation_index.query.frames import Frame
from alignimation_index.registration.faces import register_faces

LANDMARKS = np.array([[199, 107], [249, 107], [225, 135], [203, 158], [246, 158]], np.float32)


def portrait(path: Path, pixels: np.ndarray | None = None, **changes) -> Frame:
    """Save the astronaut, or pixels of the same size, and return its frame."""
    Image.fromarray(astronaut() if pixels is None else pixels).save(path)
    frame = Frame(
        path=str(path),
        content_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        width_px=512,
        height_px=512,
        taken_at=None,
        face_id=1,
        box=np.array([170, 50, 280, 190], np.float32),
        score=1.0,
        landmarks=LANDMARKS,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        frontal=True,
        size_px=140.0,
        quality=1.0,
        person_id=1,
        person=None,
        template="face",
        template_from_photo=register_faces(LANDMARKS[None]).template_from_photo[0],
        residual=0.0,
    )
    return replace(frame, **changes)
