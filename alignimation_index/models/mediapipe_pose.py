"""mediapipe's pose networks as a detector of bodies: mask and landmarks of each person in one pass over a square."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from alignimation_index.datatypes import BodyDetections, Float, Image, Images, Pixels
from alignimation_index.models.blazepose import (
    SQUARE_PX,
    coco_keypoints,
    mask_in_image,
    square_around,
    windows,
)
from alignimation_index.models.bodies import EMBEDDED_BODIES
from alignimation_index.models.chips import cut_chips, reduce_image
from alignimation_index.models.mediapipe_graphs import PoseGraphs, Reading
from alignimation_index.similarity import Matrices, apply, invert

# As published. The finder, in windows, takes a cat or a line of print for a person now and then.
MIN_FINDER_SCORE, MIN_READER_SCORE = 0.5, 0.5
# Where the reader imagines a person, its mask and its landmarks are apart: this share of those seen lies on the mask.
_MIN_SHARE_ON_MASK, _SEEN = 0.5, 0.5
FINDER_SIDE_PX = 640  # people are looked for on a photo reduced to less than twice this
_SAME_BODY_IOU = 0.5  # of the masks of one person, read twice, at least


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
        read = [self._read(image, score, circle) for score, circle in self._find(image)]
        bodies: list[_Body] = []
        for body in sorted(filter(None, read), key=_certainty, reverse=True):
            if not any(_is_same(body, other) for other in bodies):
                bodies.append(body)
        return _detections(sorted(bodies, key=lambda body: -body.score))

    def _find(self, image: Pixels) -> list[tuple[float, Float]]:
        """Scores and circles of who may be a person; several of one person, who is in several windows."""
        reduction = max(image.shape[0] // FINDER_SIDE_PX, image.shape[1] // FINDER_SIDE_PX, 1)
        small = np.asarray(reduce_image(image, reduction))
        found: list[tuple[float, Float]] = []
        for left, top, right, bottom in windows(small.shape[1], small.shape[0]):
            scores, circles = self._graphs.find(small[top:bottom, left:right])
            in_image = (circles + np.array([left, top]) + 0.5) * reduction - 0.5
            found += zip(scores.tolist(), in_image.astype(np.float32), strict=True)
        return found

    def _read(self, image: Pixels, score: float, circle: Float) -> _Body | None:
        """The person in the circle, looked at again from the square that the first look suggests."""
        first = self._look(image, square_around(circle))
        if first is None:
            return None
        square_from_image = square_around(apply(invert(square_around(circle)), first.circle).astype(np.float32))
        second = self._look(image, square_from_image)
        return second and _body(image, score, square_from_image, second)

    def _look(self, image: Pixels, square_from_image: Matrices) -> Reading | None:
        chip = cut_chips([image], [square_from_image[None]], SQUARE_PX)[0]
        return self._graphs.read(chip.permute(1, 2, 0).add(0.5).byte().numpy())


def _body(image: Pixels, score: float, square_from_image: Matrices, reading: Reading) -> _Body | None:
    """What was read, in pixels of the image; None where the reader imagined it."""
    height, width = image.shape[:2]
    mask = mask_in_image(reading.mask, square_from_image, width, height)
    keypoints = coco_keypoints(reading.landmarks, square_from_image, width, height)
    return _Body(score, _box_around(mask), keypoints, mask) if _agree(keypoints, mask) else None


def _certainty(body: _Body) -> float:
    """How surely the reader sees the keypoints: of a person read from several squares, the most upright is surest."""
    return float(body.keypoints[:, 2].mean())


def _in_memory(image: Image) -> Pixels:
    return image.cpu().numpy() if isinstance(image, torch.Tensor) else image


def _box_around(mask: Pixels) -> Float:
    """xyxy of the pixels' outer edges."""
    (columns,), (rows,) = mask.any(0).nonzero(), mask.any(1).nonzero()
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return np.array([edge - 0.5 for edge in edges], np.float32)


def _agree(keypoints: Float, mask: Pixels) -> bool:
    """Whether the keypoints that are seen lie on the mask."""
    seen = keypoints[keypoints[:, 2] > _SEEN, :2].round().astype(int)
    columns, rows = np.clip(seen, 0, np.array(mask.shape[::-1]) - 1).T
    return len(seen) > 0 and bool((mask[rows, columns] > 0).mean() >= _MIN_SHARE_ON_MASK)


def _is_same(one: _Body, other: _Body) -> bool:
    """Whether two readings are of one person; landmarks beyond the photo's edges differ from one to the next."""
    either, both = (one.mask | other.mask).astype(bool), (one.mask & other.mask).astype(bool)
    return bool(both.sum() >= _SAME_BODY_IOU * either.sum())


def _detections(bodies: list[_Body]) -> BodyDetections:
    if not bodies:
        return BodyDetections.none()
    scores, boxes, keypoints, masks = zip(*bodies, strict=True)
    return BodyDetections(np.array(boxes), np.array(scores, np.float32), np.array(keypoints), masks)
