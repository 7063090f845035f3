import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from alignimation_index.models import suppression
from alignimation_index.models.suppression import cluster, suppress, suppress_contained

IOU = 0.4


@pytest.fixture(scope="module")
def boxes():
    """300 boxes of 4 groups of very different sizes, one of them of a single box, many of which overlap."""
    drawn = np.random.default_rng(0)
    corners, sides = drawn.uniform(0, 60, (300, 2)), drawn.uniform(10, 40, (300, 2))
    groups = drawn.choice([0, 1, 3, 3, 3, 3], 300)
    groups[17] = 2
    boxes = np.concatenate([corners, corners + sides], 1)
    return (torch.tensor(boxes, dtype=torch.float32), torch.tensor(drawn.random(300)).float(), torch.tensor(groups))


def one_by_one(boxes, scores, groups):
    """The row of the best kept box that each is or overlaps, by the definition."""
    overlaps = box_iou(boxes, boxes) > IOU
    best, kept = [-1] * len(boxes), []
    for row in scores.argsort(descending=True).tolist():
        beside = [other for other in kept if groups[other] == groups[row] and overlaps[other, row]]
        best[row] = beside[0] if beside else row
        kept += [] if beside else [row]
    return best


@pytest.mark.parametrize("pairs_at_once", [1 << 24, 1000])
def test_each_box_is_of_the_cluster_of_the_best_kept_one_that_it_overlaps(boxes, monkeypatch, pairs_at_once):
    monkeypatch.setattr(suppression, "PAIRS_AT_ONCE", pairs_at_once)
    best = cluster(*boxes, IOU).tolist()
    assert best == one_by_one(*boxes)
    assert {row for row in range(300) if best[row] == row} == set(suppress(*boxes, IOU).tolist())


def test_a_box_within_a_better_one_goes_though_their_union_is_much_larger():
    boxes = torch.tensor([[40.0, 60, 60, 70], [0, 0, 100, 100], [95, 0, 195, 100]])
    scores, groups = torch.tensor([0.8, 0.9, 0.95]), torch.tensor([5, 5, 5])
    assert suppress_contained(boxes, scores, groups, 0.7).tolist() == [2, 1]
    assert suppress_contained(boxes, scores, torch.tensor([6, 5, 5]), 0.7).tolist() == [2, 1, 0]


def test_a_face_behind_the_edge_of_a_sure_one_leaves_it_there():
    large = [100.0, 100, 200, 240]
    behind, mouth = [92.0, 120, 118, 150], [130.0, 200, 170, 230]
    groups = torch.tensor([0, 0])
    for smaller, score, left in ((behind, 0.96, [1, 0]), (behind, 0.9, [1]), (mouth, 0.96, [1])):
        boxes, scores = torch.tensor([large, smaller]), torch.tensor([score, 0.99])
        assert suppress_contained(boxes, scores, groups, 0.6).tolist() == left
        assert suppress_contained(boxes, scores.flip(0), groups, 0.6).tolist() == [0]


def test_no_box_is_an_input_like_any_other():
    nothing = torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64)
    assert cluster(*nothing, IOU).tolist() == suppress_contained(*nothing, 0.7).tolist() == []
