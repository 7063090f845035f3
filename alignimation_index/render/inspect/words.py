"""What is known of a face, in words."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike

from alignimation_index.query.frames import Frame

# Degrees below which a head looks straight ahead or stands upright, and up to which it does otherwise by a little.
STRAIGHT_DEG, LITTLE_DEG = 4.0, 12.0
FAR_DEG = 30.0

SOURCE_WORDS = {
    "answer": "as you said",
    "exif": "by the camera's clock",
    "sidecar": "according to the export",
    "xmp": "according to its XMP",
    "name": "a date in the file's name",
    "folder-year": "only the year, from the folder's name",
    "exif-modified": "when the picture was last changed; a guess",
    "mtime": "when the file was last changed; a guess",
}


def pose_in_words(yaw_deg: float, pitch_deg: float, roll_deg: float, frontal: bool) -> str:
    """Which way a head looks: see stages.pose for the angles."""
    sideways = _by_degree(yaw_deg, "to the left of the picture", "to the right of the picture")
    upwards = _by_degree(pitch_deg, "down", "up")
    looks = " and ".join(part for part in (sideways, upwards) if part)
    side = "left" if roll_deg < 0 else "right"
    leans = f"the head leans {side} by {abs(roll_deg):.0f}°" if abs(roll_deg) >= 1 else "the head is upright"
    verdict = "taken as frontal" if frontal else "not taken as frontal"
    return f"{_sentence(f'looks {looks}') if looks else 'Looks straight ahead'}, {leans}; {verdict}."


def identity_in_words(frame: Frame, *, is_indexed: bool) -> str:
    """Whose face it is, and how that is known."""
    if not is_indexed:
        return "Not known: the photo is not in the index. The command 'alignindex update FOLDER' brings it there."
    if frame.person_id is None:
        return "Nobody yet. Two photos that agree make a person; 'alignindex people confirm' says who it is."
    who = frame.person or f"Person {frame.person_id}, without a name"
    if frame.assigned_by == "answer":
        return f"{who}, because you said so."
    doubt = f". It is not sure: say 'alignindex people confirm {frame.face_id}', or reject"
    return f"{who}, found by comparing faces{doubt if frame.is_doubtful else ''}."


def age_in_words(frame: Frame) -> str:
    """The age on the photo; empty where it is not known."""
    if frame.age_years is None:
        return ""
    years = int(frame.age_years + 0.002)
    return f" Aged {years}." if years >= 2 else f" Aged {int(frame.age_years * 12 + 0.02)} months."


def date_in_words(taken_at: datetime | None, source: str | None) -> str:
    """When a photo was taken, and who says so."""
    if taken_at is None:
        return "Nothing says when it was taken."
    return f"{taken_at:%Y-%m-%d %H:%M}, {SOURCE_WORDS.get(source or '', source)}."


def quality_in_words(frame: Frame) -> str:
    """What a face is worth as a picture; see stages.quality."""
    parts = [f"{frame.size_px:.0f} pixels {'large' if frame.size_px >= 100 else 'small'}"]
    if frame.sharpness is not None:
        parts.append("sharp" if frame.sharpness >= 6 else "a little soft" if frame.sharpness >= 3 else "blurred")
    if frame.brightness is not None:
        parts.append("dark" if frame.brightness < 0.25 else "glaring" if frame.brightness > 0.75 else "well lit")
    return f"{100 * frame.quality:.0f} of 100: {', '.join(parts)}. Surely a face: {100 * frame.score:.0f} %."


def place_in_words(template_from_photo: ArrayLike, residual: float, points: str = "keypoints") -> str:
    """How a photo is turned and scaled, and how near its points come; never stretched."""
    (a, _, _), (b, _, _) = np.asarray(template_from_photo, np.float64)
    turn_deg = np.degrees(np.arctan2(b, a))
    way = "clockwise" if turn_deg > 0 else "anticlockwise"
    turned = f"turned by {abs(turn_deg):.1f}° {way}" if abs(turn_deg) >= 0.05 else "not turned"
    side_px = 1 / np.hypot(a, b)
    return (
        f"The photo is {turned}, and {side_px:.0f} of its pixels fill the frame's side; nothing is stretched. "
        f"The {points} end {100 * residual:.1f} % of the side from their places."
    )


def _by_degree(angle_deg: float, negative: str, positive: str) -> str:
    size = abs(angle_deg)
    if size < STRAIGHT_DEG:
        return ""
    how = "a little " if size < LITTLE_DEG else "" if size < FAR_DEG else "far "
    return how + (positive if angle_deg > 0 else negative)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
