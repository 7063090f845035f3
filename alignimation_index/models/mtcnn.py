"""MTCNN (Zhang et al. 2016) on facenet-pytorch's networks and weights: P-Net proposes, R-Net rejects, O-Net places.

The loop around the networks is ours: images go through in batches of one shape, each level of the pyramid is resized
from an image that is already small, and candidates are cut without aliasing. Boxes follow facenet-pytorch where that
decides which faces are found: P-Net's cells begin a pixel late, and what lies outside of the image is cut off. Inside,
boxes are extents (a pixel covers i … i + 1); they are handed out in the package's convention.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import facenet_pytorch
import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from alignimation_index.datatypes import Detections, Float, Images
from alignimation_index.models.faces import DETECTOR
from alignimation_index.models.network import Network, Standardised, ready
from alignimation_index.models.pyramid import Pyramid
from alignimation_index.models.suppression import cluster, suppress, suppress_contained

PNET_CELL_PX, PNET_STRIDE_PX = 12, 2
PYRAMID_FACTOR = 0.709  # areas halve, as published
# Of P-, R- and O-Net; as published 0.6, 0.7, 0.7. What P-Net scores below 0.65 hardly ever turns out to be a face, and
# costs R-Net a sixth of its time; a face that R-Net doubts is often plain to O-Net.
SCORE_THRESHOLDS = (0.65, 0.6, 0.7)
LEAST_LOG_ODDS = math.log(SCORE_THRESHOLDS[0] / (1 - SCORE_THRESHOLDS[0]))
# Candidates that overlap so far are about the same face. O-Net needs only the likeliest of them if that is one.
SAME_IOU = 0.6
RNET_PX, ONET_PX = 24, 48


def load_network(
    network: type[torch.nn.Module],
    file_name: str,
    device: str,
    side_px: int | None,
    arranged: Callable[[Any], torch.nn.Module] = lambda loaded: loaded,
) -> Network:
    """Load one of the three networks with the weights inside facenet-pytorch's wheel, and arrange it to be run."""
    weights = Path(facenet_pytorch.__file__).parent / "data" / file_name
    loaded = network(pretrained=False)
    loaded.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return ready(Path(file_name).stem, Standardised(arranged(loaded), mean=127.5, scale=128), device, side_px)


class OneHeaded(torch.nn.Module):
    """P-Net with one layer at its end instead of two that read the same, which takes a tenth less time."""

    def __init__(self, pnet: PNet) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(
            *(pnet.conv1, pnet.prelu1, pnet.pool1), *(pnet.conv2, pnet.prelu2), *(pnet.conv3, pnet.prelu3)
        )
        scores, offsets = pnet.conv4_1, pnet.conv4_2
        self.head = torch.nn.Conv2d(offsets.in_channels, 5, 1)
        for name, parameter in self.head.named_parameters():
            of_scores, of_offsets = getattr(scores, name).detach(), getattr(offsets, name).detach()
            parameter.data = torch.cat([of_offsets, of_scores[1:] - of_scores[:1]])

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 5, rows, columns): the offsets of the four edges, and the log-odds that it is a face."""
        cells: torch.Tensor = self.head(self.body(pixels))
        return cells


@dataclass(frozen=True)
class _Candidates:
    """Squares that may be faces.

    Attributes:
        owners: (N,) int64, which image of the batch.
        boxes: (N, 4) extents in its pixels.
        scores: (N,) in 0..1.
    """

    owners: torch.Tensor
    boxes: torch.Tensor
    scores: torch.Tensor

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: torch.Tensor) -> _Candidates:
        return _Candidates(self.owners[rows], self.boxes[rows], self.scores[rows])

    def suppressed(self, iou: float) -> torch.Tensor:
        """Rows left when each box goes that overlaps a better one of its image."""
        return suppress(self.boxes, self.scores, self.owners, iou)

    def squared(self) -> _Candidates:
        """The same centres, both sides as long as the longer one."""
        centre = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        half = (self.boxes[:, 2:] - self.boxes[:, :2]).amax(1, keepdim=True) / 2
        return _Candidates(self.owners, torch.cat([centre - half, centre + half], 1), self.scores)


class _Readings(NamedTuple):
    """What O-Net says of N squares: the owners, and extents, scores and (N, 5, 2) landmarks of the faces there."""

    owners: torch.Tensor
    boxes: torch.Tensor
    scores: torch.Tensor
    landmarks: torch.Tensor


@dataclass(frozen=True)
class _Level:
    """A size of the images, in pixels, at which P-Net looks for faces of one size; 1 / `scale` theirs to its pixels."""

    height: int
    width: int
    scale: float

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the cells that lie inside."""
        rows, columns = (max((side - PNET_CELL_PX) // PNET_STRIDE_PX + 1, 0) for side in (self.height, self.width))
        return rows, columns


class MtcnnDetector:
    """The cascade. Satisfies FaceDetector."""

    model_id = DETECTOR

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._pnet = load_network(PNet, "pnet.pt", device, None, OneHeaded)
        self._rnet = load_network(RNet, "rnet.pt", device, RNET_PX)
        self._onet = load_network(ONet, "onet.pt", device, ONET_PX)

    @torch.inference_mode()
    def detect(self, images: Images, min_face_px: Sequence[float]) -> list[Detections]:
        """Find faces; see FaceDetector."""
        alike: dict[tuple[tuple[int, ...], float], list[int]] = defaultdict(list)
        for index, (image, face_px) in enumerate(zip(images, min_face_px, strict=True)):
            alike[tuple(image.shape), max(face_px, PNET_CELL_PX)].append(index)
        found: dict[int, Detections] = {}
        for (_, face_px), indices in alike.items():
            batch = Pyramid([images[index] for index in indices], self._device)
            found |= zip(indices, self._detect(batch, face_px), strict=True)
        return [found[index] for index in range(len(images))]

    def _detect(self, pyramid: Pyramid, min_face_px: float) -> list[Detections]:
        levels = list(_levels(pyramid, min_face_px))
        if not levels:  # the images are smaller than the smallest face
            return [Detections.none()] * pyramid.count
        candidates = self._propose(pyramid, levels)
        if len(candidates):
            candidates = self._reject(pyramid, candidates)
        return self._place(pyramid, candidates) if len(candidates) else [Detections.none()] * pyramid.count

    def _propose(self, pyramid: Pyramid, levels: Sequence[_Level]) -> _Candidates:
        """Square candidates of all levels, of which there is at least one."""
        every = torch.cat([self._cells(pyramid, level) for level in levels], 2)
        owner, cell = (every[:, 4] > LEAST_LOG_ODDS).nonzero(as_tuple=True)
        level, boxes = _located(cell, levels)
        found = every[owner, :, cell]
        cells = _Candidates(owner, boxes, found[:, 4].sigmoid())
        kept = suppress(cells.boxes, cells.scores, level * pyramid.count + owner, 0.5)
        moved = _regressed(cells[kept], found[kept, :4])
        return moved[moved.suppressed(0.7)].squared()

    def _cells(self, pyramid: Pyramid, level: _Level) -> torch.Tensor:
        """P-Net's (B, 5, N) offsets and log-odds of the cells of a level, row by row."""
        (cells,) = self._pnet(pyramid.resized(level.height, level.width))
        rows, columns = level.cells
        return cells[:, :, :rows, :columns].flatten(2)

    def _reject(self, pyramid: Pyramid, candidates: _Candidates) -> _Candidates:
        """The candidates that R-Net takes for faces, moved to where it sees them, square again."""
        crops = pyramid.crops(candidates.owners, candidates.boxes, RNET_PX)
        offsets, probabilities = self._rnet(crops)
        passed = probabilities[:, 1] > SCORE_THRESHOLDS[1]
        faces = _Candidates(candidates.owners, candidates.boxes, probabilities[:, 1])[passed]
        kept = faces.suppressed(0.7)
        return _regressed(faces[kept], offsets[passed][kept]).squared()

    def _place(self, pyramid: Pyramid, candidates: _Candidates) -> list[Detections]:
        """The faces of each image, with landmarks, as O-Net sees them.

        Of candidates that are about the same face the likeliest is read, and the others only if that is none.
        """
        likeliest = cluster(candidates.boxes, candidates.scores, candidates.owners, SAME_IOU)
        is_likeliest = likeliest == torch.arange(len(candidates), device=likeliest.device)
        first = self._read(pyramid, candidates[is_likeliest])
        is_face = torch.zeros_like(is_likeliest)
        is_face[is_likeliest] = first.scores > SCORE_THRESHOLDS[2]
        others = self._read(pyramid, candidates[~is_likeliest & ~is_face[likeliest]])
        every = _Readings(*(torch.cat(columns) for columns in zip(first, others, strict=True)))
        faces = _Readings(*(column[every.scores > SCORE_THRESHOLDS[2]] for column in every))
        # One face within another, as a mouth within its face, is the same: what counts is the share of the smaller.
        kept = suppress_contained(faces.boxes, faces.scores, faces.owners, 0.7)
        owners, *columns = (column[kept].cpu().numpy() for column in faces)
        return [_detections(*(column[owners == image] for column in columns)) for image in range(pyramid.count)]

    def _read(self, pyramid: Pyramid, candidates: _Candidates) -> _Readings:
        crops = pyramid.crops(candidates.owners, candidates.boxes, ONET_PX)
        offsets, points, probabilities = self._onet(crops)
        side = (candidates.boxes[:, 2:] - candidates.boxes[:, :2])[:, None]
        landmarks = candidates.boxes[:, None, :2] + side * points.reshape(-1, 2, 5).transpose(1, 2)
        return _Readings(candidates.owners, _regressed(candidates, offsets).boxes, probabilities[:, 1], landmarks)


def _levels(pyramid: Pyramid, min_face_px: float) -> Iterator[_Level]:
    """The levels that P-Net's cell fits in."""
    scale = PNET_CELL_PX / min_face_px
    while min(pyramid.height, pyramid.width) * scale >= PNET_CELL_PX:
        yield _Level(int(pyramid.height * scale + 1), int(pyramid.width * scale + 1), scale)
        scale *= PYRAMID_FACTOR


def _located(cells: torch.Tensor, levels: Sequence[_Level]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of (N,) cells, counted row by row through all levels: (N,) number of the level, (N, 4) extents in the images."""
    sizes = [level.cells for level in levels]
    ends = np.cumsum([rows * columns for rows, columns in sizes])
    starts = [0, *ends[:-1].tolist()]
    level = torch.bucketize(cells, torch.from_numpy(ends).to(cells.device), right=True)
    about = torch.tensor([starts, [columns for _, columns in sizes]], device=cells.device)
    start, columns = about[:, level]
    scale = torch.tensor([level.scale for level in levels], device=cells.device)[level, None]
    place = cells - start
    corner = PNET_STRIDE_PX * torch.stack([place % columns, place // columns], 1).float()
    return level, torch.cat([corner + 1, corner + PNET_CELL_PX], 1) / scale


def _regressed(candidates: _Candidates, offsets: torch.Tensor) -> _Candidates:
    """Move each edge of the boxes by its share, of (N, 4) offsets, of the box's size."""
    size = candidates.boxes[:, 2:] - candidates.boxes[:, :2]
    return _Candidates(candidates.owners, candidates.boxes + offsets * size.repeat(1, 2), candidates.scores)


def _detections(boxes: Float, scores: Float, landmarks: Float) -> Detections:
    """The faces of an image, extents turned into pixel centres."""
    to_centres = np.float32(0.5)
    return Detections(boxes - to_centres, scores, landmarks - to_centres)
