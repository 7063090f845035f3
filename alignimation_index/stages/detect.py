"""Where the faces are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from alignimation_index.datatypes import DecodedPhoto, Detections
from alignimation_index.models.protocols import FaceDetector

# The shorter side that photos are decoded to: half of a 12 MP JPEG's, so that few faces need a decode of their own.
DECODE_SIDE_PX = 1080
# The shorter side that faces are looked for on. P-Net wants 12 / MIN_FACE_SHARE = 480 pixels, R-Net and O-Net read
# candidates of 24 and 48; twice as many pixels find no more faces.
DETECTION_SIDE_PX = 720
MIN_FACE_SHARE = 0.025

# Faces are looked for at sizes a step apart, and one that is hard to see may be seen at one phase of them and not at
# another. So they are the sizes of the published pyramid, from 20 pixels of the full photo on, whatever the decode.
PUBLISHED_MIN_FACE_PX, PUBLISHED_STEP = 20, 1 / 0.709


def smallest_face_px(width_px: int, height_px: int) -> float:
    """The size in the published pyramid that is nearest to MIN_FACE_SHARE of the photo, in its pixels."""
    wanted = MIN_FACE_SHARE * min(width_px, height_px) / PUBLISHED_MIN_FACE_PX
    return PUBLISHED_MIN_FACE_PX * PUBLISHED_STEP ** max(round(math.log(wanted, PUBLISHED_STEP)), 0)


def detect_faces(photos: Sequence[DecodedPhoto], detector: FaceDetector) -> list[Detections]:
    """Detect the faces of each photo.

    Args:
        photos: decoded to a shorter side of DECODE_SIDE_PX or more.
        detector: the network.

    Returns:
        One Detections per photo, in pixels of the full upright photo.
    """
    small = [_reduced(photo) for photo in photos]
    min_face_px = [smallest_face_px(photo.width_px, photo.height_px) / photo.reduction for photo in small]
    found = detector.detect([photo.pixels for photo in small], min_face_px)
    return [faces.mapped(photo.to_photo) for photo, faces in zip(small, found, strict=True)]


def _reduced(photo: DecodedPhoto) -> DecodedPhoto:
    """The photo with a shorter side of at least DETECTION_SIDE_PX."""
    # Imports torch, which an update without work does not need.
    from alignimation_index.models.chips import reduce_image

    factor = max(min(photo.pixels.shape[:2]) // DETECTION_SIDE_PX, 1)
    return replace(photo, pixels=reduce_image(photo.pixels, factor), reduction=photo.reduction * factor)
