"""Where the faces are."""

from __future__ import annotations

from collections.abc import Sequence

from alignimation_index.datatypes import DecodedPhoto, Detections
from alignimation_index.models.protocols import FaceDetector

# P-Net looks at 12 / MIN_FACE_SHARE pixels of the shorter side, whatever the photo has; R-Net and O-Net read
# candidates of 24 and 48 pixels. This side gives both about what they look for, at a quarter of a 12 MP JPEG's.
DECODE_SIDE_PX = 720
MIN_FACE_SHARE = 0.025


def detect_faces(photos: Sequence[DecodedPhoto], detector: FaceDetector) -> list[Detections]:
    """Detect the faces of each photo.

    Args:
        photos: decoded to a shorter side of DECODE_SIDE_PX or more.
        detector: the network.

    Returns:
        One Detections per photo, in pixels of the full upright photo.
    """
    found = detector.detect([photo.pixels for photo in photos], MIN_FACE_SHARE)
    return [faces.mapped(photo.to_photo) for photo, faces in zip(photos, found, strict=True)]
