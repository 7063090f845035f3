import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from portrait import EYE_DISTANCE_PX, TRUE_LANDMARKS, resized, share_px

from alignimation_index.similarity import apply, compose, invert

MIRRORED = [1, 0, 2, 4, 3]

FGNET = Path(__file__).parents[2] / "../shared/data/fgnet"


@pytest.fixture(scope="module")
def upright_landmarks(astronaut, detector, refiner):
    return landmarks_of(astronaut, detector, refiner)


def landmarks_of(image, detector, refiner):
    (found,) = detector.detect([image], share_px([image]))
    assert len(found) == 1
    return refiner.refine([image], [found.landmarks])[0][0]


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


def test_refined_eyes_lie_on_the_pupils(upright_landmarks):
    assert np.linalg.norm(upright_landmarks[:2] - TRUE_LANDMARKS[:2], axis=1).max() < 0.04 * EYE_DISTANCE_PX


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


def test_faces_of_several_images_are_refined_together_as_they_are_alone(astronaut, refiner):
    half, half_from_image = resized(astronaut, 0.5)
    images = [half, np.zeros((100, 200, 3), np.uint8), astronaut]
    start = np.stack([TRUE_LANDMARKS, TRUE_LANDMARKS + np.array([2, -1.5])]).astype(np.float32)
    landmarks = [apply(half_from_image, start[:1]).astype(np.float32), np.zeros((0, 5, 2), np.float32), start]
    together = refiner.refine(images, landmarks)
    assert [points.shape for points in together] == [(1, 5, 2), (0, 5, 2), (2, 5, 2)]
    assert {points.dtype for points in together} == {np.dtype(np.float32)}
    for points, image, before in zip(together, images, landmarks, strict=True):
        np.testing.assert_allclose(points, refiner.refine([image], [before])[0], atol=1e-3)


def test_no_image_and_no_face_are_results_like_any_other(astronaut, refiner):
    assert refiner.refine([], []) == []
    (refined,) = refiner.refine([astronaut], [np.zeros((0, 5, 2), np.float32)])
    assert refined.shape == (0, 5, 2)


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
    (found,) = detector.detect([image], share_px([image], 0.1))
    if not len(found):
        return None
    nearest = np.linalg.norm(found.landmarks.mean(1) - truth.mean(0), axis=1).argmin()
    detected = found.landmarks[nearest]
    refined = refiner.refine([image], [detected[None]])[0][0]
    return [np.linalg.norm(points - truth, axis=1).mean() / float(row["iod_px"]) for points in (detected, refined)]
