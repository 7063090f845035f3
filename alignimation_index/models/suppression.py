"""Non-maximum suppression in many groups at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torchvision.ops import batched_nms

# Pairs of boxes that are compared at a time, of some 40 bytes each.
PAIRS_AT_ONCE = 1 << 24


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
    return _suppress_side_by_side(boxes, scores, groups, lambda padded: _iou_exceeds(padded, iou))


def suppress_contained(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, share: float) -> torch.Tensor:
    """As `suppress`, where the overlap counts as a share of the smaller box; best first within each group."""
    return _suppress_side_by_side(boxes, scores, groups, lambda padded: _contained_exceeds(padded, share))


def _suppress_side_by_side(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    groups: torch.Tensor,
    exceeds: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """All groups in step; `exceeds` maps (G, K, 4) boxes to (G, K, K): which of a group overlap too far."""
    if not len(boxes):
        return groups
    by_score = scores.argsort(descending=True, stable=True)
    order = by_score[groups[by_score].argsort(stable=True)]
    counts = [count for count in torch.bincount(groups).tolist() if count]
    kept = torch.empty(len(order), dtype=torch.bool, device=boxes.device)
    start = 0
    for some in _of_like_size(counts):
        end = start + sum(some)
        kept[start:end] = _kept_of_groups(boxes[order[start:end]], some, exceeds)
        start = end
    return order[kept]


def _of_like_size(counts: Sequence[int]) -> Iterator[list[int]]:
    """Counts that follow each other, as many as stay within PAIRS_AT_ONCE when each is filled up to the largest."""
    some: list[int] = []
    for count in counts:
        if some and (len(some) + 1) * max(*some, count) ** 2 > PAIRS_AT_ONCE:
            yield some
            some = []
        some.append(count)
    yield some


def _kept_of_groups(
    boxes: torch.Tensor, counts: list[int], exceeds: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """(N,) bool of boxes group by group, the best of each first."""
    ends = torch.tensor(counts, device=boxes.device)
    there = torch.arange(max(counts), device=boxes.device) < ends[:, None]
    padded = boxes.new_zeros(*there.shape, 4)
    padded[there] = boxes
    return _greedy(exceeds(padded).triu(1).to(boxes.dtype))[there]


def _iou_exceeds(boxes: torch.Tensor, limit: float) -> torch.Tensor:
    shared, areas = _shared_areas(boxes)
    return shared > limit * (areas[:, :, None] + areas[:, None] - shared)


def _contained_exceeds(boxes: torch.Tensor, limit: float) -> torch.Tensor:
    shared, areas = _shared_areas(boxes)
    return shared > limit * torch.minimum(areas[:, :, None], areas[:, None])


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
