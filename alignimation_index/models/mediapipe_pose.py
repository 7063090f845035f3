"""mediapipe's pose networks as a detector of bodies: mask and landmarks of each person in one pass over a square."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from alignimation_index.datatypes import BodyDetections, Float, Image, Images, Pixels
from alignimation_index.models.blazepose import SQUARE_PX, coco_keypoints, mask_in_image, square_around
from alignimation_index.models.bodies import EMBEDDED_BODIES
from alignimation_index.models.chips import cut_chips
from alignimation_index.models.mediapipe_graphs import PoseGraphs
from alignimation_index.similarity import apply, invert

MIN_FINDER_SCORE = 0.3
MIN_READER_SCORE = 0.5
_PASSES = 2
_SAME_BODY_SHARE = 0.1  # of the body's longer side that keypoints of one person, found twice, are apart at most


class _Body(NamedTuple):
    score: float
    box: Float
    keypoints: Float
    mask: Pixels


class MediapipeDetector:
    """Finds people, and reads each from a square of its own. Satisfies BodyDetector; runs on the CPU."""

    model_id = EMBEDDED_BODIES

    def __init__(self) -> None:
        self._graphs = PoseGraphs(MIN_FINDER_SCORE, MIN_READER_SCORE)

    def detect(self, images: Images) -> list[BodyDetections]:
        """Find the bodies in each image; see BodyDetector."""
        return [self._detect(_in_memory(image)) for image in images]

    def _detect(self, image: Pixels) -> BodyDetections:
        scores, circles = self._graphs.find(image)
        bodies: list[_Body] = []
        for row in np.argsort(-scores, kind="stable"):
            body = self._read(image, float(scores[row]), circles[row])
            if body and not any(_is_same(body, other) for other in bodies):
                bodies.append(body)
        return _detections(bodies)

    def _read(self, image: Pixels, score: float, circle: Float) -> _Body | None:
        """The person in the circle, looked at again from the square that the first look suggests."""
        height, width = image.shape[:2]
        for _ in range(_PASSES):
            square_from_image = square_around(circle)
            chip = cut_chips([image], [square_from_image[None]], SQUARE_PX)[0]
            reading = self._graphs.read(chip.permute(1, 2, 0).add(0.5).byte().numpy())
            if reading is None:
                return None
            circle = apply(invert(square_from_image), reading.circle).astype(np.float32)
        mask = mask_in_image(reading.mask, square_from_image, width, height)
        if not mask.any():
            return None
        keypoints = coco_keypoints(reading.landmarks, square_from_image, width, height)
        return _Body(score, _box_around(mask), keypoints, mask)


def _in_memory(image: Image) -> Pixels:
    return image.cpu().numpy() if isinstance(image, torch.Tensor) else image


def _box_around(mask: Pixels) -> Float:
    """xyxy of the pixels' outer edges."""
    (columns,), (rows,) = mask.any(0).nonzero(), mask.any(1).nonzero()
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32) - np.float32(0.5)


def _is_same(one: _Body, other: _Body) -> bool:
    apart = np.linalg.norm(one.keypoints[:, :2] - other.keypoints[:, :2], axis=1)
    return bool(np.median(apart) < _SAME_BODY_SHARE * (other.box[2:] - other.box[:2]).max())


def _detections(bodies: list[_Body]) -> BodyDetections:
    if not bodies:
        return BodyDetections.none()
    scores, boxes, keypoints, masks = zip(*bodies, strict=True)
    return BodyDetections(np.array(boxes), np.array(scores, np.float32), np.array(keypoints), masks)
