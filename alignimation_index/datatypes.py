"""The values that flow between the parts: plain, immutable, free of store, files and networks.

Convention for every coordinate in this package: x to the right, y down, the centre of the first pixel at (0, 0).
Resizing an image by s therefore maps x to s · (x + 0.5) − 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Float = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Image: TypeAlias = "Pixels | Tensor"
"""(H, W, 3) uint8 RGB: in memory, or as a tensor on a GPU."""
Images: TypeAlias = "Sequence[Pixels | Tensor]"

SAME_FACE_IOU = 0.5
"""A face found again covers its earlier box at least this far."""

LANDMARK_NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")

# COCO's order; left and right are the body's own.
KEYPOINT_NAMES = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A photo's pixels, upright (EXIF orientation applied) and perhaps reduced, or a part of them.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        width_px: width of the full upright photo; `pixels` may be smaller.
        height_px: height of the full upright photo.
        reduction: how many photo pixels one decoded pixel stands for, along each side.
        overhang_px: photo pixels (left, top) by which the first decoded column and row begin before the photo does,
            where `reduction` does not divide a side that orientation then turned to the front; negative where only a
            part was kept that begins inside the photo.
        truncated_to: of a truncated photo, xyxy of the part that is there, in pixels of the full upright photo; the
            rest is black. None for a whole one.
    """

    pixels: Image
    width_px: int
    height_px: int
    reduction: int = 1
    overhang_px: tuple[int, int] = (0, 0)
    truncated_to: tuple[int, int, int, int] | None = None

    @property
    def photo_from_decoded(self) -> NDArray[np.float64]:
        """(2, 3): decoded pixels to pixels of the full upright photo."""
        shift = (self.reduction - 1) / 2 - np.array(self.overhang_px)
        return np.array([[self.reduction, 0, shift[0]], [0, self.reduction, shift[1]]], np.float64)

    def to_photo(self, points: Float) -> Float:
        """Map (..., 2) points from decoded pixels to photo pixels."""
        matrix = self.photo_from_decoded
        return np.asarray(points * matrix[0, 0] + matrix[:, 2], np.float32)

    def to_decoded(self, points: Float) -> Float:
        """Map (..., 2) points from photo pixels to decoded pixels."""
        matrix = self.photo_from_decoded
        return np.asarray((points - matrix[:, 2]) / matrix[0, 0], np.float32)


@dataclass(frozen=True, slots=True)
class Detections:
    """The faces of one image.

    Attributes:
        boxes: (N, 4) float32, xyxy in pixels of the image they were found in.
        scores: (N,) float32 in 0..1.
        landmarks: (N, 5, 2) float32, in the order of LANDMARK_NAMES; left and right as seen in the image.
    """

    boxes: Float
    scores: Float
    landmarks: Float

    def __len__(self) -> int:
        return len(self.boxes)

    def mapped(self, move: Callable[[Float], Float]) -> Detections:
        """The same faces in another image's pixels; `move` maps (..., 2) points there."""
        boxes = move(self.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
        return Detections(boxes, self.scores, move(self.landmarks))

    @classmethod
    def none(cls) -> Detections:
        """No face: a result like any other."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


@dataclass(frozen=True, slots=True)
class BodyDetections:
    """The bodies of one image.

    Attributes:
        boxes: (N, 4) float32, xyxy in pixels of the image they were found in.
        scores: (N,) float32 in 0..1.
        keypoints: (N, 17, 3) float32, in the order of KEYPOINT_NAMES: x and y in pixels of the image, and a score in
            0..1; 0 where a keypoint is not seen.
        masks: N person masks (H, W) uint8 of the image's size, 255 on the person and 0 off it.
    """

    boxes: Float
    scores: Float
    keypoints: Float
    masks: Sequence[Pixels]

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def none(cls) -> BodyDetections:
        """No body: a result like any other."""
        keypoints = np.zeros((0, len(KEYPOINT_NAMES), 3), np.float32)
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), keypoints, ())


@dataclass(frozen=True, slots=True)
class BodyMask:
    """A person mask, cut to the body and perhaps reduced.

    Attributes:
        pixels: (H, W) uint8, 255 on the person and 0 off it; not empty.
        photo_from_mask: (2, 3) float64, its pixels to pixels of the full upright photo: a scale and a shift.
    """

    pixels: Pixels
    photo_from_mask: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cutout:
    """A person mask as it is kept, some thousand bytes; see BodyMask.

    Attributes:
        png: (H, W) uint8 as a PNG picture, 255 on the person and 0 off it.
        photo_from_mask: (2, 3) float64, its pixels to pixels of the full upright photo.
    """

    png: bytes
    photo_from_mask: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PhotoBodies:
    """The bodies of a photo, in pixels of the full upright photo; otherwise as BodyDetections.

    Attributes:
        boxes: (N, 4) float32, xyxy.
        scores: (N,) float32 in 0..1.
        keypoints: (N, 17, 3) float32.
        masks: one for each body.
    """

    boxes: Float
    scores: Float
    keypoints: Float
    masks: Sequence[BodyMask]

    def __len__(self) -> int:
        return len(self.boxes)


def box_overlaps(a: Float, b: Float) -> Float:
    """(N, M) intersection over union of (N, 4) and (M, 4) boxes, xyxy in pixels of one picture."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    ratio: Float = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
    return ratio
