"""torchvision's Mask R-CNN and Keypoint R-CNN (He et al. 2017; ResNet-50 FPN, COCO) as one detector of bodies.

Inside, boxes and points are extents as torchvision has them (a pixel covers i … i + 1); they are handed out in the
package's convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as PillowImage
from torchvision.models.detection import KeypointRCNN, MaskRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops import FrozenBatchNorm2d

from alignimation_index.datatypes import BodyDetections, Float, Image, Images, Pixels, box_overlaps
from alignimation_index.models.bodies import PREFERRED_BODIES
from alignimation_index.models.chips import reduce_image
from alignimation_index.models.state_dict import load_state

# The longer side that photos are brought to. As published it is up to 1333, at over twice the time; whoever takes a
# fair share of the photo is large at 800.
SIDE_PX = 800
IMAGES_AT_ONCE = {"cpu": 1, "cuda": 8, "mps": 2}
# What one network is sure of, the other may doubt: the mean of both decides.
MIN_SCORE, MIN_SCORE_OF_ONE = 0.5, 0.2
MIN_IOU = 0.5  # of the two boxes around one body
_COCO_CLASSES, _PERSON = 91, 1
_KEYPOINT_CLASSES = 2
# Detectron draws keypoints whose logit is above 2.
_SEEN_LOGIT = 2.0


def mask_network() -> MaskRCNN:
    """Mask R-CNN without its weights."""
    return MaskRCNN(_backbone(), _COCO_CLASSES, **_settings())


def keypoint_network() -> KeypointRCNN:
    """Keypoint R-CNN without its weights."""
    return KeypointRCNN(_backbone(), _KEYPOINT_CLASSES, **_settings())


class RcnnDetector:
    """Both networks; a body is what both of them see. Satisfies BodyDetector.

    What only one network finds is left out: without keypoints a body cannot be registered, and without a mask it cannot
    be told from what surrounds it. On an NVIDIA GPU both run in half precision.
    """

    model_id = PREFERRED_BODIES

    def __init__(self, mask_weights: Path, keypoint_weights: Path, device: str = "cpu") -> None:
        """Load the two state dicts as torchvision publishes them.

        Raises:
            UserError: a file is missing, or holds other weights.
        """
        self._device = device
        self._masks, self._keypoints = mask_network(), keypoint_network()
        for network, weights in ((self._masks, mask_weights), (self._keypoints, keypoint_weights)):
            load_state(network, weights)
            network.eval().requires_grad_(False).to(device)

    def detect(self, images: Images) -> list[BodyDetections]:
        """Find the bodies in each image; see BodyDetector."""
        at_once = IMAGES_AT_ONCE[self._device]
        return [
            bodies
            for start in range(0, len(images), at_once)
            for bodies in self._detect(images[start : start + at_once])
        ]

    @torch.inference_mode()
    def _detect(self, images: Images) -> list[BodyDetections]:
        reductions = [max(max(image.shape[:2]) // SIDE_PX, 1) for image in images]
        reduced = [reduce_image(image, factor) for image, factor in zip(images, reductions, strict=True)]
        planes = [self._planes(image) for image in reduced]
        with self._precision():
            masked, pointed = self._masks(planes), self._keypoints(planes)
        found = zip(images, reductions, masked, pointed, strict=True)
        return [_bodies(image.shape[:2], factor, *outputs) for image, factor, *outputs in found]

    def _planes(self, image: Image) -> torch.Tensor:
        """(3, H, W) float32 in 0..1."""
        pixels = image if isinstance(image, torch.Tensor) else torch.from_numpy(np.array(image))
        return pixels.to(self._device).permute(2, 0, 1).float() / 255

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast("cuda", torch.float16) if self._device == "cuda" else nullcontext()


def match(a: Float, b: Float) -> list[tuple[int, int]]:
    """Pair the boxes of two networks, the pair that overlaps most first; none twice, none below MIN_IOU.

    Args:
        a: (N, 4) xyxy.
        b: (M, 4) xyxy.

    Returns:
        Rows of `a` and `b`.
    """
    overlaps = box_overlaps(a, b)
    pairs: list[tuple[int, int]] = []
    while overlaps.size and overlaps.max() >= MIN_IOU:
        row, column = np.unravel_index(int(overlaps.argmax()), overlaps.shape)
        pairs.append((int(row), int(column)))
        overlaps[row, :] = overlaps[:, column] = 0
    return pairs


def keypoint_scores(logits: Float) -> Float:
    """Map the heat maps' highest logits, of any shape, to 0..1: 0.5 where Detectron begins to draw a keypoint."""
    scores: Float = 1 / (1 + np.exp(_SEEN_LOGIT - np.asarray(logits, np.float32)))
    return scores


def _backbone() -> torch.nn.Module:
    # The weights were trained without the epsilon that torch adds to the variance.
    backbone: torch.nn.Module = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=partial(FrozenBatchNorm2d, eps=0.0)
    )
    return backbone


def _settings() -> dict[str, float]:
    return {"min_size": SIDE_PX, "max_size": SIDE_PX, "box_score_thresh": MIN_SCORE_OF_ONE}


def _bodies(
    size: Sequence[int], reduction: int, masked: dict[str, torch.Tensor], pointed: dict[str, torch.Tensor]
) -> BodyDetections:
    """The bodies that both networks see in an image of this (height, width), best first."""
    masked, pointed = (
        {name: part[each["labels"] == _PERSON] for name, part in each.items()} for each in (masked, pointed)
    )
    boxes, scores, masks = (masked[name].float().cpu().numpy() for name in ("boxes", "scores", "masks"))
    others, other_scores, points, logits = (
        pointed[name].float().cpu().numpy() for name in ("boxes", "scores", "keypoints", "keypoints_scores")
    )
    pairs = [(row, column, (scores[row] + other_scores[column]) / 2) for row, column in match(boxes, others)]
    sure = sorted((pair for pair in pairs if pair[2] >= MIN_SCORE), key=lambda pair: -pair[2])
    if not sure:
        return BodyDetections.none()
    rows, columns, means = (np.array(part) for part in zip(*sure, strict=True))
    places = points[columns, :, :2] * reduction - 0.5
    keypoints = np.concatenate([places, keypoint_scores(logits[columns])[..., None]], 2)
    height, width = size
    extents = np.minimum(boxes[rows] * reduction, [width, height, width, height])
    drawn = [_enlarged(masks[row, 0], size, reduction) for row in rows]
    return BodyDetections(*(part.astype(np.float32) for part in (extents - 0.5, means, keypoints)), drawn)


def _enlarged(mask: Float, size: Sequence[int], reduction: int) -> Pixels:
    """(H, W) uint8 of this size, 255 where the mask in 0..1 says that the person is likelier than not."""
    height, width = size
    shown = (0, 0, width / reduction, height / reduction)  # the reduced image may end beyond this one
    full = PillowImage.fromarray(mask).resize((width, height), PillowImage.Resampling.BILINEAR, shown)
    return np.where(np.asarray(full) > 0.5, np.uint8(255), np.uint8(0))
