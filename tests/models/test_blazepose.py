import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.models.blazepose import (
    SQUARE_PX,
    coco_keypoints,
    is_same_circle,
    mask_in_image,
    square_around,
    windows,
)
from alignimation_index.similarity import apply, invert, scale_of

# mediapipe's PoseLandmark, as its documentation numbers it.
LANDMARKS = {
    "nose": 0, "left_eye": 2, "right_eye": 5, "left_ear": 7, "right_ear": 8, "left_shoulder": 11,
    "right_shoulder": 12, "left_elbow": 13, "right_elbow": 14, "left_wrist": 15, "right_wrist": 16,
    "left_hip": 23, "right_hip": 24, "left_knee": 25, "right_knee": 26, "left_ankle": 27, "right_ankle": 28,
}  # fmt: skip
IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])
UPRIGHT = np.array([[200, 300], [200, 200]], np.float32)


def test_each_keypoint_is_the_landmark_of_its_name():
    landmarks = np.stack([np.arange(33), np.arange(33) + 50, np.linspace(0, 1, 33)], 1).astype(np.float32)
    keypoints = coco_keypoints(landmarks, IDENTITY, 100, 100)
    assert [KEYPOINT_NAMES[row] for row in range(17)] == list(LANDMARKS)
    np.testing.assert_array_equal(keypoints, landmarks[list(LANDMARKS.values())])


def test_keypoints_are_in_pixels_of_the_image_and_not_seen_beyond_its_edges():
    landmarks = np.full((33, 3), 0.9, np.float32)
    landmarks[:, :2] = [10, 20]
    landmarks[0, :2] = [10, 45]
    half = np.array([[0.5, 0, 0], [0, 0.5, 0]])
    keypoints = coco_keypoints(landmarks, half, 50, 50)
    np.testing.assert_allclose(keypoints[1], [20, 40, 0.9])
    np.testing.assert_allclose(keypoints[0], [20, 90, 0])


def test_the_square_holds_the_circle_with_the_head_up():
    square_from_image = square_around(UPRIGHT)
    np.testing.assert_allclose(apply(square_from_image, UPRIGHT), [[127.5, 127.5], [127.5, 127.5 - 128 / 1.25]])


@given(st.floats(-3.1, 3.1), st.floats(5, 500))
def test_the_square_turns_and_grows_with_the_person(angle, radius):
    head = np.array([np.sin(angle), -np.cos(angle)]) * radius
    circle = np.array([[40, 60], [40, 60] + head], np.float32)
    square_from_image = square_around(circle)
    np.testing.assert_allclose(apply(square_from_image, circle)[1], [127.5, 127.5 - 128 / 1.25], atol=0.01)
    np.testing.assert_allclose(scale_of(square_from_image), 128 / 1.25 / radius, rtol=1e-3)
    assert np.linalg.det(square_from_image[:, :2]) > 0


def test_a_mask_lies_where_its_square_does():
    mask = np.zeros((SQUARE_PX, SQUARE_PX), np.float32)
    mask[100:120, 60:100] = 1
    drawn = mask_in_image(mask, square_around(UPRIGHT), 400, 500)
    assert (drawn.shape, drawn.dtype) == ((500, 400), np.uint8)
    assert set(np.unique(drawn)) == {0, 255}
    rows, columns = drawn.nonzero()
    edges = apply(invert(square_around(UPRIGHT)), [[59.5, 99.5], [99.5, 119.5]])
    found = [[columns.min() - 0.5, rows.min() - 0.5], [columns.max() + 0.5, rows.max() + 0.5]]
    np.testing.assert_allclose(found, edges, atol=0.51)


def test_a_mask_is_empty_beyond_its_square():
    drawn = mask_in_image(np.ones((SQUARE_PX, SQUARE_PX), np.float32), square_around(UPRIGHT), 800, 800)
    left, top = apply(invert(square_around(UPRIGHT)), [[-0.5, -0.5]])[0]
    assert not drawn[: int(top) - 1].any()
    assert not drawn[:, : int(left) - 1].any()
    assert drawn[300, 200] == 255


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_windows_are_the_image_and_squares_that_cover_it(width, height):
    whole, *squares = windows(width, height)
    assert whole == (0, 0, width, height)
    assert all(right - left == bottom - top for left, top, right, bottom in squares)
    assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in squares)
    assert {max(square[2] for square in squares), max(square[3] for square in squares)} == {width, height}


def test_circles_around_one_person_are_told_from_those_around_two():
    assert is_same_circle(UPRIGHT, UPRIGHT + 10)
    assert not is_same_circle(UPRIGHT, UPRIGHT + 50)
    assert not is_same_circle(UPRIGHT, UPRIGHT + np.array([[0, 0], [0, 40]], np.float32))
