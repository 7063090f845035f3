"""Which way a face looks, from its five landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignimation_index.datatypes import Float

# Eye centres, nose tip and mouth corners of an average adult head in millimetres: x to the image's right, y down, z
# away from the camera, the eyes' middle at the origin. Pupils 63 apart, mouth 52 wide (Farkas 1994, Anthropometry of
# the Head and Face). Heights and depths are those that detectors' landmarks show: their eye centres lie on the lids,
# their mouth corners about as deep, and their nose tip in front of both by less than the bone's measure.
CANONICAL_FACE_MM = np.array(
    [[-31.5, 0.0, 0.0], [31.5, 0.0, 0.0], [0.0, 37.0, -25.0], [-26.0, 65.0, 0.0], [26.0, 65.0, 0.0]]
)

# Five points understate a strong turn (by some 20 %), so 20 degrees here are about 25 of the head.
FRONTAL_MAX_YAW_DEG = 20.0
FRONTAL_MAX_PITCH_DEG = 20.0
# The published recipe's test: of the distances nose–eye (and nose–mouth corner) to the left and to the right, the
# shorter one has to be at least this share of the longer.
FRONTAL_MIN_SYMMETRY = 0.7


@dataclass(frozen=True, slots=True)
class Pose:
    """Head poses of N faces.

    Attributes:
        yaw_deg: (N,) float32; > 0: the nose points to the image's right.
        pitch_deg: (N,) float32; > 0: looking up.
        roll_deg: (N,) float32; > 0: the head leans clockwise as seen.
        frontal: (N,) bool.
    """

    yaw_deg: Float
    pitch_deg: Float
    roll_deg: Float
    frontal: NDArray[np.bool_]


def face_poses(detected: Float, refined: Float) -> Pose:
    """Head poses from the mean of (N, 5, 2) detected and refined landmarks.

    The detector's own landmarks, read on crops centred on the head, keep more of a strong yaw; the refined ones are
    better in pitch and roll.
    """
    return estimate_pose((detected + refined) / 2)


def estimate_pose(landmarks: ArrayLike) -> Pose:
    """Estimate head poses under weak perspective.

    The 2×3 projection that best maps the canonical face to the landmarks (least squares, DeMenthon & Davis 1995, POS)
    is brought to the nearest scaled rotation by its singular values; the angles are those of R = Rz(roll) Ry Rx.

    Args:
        landmarks: (N, 5, 2), in any one scale per face.

    Returns:
        The poses; `frontal` needs small yaw and pitch and the symmetry of the published recipe.
    """
    points = np.asarray(landmarks, np.float64).reshape(-1, 5, 2)
    rotation = _nearest_rotation(_project(points))
    roll = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    upright = _turn_back(rotation, roll)
    # Columns of `upright` are where the head's axes point; its x column is that of Ry, its y row that of Rx.
    yaw = np.arctan2(upright[:, 2, 0], upright[:, 0, 0])
    pitch = np.arctan2(upright[:, 1, 2], upright[:, 1, 1])
    yaw_deg, pitch_deg, roll_deg = (np.rad2deg(angle).astype(np.float32) for angle in (yaw, pitch, roll))
    near_front = (np.abs(yaw_deg) <= FRONTAL_MAX_YAW_DEG) & (np.abs(pitch_deg) <= FRONTAL_MAX_PITCH_DEG)
    return Pose(yaw_deg, pitch_deg, roll_deg, near_front & (_symmetry(points) >= FRONTAL_MIN_SYMMETRY))


def _project(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2, 3): the linear maps from the canonical face to (N, 5, 2) landmarks, both centred."""
    model = CANONICAL_FACE_MM - CANONICAL_FACE_MM.mean(0)
    centred = points - points.mean(1, keepdims=True)
    projected: NDArray[np.float64] = (np.linalg.pinv(model) @ centred).swapaxes(1, 2)
    return projected


def _nearest_rotation(projection: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3, 3): rotations whose first two rows are the nearest orthonormal ones to (N, 2, 3) projections."""
    u, _, v = np.linalg.svd(projection, full_matrices=False)
    rows = u @ v
    return np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], 1)


def _turn_back(rotation: NDArray[np.float64], roll: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rz(−roll) @ rotation."""
    cos, sin, zero, one = np.cos(roll), np.sin(roll), np.zeros_like(roll), np.ones_like(roll)
    back = np.stack([cos, sin, zero, -sin, cos, zero, zero, zero, one], -1).reshape(-1, 3, 3)
    return back @ rotation


def _symmetry(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) the recipe's ratio, 1 for a perfectly symmetric face: the smaller one of nose–eye and nose–mouth."""
    left = np.linalg.norm(points[:, [0, 3]] - points[:, [2]], axis=2)
    right = np.linalg.norm(points[:, [1, 4]] - points[:, [2]], axis=2)
    ratio: NDArray[np.float64] = (np.minimum(left, right) / np.maximum(np.maximum(left, right), 1e-9)).min(1)
    return ratio
