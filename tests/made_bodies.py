"""A made body of ellipses, photographed by any similarity: masks and keypoints without any data."""

import numpy as np

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.registration.bodies import Bodies
from alignimation_index.registration.masks import frame_masks
from alignimation_index.similarity import apply, invert

# Head, face, torso, belly, legs: centre and half axes in body heights.
PARTS = ((0.5, 0.1, 0.07, 0.09), (0.57, 0.11, 0.03, 0.02), (0.5, 0.38, 0.1, 0.2), (0.56, 0.45, 0.09, 0.1))
LEGS = ((0.46, 0.75, 0.05, 0.24), (0.56, 0.74, 0.05, 0.23))
PLACES = {"left_ear": (0.49, 0.09), "left_shoulder": (0.48, 0.24), "left_hip": (0.49, 0.52), "left_knee": (0.46, 0.75)}


def similarity(scale, turn, x, y):
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def body_mask(photo_from_body, width_px, height_px, belly=0.0):
    """(H, W) float32, soft over a pixel; `belly` grows the belly forward, in body heights."""
    y, x = np.mgrid[:height_px, :width_px]
    points = apply(invert(photo_from_body), np.stack([x, y], -1).reshape(-1, 2)).T
    parts = [*PARTS, *LEGS, (0.56 + belly, 0.45, 0.09, 0.1)]
    inside = np.max([1 - np.hypot((points[0] - cx) / a, (points[1] - cy) / b) for cx, cy, a, b in parts], axis=0)
    pixels = inside.reshape(height_px, width_px) * 0.08 * np.hypot(*photo_from_body[:, 0])
    return np.clip(pixels + 0.5, 0, 1).astype(np.float32)


def keypoints_of(photo_from_body):
    """(17, 2) and seen (17,)."""
    points, seen = np.full((17, 2), np.nan), np.zeros(17, np.float32)
    for name, place in PLACES.items():
        points[KEYPOINT_NAMES.index(name)] = apply(photo_from_body, [place])[0]
        seen[KEYPOINT_NAMES.index(name)] = 1
    return points, seen


def photographed_bodies(matrices, sizes, bellies=None):
    """Bodies by photo_from_body matrices, in photos of (width, height)."""
    bellies = bellies or [0.0] * len(matrices)
    masks = [body_mask(m, *size, belly) for m, size, belly in zip(matrices, sizes, bellies, strict=True)]
    points, seen = zip(*map(keypoints_of, matrices), strict=True)
    return Bodies(frame_masks(masks), np.array(points), np.array(seen))
