import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from alignimation_index.datatypes import Detections
from alignimation_index.models.mtcnn import MtcnnDetector, OnetRefiner
from alignimation_index.similarity import apply, compose, invert

# Marked by hand on the enlarged picture: pupils, tip of the nose, mouth corners.
TRUE_LANDMARKS = np.array([[202.8, 100.3], [246.8, 102.6], [223.6, 125.8], [203.9, 139.8], [243.4, 141.0]])
EYE_DISTANCE_PX = 44.1
MIRRORED = [1, 0, 2, 4, 3]

FGNET = Path(__file__).parents[2] / "../shared/data/fgnet"


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector()


@pytest.fixture(scope="module")
def refiner():
    return OnetRefiner()


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def upright_landmarks(astronaut, detector, refiner):
    return landmarks_of(astronaut, detector, refiner)


def landmarks_of(image, detector, refiner):
    (found,) = detector.detect([image], 0.025)
    assert len(found) == 1
    return refiner.refine([image], [found.landmarks])[0][0]


def resized(image, scale):
    """The picture at another size, and `resized_from_image`."""
    side = round(image.shape[0] * scale)
    exact = side / image.shape[0]
    shrunk = np.array(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))
    return shrunk, np.array([[exact, 0, (exact - 1) / 2], [0, exact, (exact - 1) / 2]])


def turned(image, degrees, shift):
    """The picture turned about the face and shifted, and `turned_from_image`."""
    angle = np.deg2rad(degrees)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = TRUE_LANDMARKS.mean(0)
    matrix = np.column_stack([linear, middle - linear @ middle + shift])
    # Pillow maps corners of pixels, and from the result to the picture.
    corner = np.array([[1, 0, -0.5], [0, 1, -0.5]])
    back = compose(compose(invert(corner), invert(matrix)), corner).ravel()
    affine = Image.Transform.AFFINE
    warped = Image.fromarray(image).transform(image.shape[1::-1], affine, tuple(back), Image.Resampling.BICUBIC)
    return np.array(warped), matrix


def assert_no_face(found: Detections):
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


def test_a_portrait_has_one_face_with_its_landmarks_in_place(astronaut, detector):
    (found,) = detector.detect([astronaut], 0.025)
    assert len(found) == 1
    assert found.scores[0] > 0.99
    assert np.abs(found.landmarks[0] - TRUE_LANDMARKS).max() < 3
    left, top, right, bottom = found.boxes[0]
    assert (found.landmarks[0] > [left, top]).all()
    assert (found.landmarks[0] < [right, bottom]).all()
    assert {array.dtype for array in (found.boxes, found.scores, found.landmarks)} == {np.dtype(np.float32)}


def test_refined_eyes_lie_on_the_pupils(upright_landmarks):
    assert np.linalg.norm(upright_landmarks[:2] - TRUE_LANDMARKS[:2], axis=1).max() < 0.04 * EYE_DISTANCE_PX


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.7, 3])
def test_a_face_is_found_at_any_size(astronaut, detector, scale):
    image, resized_from_image = resized(astronaut, scale)
    (found,) = detector.detect([image], 0.025)
    assert len(found) == 1
    in_place = apply(resized_from_image, TRUE_LANDMARKS)
    assert np.abs(found.landmarks[0] - in_place).max() < 0.1 * EYE_DISTANCE_PX * scale


def test_a_face_of_three_percent_of_a_large_photo_is_found(astronaut, detector):
    small, small_from_image = resized(astronaut, 90 / 112)  # the face's box is 112 pixels high
    photo = np.full((3000, 4000, 3), 120, np.uint8)
    photo[1500 : 1500 + len(small), 2200 : 2200 + len(small)] = small
    (found,) = detector.detect([photo], 0.025)
    in_place = apply(small_from_image, TRUE_LANDMARKS) + np.array([2200, 1500])
    assert len(found) == 1
    assert np.abs(found.landmarks[0] - in_place).max() < 4


def test_a_face_below_the_smallest_share_is_not_looked_for(astronaut, detector):
    assert len(detector.detect([astronaut], 0.1)[0]) == 1
    assert_no_face(detector.detect([astronaut], 0.5)[0])


@pytest.mark.parametrize("name", ["brick", "grass", "gravel"])
def test_textures_have_no_face(detector, name):
    texture = np.repeat(getattr(data, name)()[:, :, None], 3, axis=2)
    assert_no_face(detector.detect([texture], 0.025)[0])


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (8, 400), (300, 400)])
def test_blank_and_tiny_images_have_no_face(detector, shape):
    assert_no_face(detector.detect([np.full((*shape, 3), 255, np.uint8)], 0.025)[0])


def test_each_image_has_its_own_result_whatever_stands_beside_it(astronaut, detector, refiner):
    half, _ = resized(astronaut, 0.5)
    blank = np.zeros((100, 200, 3), np.uint8)
    together = detector.detect([half, blank, astronaut], 0.025)
    alone = [detector.detect([image], 0.025)[0] for image in (half, blank, astronaut)]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.landmarks, other.landmarks)
    refined = refiner.refine([half, blank, astronaut], [found.landmarks for found in together])
    assert [points.shape for points in refined] == [(1, 5, 2), (0, 5, 2), (1, 5, 2)]


def test_no_image_and_no_face_are_results_like_any_other(astronaut, detector, refiner):
    assert detector.detect([], 0.025) == []
    assert refiner.refine([], []) == []
    (refined,) = refiner.refine([astronaut], [np.zeros((0, 5, 2), np.float32)])
    assert refined.shape == (0, 5, 2)


@pytest.mark.parametrize(("degrees", "shift"), [(-20, (0, 0)), (-8, (3.3, 40.6)), (7, (-20.5, 9.1)), (20, (30, 11.7))])
def test_refined_landmarks_turn_and_shift_with_the_picture(
    astronaut, detector, refiner, upright_landmarks, degrees, shift
):
    image, turned_from_image = turned(astronaut, degrees, shift)
    expected = apply(turned_from_image, upright_landmarks)
    found = landmarks_of(image, detector, refiner)
    assert np.linalg.norm(found - expected, axis=1).max() < 0.015 * EYE_DISTANCE_PX


@pytest.mark.parametrize("scale", [0.4, 0.6, 1.5, 2])
def test_refined_landmarks_grow_with_the_picture(astronaut, detector, refiner, upright_landmarks, scale):
    image, resized_from_image = resized(astronaut, scale)
    expected = apply(resized_from_image, upright_landmarks)
    found = landmarks_of(image, detector, refiner)
    assert np.linalg.norm(found - expected, axis=1).max() < 0.015 * EYE_DISTANCE_PX * scale


def test_a_mirrored_picture_has_mirrored_landmarks(astronaut, detector, refiner, upright_landmarks):
    width = astronaut.shape[1]
    expected = upright_landmarks[MIRRORED] * [-1, 1] + [width - 1, 0]
    found = landmarks_of(np.ascontiguousarray(astronaut[:, ::-1]), detector, refiner)
    assert np.linalg.norm(found - expected, axis=1).max() < 0.015 * EYE_DISTANCE_PX


def test_refining_forgets_where_the_detector_put_the_landmarks(astronaut, refiner):
    start = np.stack([TRUE_LANDMARKS, TRUE_LANDMARKS + np.array([2, -1.5])]).astype(np.float32)
    (refined,) = refiner.refine([astronaut], [start])
    assert np.linalg.norm(refined[0] - refined[1], axis=1).max() < 0.4 * np.hypot(2, 1.5)


@pytest.mark.skipif(not FGNET.is_dir(), reason="needs the FG-NET sample in ../shared/data/fgnet")
def test_on_annotated_photos_refined_landmarks_lie_nearer_than_the_detectors_own(detector, refiner):
    with (FGNET / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    errors = [annotated_errors(row, detector, refiner) for row in rows[:: len(rows) // 40][:40]]
    seen = [pair for pair in errors if pair is not None]
    assert len(seen) >= 38
    detected, refined = np.mean(seen, axis=0)
    assert refined < 0.044
    assert refined < detected


def annotated_errors(row, detector, refiner):
    """Mean distances of the detected and the refined landmarks to the annotated ones, in eye distances."""
    names = ("eye_imgleft", "eye_imgright", "nose", "mouth_imgleft", "mouth_imgright")
    truth = np.array([[float(row[f"{name}_{axis}"]) for axis in "xy"] for name in names])
    with Image.open(FGNET / row["path"]) as picture:
        image = np.array(picture.convert("RGB"))
    (found,) = detector.detect([image], 0.1)
    if not len(found):
        return None
    nearest = np.linalg.norm(found.landmarks.mean(1) - truth.mean(0), axis=1).argmin()
    detected = found.landmarks[nearest]
    refined = refiner.refine([image], [detected[None]])[0][0]
    return [np.linalg.norm(points - truth, axis=1).mean() / float(row["iod_px"]) for points in (detected, refined)]
