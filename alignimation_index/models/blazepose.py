"""The geometry of BlazePose (Bazarevsky et al. 2020): the square it looks at, and its 33 landmarks as COCO's 17.

A person is a circle to it, (2, 2): the middle of the hips, and a point as far from there as the whole body reaches, in
the direction of the head.
"""

from __future__ import annotations

import numpy as np
from PIL import Image as PillowImage

from alignimation_index.datatypes import Float, Pixels
from alignimation_index.similarity import Matrices, apply, invert

SQUARE_PX = 256  # what the landmarks' network takes
_ROOM = 1.25  # the square's side, of the circle's diameter, as the network was trained
# The finder looks at 224 pixels and was trained on one person who fills them. Most of those that it misses on the
# whole photo, it sees in windows of these shares of the shorter side, half of each shared with the next.
_WINDOW_SHARES = (1.0, 0.7)
_MIN_WINDOW_SHARE = 0.05  # of the longer side, or a panorama has hundreds

# BlazePose's landmark for each of KEYPOINT_NAMES; left and right are the body's own in both.
_COCO_FROM_BLAZEPOSE = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)


def square_around(circle: Float) -> Matrices:
    """(2, 3) float64 `square_from_image`, pixels to pixels: the person upright in the middle.

    Args:
        circle: (2, 2) in pixels of the image, its points apart.
    """
    middle, reach = np.asarray(circle, np.float64)
    right = np.array([middle[1] - reach[1], reach[0] - middle[0]])  # the circle's radius, at a right angle to the head
    linear = np.array([[right[0], -right[1]], [right[1], right[0]]]) * 2 * _ROOM / SQUARE_PX
    centre = np.full(2, (SQUARE_PX - 1) / 2)
    return invert(np.column_stack([linear, middle - linear @ centre]))


def windows(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Where to look for people: xyxy, pixels that are sliced; the whole image first, then squares across it."""
    squares = [
        (left, top, left + side, top + side)
        for side in (round(share * min(width, height)) for share in _WINDOW_SHARES)
        if side >= _MIN_WINDOW_SHARE * max(width, height)
        for left in _starts(width, side)
        for top in _starts(height, side)
    ]
    return [(0, 0, width, height), *squares]


def coco_keypoints(landmarks: Float, square_from_image: Matrices, width: int, height: int) -> Float:
    """Choose and map COCO's keypoints.

    Args:
        landmarks: (33, 3) x and y in pixels of the square, and how surely each is seen, 0..1.
        square_from_image: (2, 3) pixels to pixels.
        width: of the image, in pixels.
        height: of the image, in pixels.

    Returns:
        (17, 3) float32: x and y in pixels of the image, and the score, which is 0 beyond the image's edges.
    """
    keypoints = landmarks[list(_COCO_FROM_BLAZEPOSE)].astype(np.float32)
    keypoints[:, :2] = apply(invert(square_from_image), keypoints[:, :2])
    inside = ((keypoints[:, :2] >= -0.5) & (keypoints[:, :2] < np.array([width, height]) - 0.5)).all(1)
    keypoints[:, 2] *= inside
    return keypoints


def mask_in_image(mask: Float, square_from_image: Matrices, width: int, height: int) -> Pixels:
    """(H, W) uint8, 255 where the (256, 256) mask in 0..1 says that the person is likelier than not; 0 elsewhere."""
    edge = apply(square_from_image, [[-0.5, -0.5]])[0] + 0.5  # Pillow counts from the corner of the first pixel
    coefficients = np.column_stack([square_from_image[:, :2], edge]).ravel()
    drawn = PillowImage.fromarray(mask).transform(
        (width, height), PillowImage.Transform.AFFINE, tuple(coefficients), PillowImage.Resampling.BILINEAR
    )
    return np.asarray(255 * (np.asarray(drawn) > 0.5), np.uint8)


def _starts(length: int, side: int) -> list[int]:
    """Where squares begin along a side of the image, from one end to the other."""
    count = int(np.ceil(2 * (length - side) / max(side, 1))) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]
