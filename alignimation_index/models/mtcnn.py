"""MTCNN (Zhang et al. 2016) on facenet-pytorch's networks and weights: P-Net proposes, R-Net rejects, O-Net places.

The loop around the networks is ours: images go through in batches of one shape, each level of the pyramid is resized
from an image that is already small, and candidates are cut without aliasing. Boxes follow facenet-pytorch where that
decides which faces are found: P-Net's cells begin a pixel late, and what lies outside of the image is cut off. Inside,
boxes are extents (a pixel covers i … i + 1); they are handed out in the package's convention.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import facenet_pytorch
import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from alignimation_index.datatypes import Detections, Float, Images
from alignimation_index.models.faces import DETECTOR
from alignimation_index.models.network import Network, Standardised, ready
from alignimation_index.models.pyramid import Pyramid
from alignimation_index.models.suppression import suppress, suppress_contained

PNET_CELL_PX, PNET_STRIDE_PX = 12, 2
PYRAMID_FACTOR = 0.709  # areas halve, as published
# Of P-, R- and O-Net; as published 0.6, 0.7, 0.7. What P-Net scores below 0.65 hardly ever turns out to be a face, and
# costs R-Net a sixth of its time; a face that R-Net doubts is often plain to O-Net.
SCORE_THRESHOLDS = (0.65, 0.6, 0.7)
RNET_PX, ONET_PX = 24, 48


def load_network(network: type[torch.nn.Module], file_name: str, device: str, side_px: int | None) -> Network:
    """Load one of the three networks with the weights inside facenet-pytorch's wheel."""
    weights = Path(facenet_pytorch.__file__).parent / "data" / file_name
    loaded = network(pretrained=False)
    loaded.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return ready(Path(file_name).stem, Standardised(loaded, mean=127.5, scale=128), device, side_px)


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
        self._pnet = load_network(PNet, "pnet.pt", device, None)
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
        of_levels = [self._cells(pyramid, level) for level in levels]
        offsets, scores = (torch.cat(of_cells, 1) for of_cells in zip(*of_levels, strict=True))
        owner, cell = (scores > SCORE_THRESHOLDS[0]).nonzero(as_tuple=True)
        level, boxes = _located(cell, levels)
        cells = _Candidates(owner, boxes, scores[owner, cell])
        kept = suppress(cells.boxes, cells.scores, level * pyramid.count + owner, 0.5)
        every = _regressed(cells[kept], offsets[owner[kept], cell[kept]])
        return every[every.suppressed(0.7)].squared()

    def _cells(self, pyramid: Pyramid, level: _Level) -> tuple[torch.Tensor, torch.Tensor]:
        """P-Net's (B, N, 4) offsets and (B, N) scores of the cells of a level, row by row."""
        offsets, probabilities = self._pnet(pyramid.resized(level.height, level.width))
        rows, columns = level.cells
        of_cells = offsets.permute(0, 2, 3, 1)[:, :rows, :columns]
        return of_cells.flatten(1, 2), probabilities[:, 1, :rows, :columns].flatten(1)

    def _reject(self, pyramid: Pyramid, candidates: _Candidates) -> _Candidates:
        """The candidates that R-Net takes for faces, moved to where it sees them, square again."""
        crops = pyramid.crops(candidates.owners, candidates.boxes, RNET_PX)
        offsets, probabilities = self._rnet(crops)
        passed = probabilities[:, 1] > SCORE_THRESHOLDS[1]
        faces = _Candidates(candidates.owners, candidates.boxes, probabilities[:, 1])[passed]
        kept = faces.suppressed(0.7)
        return _regressed(faces[kept], offsets[passed][kept]).squared()

    def _place(self, pyramid: Pyramid, candidates: _Candidates) -> list[Detections]:
        """The faces of each image, with landmarks, as O-Net sees them."""
        crops = pyramid.crops(candidates.owners, candidates.boxes, ONET_PX)
        offsets, points, probabilities = self._onet(crops)
        passed = probabilities[:, 1] > SCORE_THRESHOLDS[2]
        faces = _Candidates(candidates.owners, candidates.boxes, probabilities[:, 1])[passed]
        side = (faces.boxes[:, 2:] - faces.boxes[:, :2])[:, None]
        landmarks = faces.boxes[:, None, :2] + side * points[passed].reshape(-1, 2, 5).transpose(1, 2)
        placed = _regressed(faces, offsets[passed])
        # One face within another, as a mouth within its face, is the same: what counts is the share of the smaller.
        kept = suppress_contained(placed.boxes, placed.scores, placed.owners, 0.7)
        tensors = (placed.owners, placed.boxes, placed.scores, landmarks)
        owners, *columns = (tensor[kept].cpu().numpy() for tensor in tensors)
        return [_detections(*(column[owners == image] for column in columns)) for image in range(pyramid.count)]


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
