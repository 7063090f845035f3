import numpy as np
import pytest
import torch
from PIL import Image

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.models.bodies import EMBEDDED_BODIES, body_models
from alignimation_index.models.weights import WeightStore

pytest.importorskip("mediapipe", reason="the extra `mediapipe` is not installed")

NOSE, LEFT_EYE, RIGHT_EYE, LEFT_SHOULDER, RIGHT_SHOULDER = 0, 1, 2, 5, 6
# Of the astronaut, by eye.
PLACES = {NOSE: (214, 132), LEFT_EYE: (234, 107), RIGHT_EYE: (201, 111), LEFT_SHOULDER: (318, 255)}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    return body_models(EMBEDDED_BODIES, WeightStore(tmp_path_factory.mktemp("weights")), "cpu").load()


@pytest.fixture(scope="module")
def found(bodies, astronaut):
    return bodies.detect([astronaut])[0]


def test_the_astronaut_is_one_body(found, bodies):
    assert bodies.model_id == "mediapipe-pose"
    assert len(found) == 1
    assert 0.5 <= found.scores[0] <= 1
    assert found.keypoints.shape == (1, len(KEYPOINT_NAMES), 3)
    assert all(part.dtype == np.float32 for part in (found.boxes, found.scores, found.keypoints))


def test_keypoints_lie_where_they_are_seen(found):
    for row, place in PLACES.items():
        np.testing.assert_allclose(found.keypoints[0, row, :2], place, atol=25)
        assert found.keypoints[0, row, 2] > 0.9


def test_left_is_the_bodys_own(found):
    keypoints = found.keypoints[0]
    assert keypoints[LEFT_EYE, 0] > keypoints[RIGHT_EYE, 0]
    assert keypoints[LEFT_SHOULDER, 0] > keypoints[RIGHT_SHOULDER, 0]


def test_what_the_photo_does_not_show_is_not_seen(found):
    assert (found.keypoints[0, 13:, 2] < 0.5).all()


def test_the_mask_is_on_the_person_and_fills_the_box(found, astronaut):
    (mask,) = found.masks
    assert mask.shape == astronaut.shape[:2]
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    assert mask[300, 200] == mask[130, 214] == 255
    assert mask[100, 40] == mask[40, 480] == 0
    rows, columns = mask.nonzero()
    extent = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
    np.testing.assert_array_equal(found.boxes[0], extent)


def test_two_people_are_two_bodies(bodies, astronaut):
    pair = np.concatenate([astronaut, astronaut[:, ::-1]], 1)
    (found,) = bodies.detect([pair])
    assert len(found) == 2
    left, right = sorted(found.keypoints[:, NOSE, 0])
    assert left == pytest.approx(214, abs=25)
    assert right == pytest.approx(1023 - 214, abs=25)


def test_results_are_in_pixels_of_the_image_given(bodies, found, astronaut):
    doubled = np.asarray(Image.fromarray(astronaut).resize((1024, 1024), Image.Resampling.BICUBIC))
    (large,) = bodies.detect([doubled])
    upper = (large.keypoints[0, :7, :2] + 0.5) / 2 - 0.5
    np.testing.assert_allclose(upper, found.keypoints[0, :7, :2], atol=15)


def test_a_second_look_and_a_tensor_give_the_same(bodies, found, astronaut):
    for again in bodies.detect([astronaut, torch.from_numpy(astronaut)]):
        np.testing.assert_array_equal(again.boxes, found.boxes)
        np.testing.assert_array_equal(again.keypoints, found.keypoints)


def test_nobody_is_a_result(bodies):
    (empty,) = bodies.detect([np.full((90, 160, 3), 128, np.uint8)])
    assert len(empty) == 0
    assert bodies.detect([]) == []


def test_mediapipe_says_nothing_on_stderr(bodies, astronaut, capfd):
    bodies.detect([astronaut])
    assert capfd.readouterr().err == ""
