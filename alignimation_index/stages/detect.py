"""Where the faces are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from alignimation_index.datatypes import SAME_FACE_IOU, DecodedPhoto, Detections, Float, box_overlaps
from alignimation_index.errors import DecodeError
from alignimation_index.models.faces import MIN_FACE_SHARE
from alignimation_index.models.protocols import FaceDetector

# Pixels of the smallest face in photos as they are decoded: half of a 12 MP JPEG at the usual share, so that few faces
# need a decode of their own. Then where it is looked for: P-Net wants 12, R-Net and O-Net read candidates of 24 and 48;
# twice as many find no more faces.
DECODED_FACE_PX, DETECTED_FACE_PX = 27, 18

# Faces are looked for at sizes a step apart, and one that is hard to see may be seen at one phase of them and not at
# another. So they are the sizes of the published pyramid, from 20 pixels of the full photo on, whatever the decode.
PUBLISHED_MIN_FACE_PX, PUBLISHED_STEP = 20, 1 / 0.709


def decode_side_px(min_face_share: float) -> int:
    """The shorter side that photos are decoded to, at least."""
    return round(DECODED_FACE_PX / min_face_share)


def smallest_face_px(width_px: int, height_px: int, min_face_share: float = MIN_FACE_SHARE) -> float:
    """The size in the published pyramid that is nearest to a share of the photo's shorter side, in its pixels."""
    wanted = min_face_share * min(width_px, height_px) / PUBLISHED_MIN_FACE_PX
    return PUBLISHED_MIN_FACE_PX * PUBLISHED_STEP ** max(round(math.log(wanted, PUBLISHED_STEP)), 0)


def detect_faces(
    photos: Sequence[DecodedPhoto], detector: FaceDetector, min_face_share: float = MIN_FACE_SHARE
) -> list[Detections | DecodeError]:
    """Detect the faces of each photo.

    Args:
        photos: decoded to a shorter side of `decode_side_px` or more.
        detector: the network.
        min_face_share: side of the smallest face, as a share of the photo's shorter side.

    Returns:
        One Detections per photo, in pixels of the full upright photo. Of a truncated one, the faces that are all there;
        or an error, if there is none.
    """
    small = [_reduced(photo, round(DETECTED_FACE_PX / min_face_share)) for photo in photos]
    min_face_px = [
        smallest_face_px(photo.width_px, photo.height_px, min_face_share) / photo.reduction for photo in small
    ]
    found = detector.detect([photo.pixels for photo in small], min_face_px)
    return [_all_there(faces.mapped(photo.to_photo), photo) for photo, faces in zip(small, found, strict=True)]


def without_forgotten(faces: Detections, forgotten: Float | None) -> Detections:
    """The faces but for those in (K, 4) boxes that are forgotten; both in pixels of the full upright photo."""
    if forgotten is None or not len(faces):
        return faces
    stays = (box_overlaps(faces.boxes, forgotten) < SAME_FACE_IOU).all(1)
    return Detections(faces.boxes[stays], faces.scores[stays], faces.landmarks[stays])


def _all_there(faces: Detections, photo: DecodedPhoto) -> Detections | DecodeError:
    """The faces that a truncated photo still holds whole, or an error without any; all of them of another photo."""
    if photo.truncated_to is None:
        return faces
    left, top, right, bottom = photo.truncated_to
    corners = np.clip(faces.boxes.reshape(-1, 2, 2), 0, (photo.width_px, photo.height_px))
    there = ((corners >= (left, top)) & (corners <= (right, bottom))).all(axis=(1, 2))
    if not there.any():
        share = (right - left) * (bottom - top) / (photo.width_px * photo.height_px)
        return DecodeError(f"truncated: {100 * share:.0f} % of the picture is there; no face on what is there")
    return Detections(faces.boxes[there], faces.scores[there], faces.landmarks[there])


def _reduced(photo: DecodedPhoto, side_px: int) -> DecodedPhoto:
    """The photo with a shorter side of at least `side_px`."""
    # Imports torch, which an update without work does not need.
    from alignimation_index.models.chips import reduce_image

    factor = max(min(photo.pixels.shape[:2]) // side_px, 1)
    return replace(photo, pixels=reduce_image(photo.pixels, factor), reduction=photo.reduction * factor)
