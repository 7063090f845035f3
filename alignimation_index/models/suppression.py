"""Non-maximum suppression in many groups at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torchvision.ops import batched_nms

# Pairs of boxes that are compared at a time, of some 70 bytes each.
PAIRS_AT_ONCE = 1 << 24
# The share of a face's width and height within which the middles of its parts lie, and the score from which a box is
# surely a face. What is taken for one around a true face, such as its whole head and chest, scores less.
MIDDLE, SURE = 0.7, 0.95

Exceeds = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Maps (G, K, 4) boxes and their (G, K) scores to (G, K, K): whether of a group box j overlaps the better i too far."""


def suppress(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, iou: float) -> torch.Tensor:
    """Keep, within each group, the boxes that overlap no better one that is kept.

    Args:
        boxes: (N, 4) xyxy.
        scores: (N,).
        groups: (N,) int64.
        iou: overlap beyond which the worse box goes, intersection over union.

    Returns:
        (M,) int64 rows that are kept.
    """
    if boxes.device.type == "cpu":
        kept: torch.Tensor = batched_nms(boxes, scores, groups, iou)
        return kept
    # torchvision goes through groups one by one, which takes a GPU a hundred times as long.
    return _suppress_side_by_side(boxes, scores, groups, partial(_iou_exceeds, limit=iou))


def suppress_contained(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, share: float) -> torch.Tensor:
    """As `suppress`, where the overlap counts as a share of the smaller box; best first within each group.

    A smaller box takes a larger one of which the network is sure away only from its middle: a face that looks out from
    behind another is no part of that one, as a mouth is.
    """
    return _suppress_side_by_side(boxes, scores, groups, partial(_contained_exceeds, limit=share))


def cluster(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, iou: float) -> torch.Tensor:
    """(N,) int64: for each box the row of the best one kept by `suppress` that it is or overlaps."""
    order, best = _side_by_side(boxes, scores, groups, partial(_iou_exceeds, limit=iou))
    rows = torch.empty_like(order)
    rows[order] = order[best]
    return rows


def _suppress_side_by_side(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    groups: torch.Tensor,
    exceeds: Exceeds,
) -> torch.Tensor:
    order, best = _side_by_side(boxes, scores, groups, exceeds)
    return order[best == torch.arange(len(best), device=best.device)]


def _side_by_side(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    groups: torch.Tensor,
    exceeds: Exceeds,
) -> tuple[torch.Tensor, torch.Tensor]:
    """All groups in step.

    Returns:
        (N,) rows group by group, the best of each first, and (N,) the place among them of the best kept box that each
        is or overlaps.
    """
    by_score = scores.argsort(descending=True, stable=True)
    order = by_score[groups[by_score].argsort(stable=True)]
    counts = [count for count in torch.bincount(groups).tolist() if count]
    best = torch.empty_like(order)
    start = 0
    for some in _of_like_size(counts):
        end = start + sum(some)
        rows = order[start:end]
        best[start:end] = start + _best_of_groups(boxes[rows], scores[rows], some, exceeds)
        start = end
    return order, best


def _of_like_size(counts: Sequence[int]) -> Iterator[list[int]]:
    """Counts that follow each other, as many as stay within PAIRS_AT_ONCE when each is filled up to the largest."""
    some: list[int] = []
    for count in counts:
        if some and (len(some) + 1) * max(*some, count) ** 2 > PAIRS_AT_ONCE:
            yield some
            some = []
        some.append(count)
    if some:
        yield some


def _best_of_groups(boxes: torch.Tensor, scores: torch.Tensor, counts: list[int], exceeds: Exceeds) -> torch.Tensor:
    """(N,) the place of the best kept box that each is or overlaps; boxes group by group, the best of each first."""
    sizes = torch.tensor(counts, device=boxes.device)
    places = torch.arange(max(counts), device=boxes.device)
    there = places < sizes[:, None]
    padded = boxes.new_zeros(*there.shape, 5)
    padded[there] = torch.cat([boxes, scores[:, None]], 1)
    worse = exceeds(padded[..., :4], padded[..., 4]).triu(1)
    kept = _greedy(worse.to(boxes.dtype))
    best = torch.where(kept, places, (worse & kept[:, :, None]).byte().argmax(1))
    return (best + (sizes.cumsum(0) - sizes)[:, None])[there]


def _iou_exceeds(boxes: torch.Tensor, _: torch.Tensor, limit: float) -> torch.Tensor:
    shared, areas = _shared_areas(boxes)
    return shared > limit * (areas[:, :, None] + areas[:, None] - shared)


def _contained_exceeds(boxes: torch.Tensor, scores: torch.Tensor, limit: float) -> torch.Tensor:
    shared, areas = _shared_areas(boxes)
    centres, sides = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    apart = (centres[:, :, None] - centres[:, None]).abs()
    is_in_the_middle = (apart < MIDDLE / 2 * sides[:, None]).all(-1)
    is_contained = shared > limit * torch.minimum(areas[:, :, None], areas[:, None])
    is_larger, is_unsure = areas[:, :, None] >= areas[:, None], scores[:, None] < SURE
    return is_contained & (is_in_the_middle | is_larger | is_unsure)


def _shared_areas(boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(G, K, K) areas shared by (G, K, 4) boxes, and (G, K) their own."""
    left, top, right, bottom = boxes.unbind(-1)
    wide = torch.minimum(right[:, :, None], right[:, None]) - torch.maximum(left[:, :, None], left[:, None])
    high = torch.minimum(bottom[:, :, None], bottom[:, None]) - torch.maximum(top[:, :, None], top[:, None])
    return wide.clamp(min=0) * high.clamp(min=0), (right - left) * (bottom - top)


def _greedy(worse: torch.Tensor) -> torch.Tensor:
    """(G, K): what is kept when row i, if kept, removes those j for which worse[:, i, j] is 1; i < j.

    Each round settles at least the next box of every chain of overlaps, and chains are short.
    """
    kept = torch.ones(worse.shape[:2], dtype=torch.bool, device=worse.device)
    while True:
        removed = (kept[:, None].to(worse.dtype) @ worse)[:, 0] > 0
        if torch.equal(~removed, kept):
            return kept
        kept = ~removed
