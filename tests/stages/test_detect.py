import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.datatypes import DecodedPhoto, Detections
from alignimation_index.errors import DecodeError
from alignimation_index.models.faces import MIN_FACE_SHARE
from alignimation_index.stages.close_up import FACE_DETAIL_PX, close_up_side, embed_faces, refine_landmarks
from alignimation_index.stages.detect import detect_faces, smallest_face_px

# An 800x600 photo read at a quarter of its size: decoded pixel 10 covers photo pixels 40 to 43.
QUARTER = DecodedPhoto(np.zeros((150, 200, 3), np.uint8), 800, 600, reduction=4)
DECODED = np.array([[10, 20], [30, 20], [20, 30], [12, 40], [28, 40]], np.float32)
IN_PHOTO = DECODED * 4 + 1.5


class OneFace:
    """A detector, refiner and embedder that sees one face at DECODED and remembers what it was shown."""

    model_id = "fake"
    dimension = 4

    def __init__(self):
        self.shown = []

    def detect(self, images, min_face_px):
        self.shown.append(([image.shape for image in images], min_face_px))
        box = np.array([[5, 10, 35, 50]], np.float32)
        return [Detections(box, np.array([0.9], np.float32), DECODED[None]) for _ in images]

    def refine(self, _images, landmarks):
        self.shown.append(landmarks)
        return [points + np.float32(1) for points in landmarks]

    def embed(self, _images, faces):
        self.shown.append(faces)
        return [np.ones((len(found), 4)) for found in faces]


def faces_of_side(*sides_px):
    boxes = np.array([[0, 0, side, side / 2] for side in sides_px], np.float32).reshape(-1, 4)
    return Detections(boxes, np.ones(len(boxes), np.float32), np.zeros((len(boxes), 5, 2), np.float32))


def test_faces_are_handed_out_in_pixels_of_the_full_photo():
    detector = OneFace()
    (found,) = detect_faces([QUARTER], detector)
    np.testing.assert_allclose(found.landmarks[0], IN_PHOTO)
    np.testing.assert_allclose(found.boxes[0], [21.5, 41.5, 141.5, 201.5])
    assert detector.shown == [([(150, 200, 3)], [pytest.approx(smallest_face_px(800, 600) / 4)])]


def test_a_smaller_face_is_looked_for_on_a_larger_image():
    detector = OneFace()
    photo = DecodedPhoto(np.zeros((2160, 2880, 3), np.uint8), 2880, 2160)
    for share in (MIN_FACE_SHARE, MIN_FACE_SHARE / 2):
        detect_faces([photo], detector, share)
    (((height, _, _),), (face_px,)), (((finer_height, _, _),), (finer_face_px,)) = detector.shown
    assert (height, finer_height) == (720, 2160)
    assert finer_face_px / finer_height == pytest.approx(face_px / height * (1 / 2), rel=0.01)


@pytest.mark.parametrize(
    ("decoded", "shown", "factor"), [((1500, 2000), (750, 1000), 4), ((2161, 2881), (721, 961), 6)]
)
def test_faces_are_looked_for_on_a_smaller_image_and_come_back_in_the_photos_pixels(decoded, shown, factor):
    detector = OneFace()
    height_px, width_px = 2 * decoded[0] - 1, 2 * decoded[1]
    photo = DecodedPhoto(np.zeros((*decoded, 3), np.uint8), width_px, height_px, reduction=2, overhang_px=(0, 1))
    (found,) = detect_faces([photo], detector)
    assert shown[0] >= 18 / MIN_FACE_SHARE
    # A side that the factor does not divide is rounded up.
    np.testing.assert_allclose(found.landmarks[0], DECODED * factor + (factor - 1) / 2 - [0, 1])
    assert detector.shown == [([(*shown, 3)], [pytest.approx(smallest_face_px(width_px, height_px) / factor)])]


def test_each_photo_is_shown_at_its_own_size_with_its_own_smallest_face():
    detector = OneFace()
    large = DecodedPhoto(np.zeros((1440, 1440, 3), np.uint8), 2880, 2880, reduction=2)
    small, large = detect_faces([QUARTER, large], detector)
    shapes, min_face_px = detector.shown[0]
    assert shapes == [(150, 200, 3), (720, 720, 3)]
    assert min_face_px == [pytest.approx(20 / 4), pytest.approx(20 / 0.709**4 / 4)]
    np.testing.assert_allclose(small.landmarks, large.landmarks)


def truncated_to(*part):
    return replace(QUARTER, truncated_to=part)


@pytest.mark.parametrize("part", [(0, 0, 800, 202), (0, 41, 800, 600), (21, 0, 800, 600), (0, 0, 142, 600)])
def test_a_face_on_what_is_there_of_a_truncated_photo_counts(part):
    (found,) = detect_faces([truncated_to(*part)], OneFace())
    np.testing.assert_allclose(found.boxes, [[21.5, 41.5, 141.5, 201.5]])


@pytest.mark.parametrize("part", [(0, 0, 800, 201), (0, 42, 800, 600), (22, 0, 800, 600), (0, 0, 141, 600)])
def test_a_truncated_photo_without_a_whole_face_is_an_error(part):
    whole, error = detect_faces([QUARTER, truncated_to(*part)], OneFace())
    assert len(whole) == 1
    assert isinstance(error, DecodeError)
    assert re.match(r"truncated: \d+ % of the picture is there; no face on what is there", str(error))


@given(st.integers(1, 30_000), st.integers(1, 30_000))
def test_the_smallest_face_is_the_published_size_that_is_nearest_to_the_share(width, height):
    published = 20 / 0.709 ** np.arange(40)
    steps_away = np.abs(np.log(published / (MIN_FACE_SHARE * min(width, height))))
    found = np.log(smallest_face_px(width, height) / (MIN_FACE_SHARE * min(width, height)))
    assert np.isclose(published, smallest_face_px(width, height), rtol=1e-9).any()
    assert abs(found) <= steps_away.min() + 1e-9


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1, 1), 20), ((640, 480), 20), ((950, 2000), 20), ((951, 2000), 20 / 0.709), ((4000, 3000), 20 / 0.709**4)],
)
def test_the_smallest_face_of_common_photos(size, expected):
    assert smallest_face_px(*size) == pytest.approx(expected)


def test_landmarks_are_refined_in_decoded_pixels_and_come_back_in_the_photos():
    refiner = OneFace()
    (refined,) = refine_landmarks([QUARTER], [IN_PHOTO[None]], refiner)
    np.testing.assert_allclose(refiner.shown[0][0][0], DECODED)
    np.testing.assert_allclose(refined[0], IN_PHOTO + 4)


def test_faces_are_embedded_from_decoded_pixels():
    embedder = OneFace()
    faces = Detections(np.array([[21.5, 41.5, 141.5, 201.5]], np.float32), np.ones(1, np.float32), IN_PHOTO[None])
    (vectors,) = embed_faces([QUARTER], [faces], embedder)
    np.testing.assert_allclose(embedder.shown[0][0].landmarks[0], DECODED)
    np.testing.assert_allclose(embedder.shown[0][0].boxes, [[5, 10, 35, 50]])
    assert (vectors.shape, vectors.dtype) == ((1, 4), np.float32)


def test_the_smallest_face_decides_how_large_the_photo_is_read():
    assert close_up_side(faces_of_side(400, 320), 4000, 3000) == 3000 * FACE_DETAIL_PX // 320


def test_a_photo_is_read_at_most_at_its_full_size():
    assert close_up_side(faces_of_side(FACE_DETAIL_PX - 10), 4000, 3000) == 3000
    assert close_up_side(faces_of_side(0), 4000, 3000) == 3000


def test_a_photo_without_a_face_is_not_read_any_larger():
    assert close_up_side(Detections.none(), 4000, 3000) == 1
