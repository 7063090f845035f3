import copy

import numpy as np
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from portrait import EYE_DISTANCE_PX, TRUE_LANDMARKS, resized, share_px
from skimage import data

from alignimation_index.datatypes import Detections
from alignimation_index.models import mtcnn
from alignimation_index.models.mtcnn import MtcnnDetector, OneHeaded
from alignimation_index.models.network import Standardised, _InTorch
from alignimation_index.similarity import apply


def find(detector, image, share=0.025):
    (found,) = detector.detect([image], share_px([image], share))
    return found


def assert_same(found, expected):
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=1e-3)


def assert_no_face(found: Detections):
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


def test_a_portrait_has_one_face_with_its_landmarks_in_place(astronaut, detector):
    found = find(detector, astronaut)
    assert len(found) == 1
    assert found.scores[0] > 0.99
    assert np.abs(found.landmarks[0] - TRUE_LANDMARKS).max() < 3.5
    left, top, right, bottom = found.boxes[0]
    assert (found.landmarks[0] > [left, top]).all()
    assert (found.landmarks[0] < [right, bottom]).all()
    assert {array.dtype for array in (found.boxes, found.scores, found.landmarks)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.7, 3])
def test_a_face_is_found_at_any_size(astronaut, detector, scale):
    image, resized_from_image = resized(astronaut, scale)
    found = find(detector, image)
    assert len(found) == 1
    in_place = apply(resized_from_image, TRUE_LANDMARKS)
    assert np.abs(found.landmarks[0] - in_place).max() < 0.1 * EYE_DISTANCE_PX * scale


def test_a_face_of_three_percent_of_a_large_photo_is_found(astronaut, detector):
    small, small_from_image = resized(astronaut, 90 / 112)  # the face's box is 112 pixels high
    photo = np.full((3000, 4000, 3), 120, np.uint8)
    photo[1500 : 1500 + len(small), 2200 : 2200 + len(small)] = small
    found = find(detector, photo)
    in_place = apply(small_from_image, TRUE_LANDMARKS) + np.array([2200, 1500])
    assert len(found) == 1
    assert np.abs(found.landmarks[0] - in_place).max() < 4


def test_every_face_of_a_group_is_found_once_and_the_surest_comes_first(astronaut, detector):
    group = np.full((600, 1100, 3), 90, np.uint8)
    group[:512, :512] = astronaut
    for left, scale in ((520, 0.6), (850, 0.4)):
        small, _ = resized(astronaut, scale)
        group[100 : 100 + len(small), left : left + len(small)] = small
    found = find(detector, group)
    noses = sorted(found.landmarks[:, 2, 0])
    np.testing.assert_allclose(noses, [223.6, 520 + 0.6 * 223.6, 850 + 0.4 * 223.6], atol=4)
    assert (np.diff(found.scores) <= 0).all()


def test_a_face_below_the_smallest_size_is_not_looked_for(astronaut, detector):
    assert len(find(detector, astronaut, 0.1)) == 1
    assert_no_face(find(detector, astronaut, 0.5))


@pytest.mark.parametrize("name", ["brick", "grass", "gravel"])
def test_textures_have_no_face(detector, name):
    texture = np.repeat(getattr(data, name)()[:, :, None], 3, axis=2)
    assert_no_face(find(detector, texture))


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (8, 400), (12, 12), (13, 500), (300, 400)])
@pytest.mark.parametrize("min_face_px", [0.2, 12, 20, 301, 5000])
def test_blank_images_and_those_smaller_than_the_smallest_face_have_no_face(detector, shape, min_face_px):
    assert_no_face(detector.detect([np.full((*shape, 3), 255, np.uint8)], [min_face_px])[0])


def test_each_image_has_its_own_result_whatever_stands_beside_it(astronaut, detector):
    half, _ = resized(astronaut, 0.5)
    images = [half, np.zeros((100, 200, 3), np.uint8), astronaut]
    together = detector.detect(images, share_px(images))
    assert [len(found) for found in together] == [1, 0, 1]
    for found, image in zip(together, images, strict=True):
        assert_same(found, find(detector, image))


def test_images_of_one_shape_that_go_together_keep_their_own_faces(astronaut, detector):
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    moved = np.roll(astronaut, (60, 90), (0, 1))
    images = [mirrored, np.zeros_like(astronaut), astronaut, moved]
    together = detector.detect(images, share_px(images))
    assert [len(found) for found in together] == [1, 0, 1, 1]
    for found, image in zip(together, images, strict=True):
        assert_same(found, find(detector, image))


def test_each_image_has_its_own_smallest_face(astronaut, detector):
    found = detector.detect([astronaut] * 3, [256, 51, 256])
    assert [len(faces) for faces in found] == [0, 1, 0]


def test_one_head_says_what_the_two_of_the_published_network_say():
    published = PNet().eval()
    pixels = torch.rand(2, 3, 40, 31) * 2 - 1
    with torch.inference_mode():
        offsets, probabilities = published(pixels)
        cells = OneHeaded(published)(pixels)
    torch.testing.assert_close(cells[:, :4], offsets, atol=1e-5, rtol=0)
    torch.testing.assert_close(cells[:, 4].sigmoid(), probabilities[:, 1], atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def counted(detector):
    """A detector that counts what O-Net reads."""
    counted = copy.copy(detector)
    counted.read = 0

    def onet(chips):
        counted.read += len(chips)
        return detector._onet(chips)

    counted._onet = onet
    return counted


def test_of_candidates_about_one_face_only_the_likeliest_is_placed(astronaut, detector, counted, monkeypatch):
    found = find(counted, astronaut)
    assert_same(found, find(detector, astronaut))
    few, counted.read = counted.read, 0
    monkeypatch.setattr(mtcnn, "SAME_IOU", 1.0)
    everything = find(counted, astronaut)
    assert few < counted.read / 2
    assert len(everything) == 1
    assert np.abs(everything.landmarks - found.landmarks).max() < 3


@pytest.fixture(scope="module")
def torch_detector():
    """As on a GPU, and where there is no OpenVINO."""
    detector = MtcnnDetector()
    for name, module, side_px in (("_pnet", OneHeaded(PNet()), None), ("_rnet", RNet(), 24), ("_onet", ONet(), 48)):
        setattr(detector, name, _InTorch(Standardised(module, mean=127.5, scale=128).eval(), "cpu", side_px))
    return detector


def test_torch_finds_the_faces_that_openvino_finds(astronaut, detector, torch_detector):
    assert_same(find(torch_detector, astronaut), find(detector, astronaut))


@pytest.mark.parametrize("shape", [(1, 1), (8, 400), (19, 19), (31, 40)])
def test_torch_finds_no_face_in_tiny_images(torch_detector, shape):
    assert_no_face(torch_detector.detect([np.full((*shape, 3), 255, np.uint8)], [20])[0])


def test_no_image_is_an_input_like_any_other(detector):
    assert detector.detect([], []) == []
