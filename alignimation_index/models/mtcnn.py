"""MTCNN (Zhang et al. 2016) on facenet-pytorch's networks and weights.

The networks are facenet-pytorch's; the loop around them is ours: each pyramid level comes from the nearest halving of
the image instead of an area pooling from full size, and candidates are cut with antialiasing.

Boxes are kept as extents inside (a pixel covers i … i + 1) and handed out in the package's convention.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import facenet_pytorch
import numpy as np
import torch
import torch.nn.functional as F
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from numpy.typing import NDArray
from torchvision.ops import nms

from alignimation_index.datatypes import Detections, Float, Images, Pixels
from alignimation_index.models.chips import cut_chips
from alignimation_index.models.faces import DETECTOR, REFINER
from alignimation_index.similarity import Matrices, apply, compose, fit_similarity, invert

PNET_CELL_PX, PNET_STRIDE_PX = 12, 2
PYRAMID_FACTOR = 0.709  # areas halve, as published
SCORE_THRESHOLDS = (0.6, 0.7, 0.7)  # P-, R- and O-Net, as published
RNET_PX, ONET_PX = 24, 48
CHIPS_AT_ONCE = 48  # more of them leave the processor's cache, and each takes twice as long

# Where O-Net tends to see the landmarks of an upright face, in pixels of its crop, mirrored and averaged; then 12 %
# larger about the middle, since it reads them best on crops that are a little tighter than its own boxes.
UPRIGHT_LANDMARKS = np.array([[13.6, 17.6], [33.4, 17.6], [23.5, 29.4], [15.1, 37.8], [31.9, 37.8]])


def load_network(network: type[torch.nn.Module], file_name: str, device: str) -> torch.nn.Module:
    """Load one of the three networks with the weights inside facenet-pytorch's wheel."""
    weights = Path(facenet_pytorch.__file__).parent / "data" / file_name
    loaded = network(pretrained=False)
    loaded.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    # Channels last: pooling, above all, is then several times as fast on a CPU.
    return loaded.eval().requires_grad_(False).to(memory_format=torch.channels_last).to(device)


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """Map 0..255 to the range the networks were trained on, −1..1."""
    return (pixels - 127.5) / 128


def read_chips(network: torch.nn.Module, chips: torch.Tensor, device: str) -> list[torch.Tensor]:
    """Run R-Net or O-Net on (N, 3, S, S) chips in 0..255, N > 0: its outputs, (N, …) each, on the CPU."""
    parts = [network(normalised(part).to(device)) for part in torch.split(chips, CHIPS_AT_ONCE)]
    return [torch.cat(outputs).cpu() for outputs in zip(*parts, strict=True)]


class MtcnnDetector:
    """The cascade: P-Net proposes on a pyramid, R-Net rejects, O-Net places the box and five landmarks."""

    model_id = DETECTOR

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._pnet = load_network(PNet, "pnet.pt", device)
        self._rnet = load_network(RNet, "rnet.pt", device)
        self._onet = load_network(ONet, "onet.pt", device)

    @torch.inference_mode()
    def detect(self, images: Images, min_face_share: float) -> list[Detections]:
        """Find faces; see FaceDetector. One image at a time: its result must not depend on its neighbours."""
        return [self._detect(image, min_face_share) for image in images]

    def _detect(self, image: Pixels, min_face_share: float) -> Detections:
        min_face_px = max(min_face_share * min(image.shape[:2]), PNET_CELL_PX)
        boxes = self._propose(image, min_face_px)
        boxes = self._reject(image, boxes)
        return self._place(image, boxes)

    def _propose(self, image: Pixels, min_face_px: float) -> torch.Tensor:
        """(N, 4) square candidates of all pyramid levels."""
        boxes, scores = [torch.zeros(0, 4)], [torch.zeros(0)]
        for level, scale in _pyramid(image, min_face_px, self._device):
            offsets, probabilities = self._pnet(normalised(level))
            cells, score = _cells(probabilities[0, 1].cpu(), scale, SCORE_THRESHOLDS[0])
            regressed = _regress(cells, offsets[0].cpu()[:, probabilities[0, 1].cpu() > SCORE_THRESHOLDS[0]].T)
            kept = nms(cells, score, 0.5)
            boxes.append(regressed[kept])
            scores.append(score[kept])
        every_box, every_score = torch.cat(boxes), torch.cat(scores)
        return _squared(every_box[nms(every_box, every_score, 0.7)])

    def _reject(self, image: Pixels, boxes: torch.Tensor) -> torch.Tensor:
        """(M, 4) of the square candidates, moved to where R-Net sees a face."""
        if not len(boxes):
            return boxes
        offsets, probabilities = read_chips(self._rnet, _cut_boxes(image, boxes, RNET_PX), self._device)
        score = probabilities[:, 1]
        passed = score > SCORE_THRESHOLDS[1]
        boxes, score, offsets = boxes[passed], score[passed], offsets[passed]
        kept = nms(boxes, score, 0.7)
        return _squared(_regress(boxes[kept], offsets[kept]))

    def _place(self, image: Pixels, boxes: torch.Tensor) -> Detections:
        if not len(boxes):
            return Detections.none()
        offsets, points, probabilities = read_chips(self._onet, _cut_boxes(image, boxes, ONET_PX), self._device)
        score = probabilities[:, 1]
        passed = score > SCORE_THRESHOLDS[2]
        boxes, score, offsets, points = boxes[passed], score[passed], offsets[passed], points[passed]
        side = (boxes[:, 2:] - boxes[:, :2])[:, None]
        landmarks = boxes[:, None, :2] + side * points.reshape(-1, 2, 5).transpose(1, 2)
        boxes = _regress(boxes, offsets)
        kept = _suppress_contained(boxes.numpy(), score.numpy(), 0.7)
        to_centres = np.float32(0.5)
        return Detections(boxes[kept].numpy() - to_centres, score[kept].numpy(), landmarks[kept].numpy() - to_centres)


class OnetRefiner:
    """Reads the landmarks of a face many times over and takes the median.

    O-Net alone scatters from crop to crop, and it was trained on upright faces. So the reading is taken on crops that
    the detector's landmarks turn upright and bring to one size, each shifted, scaled and turned a little differently,
    and on their mirror images. Turning or scaling the photo turns and scales the result with it.
    """

    model_id = REFINER

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._onet = load_network(ONet, "onet.pt", device)

    @torch.inference_mode()
    def refine(self, images: Images, landmarks: Sequence[Float]) -> list[Float]:
        """Refine landmarks; see LandmarkRefiner."""
        return [self._refine(image, points) for image, points in zip(images, landmarks, strict=True)]

    def _refine(self, image: Pixels, landmarks: Float) -> Float:
        if not len(landmarks):
            return landmarks
        chip_from_image = compose(_JITTERS, fit_similarity(landmarks, UPRIGHT_LANDMARKS)[:, None])
        chips = cut_chips(image, chip_from_image, ONET_PX)
        readings = np.stack([self._read(chips), _unmirrored(self._read(chips.flip(-1)))])
        in_image = apply(invert(chip_from_image), readings.reshape(2, *chip_from_image.shape[:2], 5, 2))
        return np.asarray(np.median(in_image, (0, 2)), np.float32)

    def _read(self, chips: torch.Tensor) -> NDArray[np.float64]:
        """(N, 5, 2) landmarks in pixels of each chip."""
        points = read_chips(self._onet, chips, self._device)[1]
        landmarks: NDArray[np.float64] = points.reshape(-1, 2, 5).transpose(1, 2).double().numpy()
        return landmarks * ONET_PX - 0.5


def _unmirrored(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, 5, 2) landmarks read on mirrored chips, as they are on the chips."""
    return landmarks[..., [1, 0, 2, 4, 3], :] * [-1, 1] + [ONET_PX - 1, 0]


def _jitters() -> Matrices:
    """(24, 2, 3) small similarities about the chip's middle; a seed, so that a photo always gives the same face."""
    random = np.random.default_rng(0)
    scale = np.exp(random.uniform(-0.12, 0.12, 24))
    turn = scale * np.exp(1j * np.deg2rad(random.uniform(-8, 8, 24)))
    linear = np.stack([np.stack([turn.real, -turn.imag], -1), np.stack([turn.imag, turn.real], -1)], -2)
    middle = np.full((2, 1), (ONET_PX - 1) / 2)
    shift = random.uniform(-3, 3, (24, 2, 1))
    return np.concatenate([linear, middle - linear @ middle + shift], -1)


_JITTERS = _jitters()


def _pyramid(image: Pixels, min_face_px: float, device: str) -> Iterator[tuple[torch.Tensor, NDArray[np.float64]]]:
    """Yield (1, 3, h, w) levels in 0..255 and their scales xy, until the level is smaller than P-Net's cell."""
    height, width = image.shape[:2]
    level = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float()
    scale = PNET_CELL_PX / min_face_px
    while min(height, width) * scale >= PNET_CELL_PX:
        size = (math.ceil(height * scale), math.ceil(width * scale))
        while min(level.shape[2] / size[0], level.shape[3] / size[1]) >= 2:
            level = F.avg_pool2d(level, 2, ceil_mode=True)
        resized = F.interpolate(level, size, mode="bilinear", antialias=True)
        yield resized, np.array([size[1] / width, size[0] / height])
        scale *= PYRAMID_FACTOR


def _cells(
    probability: torch.Tensor, scale: NDArray[np.float64], threshold: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 4) extents in the image of P-Net's cells above the threshold, row by row, and their (N,) scores."""
    above = probability > threshold
    corner = PNET_STRIDE_PX * above.nonzero().flip(1).float()
    to_image = torch.from_numpy(1 / scale).float()
    return torch.cat([corner * to_image, (corner + PNET_CELL_PX) * to_image], 1), probability[above]


def _regress(boxes: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Move each edge of (N, 4) boxes by its share of the box's size."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * size.repeat(1, 2)


def _squared(boxes: torch.Tensor) -> torch.Tensor:
    """(N, 4) boxes of the same centres with both sides as long as the longer one."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return torch.cat([centre - half, centre + half], 1)


def _cut_boxes(image: Pixels, boxes: torch.Tensor, size: int) -> torch.Tensor:
    """(N, 3, size, size) crops in 0..255 of (N, 4) square extents."""
    scale = size / (boxes[:, 2] - boxes[:, 0]).double().numpy()
    corner = boxes[:, :2].double().numpy()
    chip_from_image = np.zeros((len(boxes), 2, 3))
    chip_from_image[:, 0, 0] = chip_from_image[:, 1, 1] = scale
    chip_from_image[:, :, 2] = (0.5 - corner) * scale[:, None] - 0.5
    return cut_chips(image, chip_from_image, size)


def _suppress_contained(boxes: Float, scores: Float, threshold: float) -> NDArray[np.int64]:
    """Indices kept, best first: a box goes where its overlap with a better one exceeds a share of the smaller."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    for candidate in np.argsort(-scores, kind="stable"):
        low = np.maximum(boxes[kept, :2], boxes[candidate, :2])
        high = np.minimum(boxes[kept, 2:], boxes[candidate, 2:])
        overlap = np.prod(np.clip(high - low, 0, None), axis=1)
        if not (overlap > threshold * np.minimum(areas[kept], areas[candidate])).any():
            kept.append(int(candidate))
    return np.array(kept, np.int64)
