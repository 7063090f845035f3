"""Which face a body is of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignimation_index.datatypes import KEYPOINT_NAMES, Float

# How far from a face the keypoints of its head lie at most, on average, in sides of the face's box. Neighbours who put
# their heads together are a side apart.
MOST_APART = 0.5

# Keypoints of a head, and the landmark at the same place: a body's own left is the image's right. Ears have none.
_HEAD = {"nose": 2, "left_eye": 1, "right_eye": 0, "left_ear": None, "right_ear": None}
_COLUMNS = [KEYPOINT_NAMES.index(name) for name in _HEAD]


def match_faces(body_boxes: Float, keypoints: Float, face_boxes: Float, landmarks: Float) -> dict[int, int]:
    """Pair bodies and faces one to one, those first that lie nearest.

    Args:
        body_boxes: (N, 4) xyxy in pixels of the photo.
        keypoints: (N, 17, 3) with scores, same pixels.
        face_boxes: (M, 4) xyxy, same pixels.
        landmarks: (M, 5, 2), same pixels; nan where only the box is known.

    Returns:
        Body → face, by their rows; bodies without a face are left out.
    """
    apart = _distances(body_boxes, keypoints, face_boxes, landmarks)
    pairs: dict[int, int] = {}
    for flat in np.argsort(apart, axis=None, kind="stable"):
        body, face = (int(i) for i in np.unravel_index(flat, apart.shape))
        if not apart[body, face] <= MOST_APART:
            break
        if body not in pairs and face not in pairs.values():
            pairs[body] = face
    return pairs


def _distances(body_boxes: Float, keypoints: Float, face_boxes: Float, landmarks: Float) -> NDArray[np.float64]:
    """(N, M): how far heads are from faces. A body that shows no head is as far as may be from a face in its box."""
    sides = np.sqrt(np.maximum((face_boxes[:, 2:] - face_boxes[:, :2]).prod(1), 1e-9))
    centres = (face_boxes[:, :2] + face_boxes[:, 2:]) / 2
    places, allowed = _places(centres, landmarks)
    head = keypoints[:, _COLUMNS]
    seen = (head[..., 2] > 0).astype(np.float64)
    gaps = np.linalg.norm(head[:, None, :, :2] - places[None], axis=-1) / sides[None, :, None]
    gaps = np.where(seen[:, None] > 0, np.maximum(gaps - allowed[None], 0), 0)
    count = seen.sum(1)
    low, high = body_boxes[:, None, :2], body_boxes[:, None, 2:]
    within = ((centres >= low) & (centres <= high)).all(-1)
    headless = np.where(within, MOST_APART, np.inf)
    return np.where(count[:, None] > 0, gaps.sum(-1) / np.maximum(count, 1)[:, None], headless)


def _places(centres: ArrayLike, landmarks: Float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(M, 5, 2) where a face has the keypoints of a head, and (M, 5) how far off these may be, in its sides."""
    columns = [_nan_or(landmarks, index) for index in _HEAD.values()]
    places = np.stack(columns, 1)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(places).all(-1), np.bool_)
    return np.where(known[..., None], places, np.asarray(centres)[:, None]), np.where(known, 0.0, 0.5)


def _nan_or(landmarks: Float, index: int | None) -> NDArray[np.float64]:
    if index is None:
        return np.full((len(landmarks), 2), np.nan)
    return np.asarray(landmarks[:, index], np.float64)
