"""Which face a body is of."""

import numpy as np
import pytest
from fakes import LANDMARKS_IN_BOX

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.stages.body_faces import match_faces

NOWHERE = np.full((5, 2), np.nan, np.float32)


def faces(*corners, side=40):
    boxes = np.array([[x, y, x + side, y + side] for x, y in corners], np.float32).reshape(-1, 4)
    landmarks = np.array([np.array(corner) + side * LANDMARKS_IN_BOX for corner in corners], np.float32)
    return boxes, landmarks.reshape(-1, 5, 2)


def bodies(*heads):
    """A body below each head; keypoints by name at their places, in pixels of the photo."""
    keypoints = np.zeros((len(heads), 17, 3), np.float32)
    boxes = np.zeros((len(heads), 4), np.float32)
    for row, (left, head) in enumerate(heads):
        boxes[row] = (left, 0, left + 100, 400)
        for name, place in head.items():
            keypoints[row, KEYPOINT_NAMES.index(name)] = (*place, 0.9)
    return boxes, keypoints


def head_at(x, y):
    """As a face of 40 pixels there has it; the body's own left eye is on the image's right."""
    return {"nose": (x + 20, y + 23), "left_eye": (x + 28, y + 14), "right_eye": (x + 12, y + 14)}


def test_heads_side_by_side_go_with_their_own_faces():
    found = match_faces(*bodies((0, head_at(30, 20)), (60, head_at(66, 24))), *faces((64, 22), (32, 20)))
    assert found == {0: 1, 1: 0}


def test_of_two_bodies_only_the_nearer_has_the_face():
    assert match_faces(*bodies((0, head_at(36, 26)), (0, head_at(30, 20))), *faces((30, 20))) == {1: 0}


@pytest.mark.parametrize(
    ("head", "is_its"),
    [
        ({"left_ear": (68, 40)}, True),
        ({"left_ear": (120, 40)}, False),
        ({"nose": (80, 43)}, False),
        ({}, True),
    ],
)
def test_a_head_of_which_little_is_seen_goes_with_the_face_that_it_is_at(head, is_its):
    assert (match_faces(*bodies((0, head)), *faces((30, 20))) == {0: 0}) is is_its


def test_a_headless_body_leaves_the_face_to_whose_head_is_there():
    assert match_faces(*bodies((0, {}), (0, head_at(30, 20))), *faces((30, 20))) == {1: 0}


def test_a_face_of_which_only_the_box_is_known_is_found_by_it():
    boxes, _ = faces((30, 20))
    assert match_faces(*bodies((0, head_at(30, 20))), boxes, NOWHERE[None]) == {0: 0}
    assert match_faces(*bodies((0, head_at(100, 20))), boxes, NOWHERE[None]) == {}


def test_without_faces_or_bodies_there_are_no_pairs():
    assert match_faces(*bodies((0, head_at(30, 20))), *faces()) == {}
    assert match_faces(*bodies(), *faces((30, 20))) == {}
