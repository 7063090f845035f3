from importlib.resources import files

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from alignimation_index.datatypes import Detections
from alignimation_index.errors import UserError
from alignimation_index.models.chips import cut_chips
from alignimation_index.models.dlib_file import read_metric_network
from alignimation_index.models.dlib_resnet import DlibResnetEmbedder, chip_from_image
from alignimation_index.similarity import apply, compose, fit_similarity, invert, scale_of

dlib = pytest.importorskip("dlib", reason="dlib-bin, the reference, is not installed")

MODELS = files("face_recognition_models") / "models"
NETWORK = MODELS / "dlib_face_recognition_resnet_model_v1.dat"


@pytest.fixture(scope="module")
def embedder():
    return DlibResnetEmbedder()


@pytest.fixture(scope="module")
def reference():
    return dlib.face_recognition_model_v1(str(NETWORK))


@pytest.fixture(scope="module")
def shape():
    """dlib's 68 points of the astronaut's face."""
    predictor = dlib.shape_predictor(str(MODELS / "shape_predictor_68_face_landmarks.dat"))
    return predictor(astronaut(), dlib.get_frontal_face_detector()(astronaut())[0])


@pytest.fixture(scope="module")
def face(shape):
    """The same face by our five landmarks."""
    points = np.array([[point.x, point.y] for point in shape.parts()], np.float32)
    eyes = [points[36:42].mean(0), points[42:48].mean(0)]
    landmarks = np.stack([*eyes, points[30], points[48], points[54]])[None]
    return Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32), landmarks)


def test_vectors_equal_dlibs_on_real_and_on_random_chips(embedder, reference, shape):
    rng = np.random.default_rng(0)
    chip = dlib.get_face_chip(astronaut(), shape, size=150, padding=0.25)
    chips = np.stack([chip, chip[:, ::-1], 255 - chip, rng.integers(0, 256, chip.shape, dtype=np.uint8)])
    expected = [reference.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips]
    found = embedder.embed_chips(torch.from_numpy(chips).permute(0, 3, 1, 2))
    np.testing.assert_allclose(found, np.array(expected), atol=1e-4)


def dlib_chip_from_image(details):
    """dlib's chip as a matrix: its rectangle, turned about its centre, has its corners at the corner pixels."""
    rect = details.rect
    corners = np.array([[rect.left(), rect.top()], [rect.right(), rect.top()], [rect.right(), rect.bottom()]])
    cos, sin = np.cos(details.angle), np.sin(details.angle)
    centre = (corners[0] + corners[2]) / 2
    turned = (corners - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre
    return fit_similarity(turned, [[0, 0], [149, 0], [149, 149]])


def test_a_chip_cut_where_dlib_cuts_has_dlibs_pixels(shape):
    details = dlib.get_face_chip_details(shape, 150, 0.25)
    theirs = dlib.extract_image_chip(astronaut(), details)
    ours = cut_chips([astronaut()], [dlib_chip_from_image(details)[None]], 150)[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).mean() < 0.6  # dlib cuts its grey levels off, half a level on average


def test_five_landmarks_place_the_chip_within_two_pixels_and_four_percent_of_dlibs(face, shape):
    ours = chip_from_image(face.landmarks)[0]
    theirs = dlib_chip_from_image(dlib.get_face_chip_details(shape, 150, 0.25))
    np.testing.assert_allclose(apply(compose(ours, invert(theirs)), [[74.5, 74.5]]), [[74.5, 74.5]], atol=2)
    np.testing.assert_allclose(scale_of(ours), scale_of(theirs), rtol=0.04)


def test_an_embedded_face_is_near_to_dlibs_own_vector_of_it(embedder, reference, face, shape):
    (vector,) = embedder.embed([astronaut()], [face])
    assert np.linalg.norm(vector[0] - reference.compute_face_descriptor(astronaut(), shape)) < 0.25


def test_a_larger_copy_of_a_photo_gives_nearly_the_same_vector(embedder, face):
    large = np.kron(astronaut(), np.ones((4, 4, 1), np.uint8))
    landmarks = 4 * (face.landmarks + 0.5) - 0.5
    assert scale_of(chip_from_image(landmarks))[0] < 0.5
    (small_vector,), (large_vector,) = (
        embedder.embed([astronaut()], [face])[0],
        embedder.embed([large], [Detections(face.boxes, face.scores, landmarks)])[0],
    )
    assert np.linalg.norm(small_vector - large_vector) < 0.15


def test_every_image_gets_its_own_vectors(embedder, face):
    one, none, same = embedder.embed([astronaut()] * 3, [face, Detections.none(), face])
    assert one.shape == (1, 128)
    assert one.dtype == np.float32
    assert none.shape == (0, 128)
    np.testing.assert_allclose(one, same, atol=1e-5)


def test_photos_without_faces_have_no_vectors(embedder):
    found = embedder.embed([astronaut()] * 2, [Detections.none()] * 2)
    assert [vectors.shape for vectors in found] == [(0, 128), (0, 128)]
    assert embedder.embed_chips(torch.zeros(0, 3, 150, 150)).shape == (0, 128)
    assert embedder.embed([], []) == []


def test_faces_of_several_photos_are_embedded_together_as_they_are_alone(embedder, face):
    shifted = Detections(face.boxes, face.scores, face.landmarks + np.float32(20))
    both = Detections(
        np.repeat(face.boxes, 2, 0), np.repeat(face.scores, 2), np.concatenate([face.landmarks, shifted.landmarks])
    )
    images, faces = [astronaut(), astronaut()[::2, ::2].copy(), astronaut()], [shifted, Detections.none(), both]
    together = embedder.embed(images, faces)
    assert [vectors.shape for vectors in together] == [(1, 128), (0, 128), (2, 128)]
    np.testing.assert_allclose(together[2][1], together[0][0], atol=1e-4)
    np.testing.assert_allclose(together[2][:1], embedder.embed([astronaut()], [face])[0], atol=1e-4)


def test_a_vector_does_not_depend_on_its_batch(embedder):
    chips = torch.randint(0, 256, (19, 3, 150, 150), dtype=torch.uint8)
    np.testing.assert_allclose(embedder.embed_chips(chips)[17:18], embedder.embed_chips(chips[17:18]), atol=1e-5)


@pytest.mark.parametrize("damage", [lambda d: d[:100_000], lambda _: b"", lambda d: d[:4] + b"x" + d[5:]])
def test_a_damaged_network_file_is_a_user_error(tmp_path, damage):
    path = tmp_path / "net.dat"
    path.write_bytes(damage(NETWORK.read_bytes()))
    with pytest.raises(UserError, match=r"net\.dat: not a dlib face network"):
        read_metric_network(path)


def test_a_missing_network_file_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="reinstall"):
        read_metric_network(tmp_path / "net.dat")
