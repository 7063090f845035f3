import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.registration.closed_form import drawn_difference, squared_distances, successive_fits
from alignimation_index.registration.faces import FACE_TEMPLATE, LANDMARK_WEIGHTS, SIGMA, register_faces
from alignimation_index.registration.masks import gaussians
from alignimation_index.similarity import apply, fit_similarity, invert


def similarity(scale, turn, x, y):
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def welsch_loss(distance, s1, s2):
    """The module's closed form: the squared difference of two Gaussians of variances s1 and s2, integrated."""
    overlap = s1 * s2 / (s1 + s2) * np.exp(-(distance**2) / (2 * (s1 + s2)))
    return np.pi * s1 + np.pi * s2 - 4 * np.pi * overlap


def loss_of_face(matrix, landmarks):
    distance = np.linalg.norm(apply(matrix, landmarks) - FACE_TEMPLATE, axis=1)
    return (np.array(LANDMARK_WEIGHTS) * welsch_loss(distance, SIGMA**2, SIGMA**2)).sum()


def scattered_face(seed, deviation=0.4 * SIGMA):
    """A face whose landmarks deviate from the template's, in pixels of some photo."""
    random = np.random.default_rng(seed)
    photo_from_template = similarity(300 * np.exp(random.normal()), random.uniform(-3, 3), 500, 700)
    return apply(photo_from_template, FACE_TEMPLATE + random.normal(0, deviation, (5, 2)))


@given(st.floats(5, 5000), st.floats(-np.pi, np.pi), st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_a_known_similarity_is_recovered(scale, turn, x, y):
    photo_from_template = similarity(scale, turn, x, y)
    found = register_faces(apply(photo_from_template, FACE_TEMPLATE)[None])
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    # float32 holds the shift to 1e-7 of itself: of the distance to the photo's origin, in faces.
    tolerance = 1e-6 * (1 + np.hypot(x, y) / scale)
    back = apply(found.template_from_photo[0], apply(photo_from_template, corners))
    np.testing.assert_allclose(back, corners, atol=tolerance)
    assert found.residual[0] < 1e-6


def test_a_landmark_far_off_disturbs_the_fit_less_than_least_squares():
    photo_from_template = similarity(400, 0.2, 100, 50)
    landmarks = apply(photo_from_template, FACE_TEMPLATE)
    landmarks[4] += 0.15 * 400
    eyes = FACE_TEMPLATE[:2]
    true_eyes = apply(photo_from_template, eyes)
    robust = register_faces(landmarks[None]).template_from_photo[0]
    plain = fit_similarity(landmarks, FACE_TEMPLATE, LANDMARK_WEIGHTS)
    robust_error, plain_error = (np.abs(apply(matrix, true_eyes) - eyes).max() for matrix in (robust, plain))
    assert robust_error < 1e-3
    assert plain_error > 0.01


@pytest.mark.parametrize(("distance", "s1", "s2"), [(0, 1, 1), (1.3, 1, 1), (2, 0.5, 1.7), (9, 1, 2)])
def test_the_closed_form_is_the_squared_difference_of_rendered_gaussians(distance, s1, s2):
    step = 0.05
    x, y = np.meshgrid(np.arange(-12, 22, step), np.arange(-12, 12, step))
    first = np.exp(-(x**2 + y**2) / (2 * s1))
    second = np.exp(-((x - distance) ** 2 + y**2) / (2 * s2))
    rendered = ((first - second) ** 2).sum() * step**2
    assert rendered == pytest.approx(welsch_loss(distance, s1, s2), abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_no_small_change_of_the_transform_lowers_the_loss(seed):
    landmarks = scattered_face(seed, deviation=0.6 * SIGMA)
    photo_from_template = invert(register_faces(landmarks[None]).template_from_photo[0])
    reached = loss_of_face(invert(photo_from_template), landmarks)
    step = 5e-4
    for scale, turn, x, y in step * np.vstack([np.eye(4), -np.eye(4)]):
        nudge = similarity(1 + scale, turn, x, y)
        nudged = photo_from_template[:, :2] @ nudge + np.column_stack([np.zeros((2, 2)), photo_from_template[:, 2]])
        assert loss_of_face(invert(nudged), landmarks) > reached


def test_the_reweighting_lowers_the_loss_of_least_squares():
    for seed in range(5):
        landmarks = scattered_face(seed, deviation=SIGMA)
        robust = register_faces(landmarks[None]).template_from_photo[0]
        assert loss_of_face(robust, landmarks) < loss_of_face(
            fit_similarity(landmarks, FACE_TEMPLATE, LANDMARK_WEIGHTS), landmarks
        )


def test_the_residual_is_the_weighted_distance_to_the_template():
    landmarks = scattered_face(7)
    found = register_faces(landmarks[None])
    squared = ((apply(found.template_from_photo[0], landmarks) - FACE_TEMPLATE) ** 2).sum(1)
    assert found.residual[0] == pytest.approx(np.sqrt(np.average(squared, weights=LANDMARK_WEIGHTS)), rel=1e-4)


def test_a_batch_equals_one_by_one():
    faces = np.stack([scattered_face(seed) for seed in range(20)])
    together = register_faces(faces)
    for row, face in enumerate(faces):
        alone = register_faces(face[None])
        np.testing.assert_allclose(together.template_from_photo[row], alone.template_from_photo[0], rtol=1e-6)
        assert together.residual[row] == pytest.approx(alone.residual[0], rel=1e-6)


def test_coincident_landmarks_give_nan_and_leave_the_others_alone():
    faces = np.stack([np.full((5, 2), 40.0), scattered_face(3)])
    found = register_faces(faces)
    assert np.isnan(found.template_from_photo[0]).all()
    assert np.isnan(found.residual[0])
    np.testing.assert_array_equal(found.template_from_photo[1], register_faces(faces[1:]).template_from_photo[0])


def test_no_face_is_a_result_like_any_other():
    found = register_faces(np.zeros((0, 5, 2)))
    assert (found.template_from_photo.shape, found.residual.shape) == ((0, 2, 3), (0,))


def test_ten_thousand_faces_are_registered_at_once_as_similarities():
    random = np.random.default_rng(0)
    faces = 300 * (FACE_TEMPLATE + random.normal(0, SIGMA, (10_000, 5, 2)))
    found = register_faces(faces)
    (a, b), (c, d) = found.template_from_photo[:, :, :2].transpose(1, 2, 0)
    np.testing.assert_allclose(a, d, rtol=1e-5)
    np.testing.assert_allclose(b, -c, atol=1e-8)
    assert found.residual.max() < 0.1


def test_the_fits_of_a_registration_can_be_followed_and_lower_its_loss():
    random = np.random.default_rng(5)
    landmarks = 200 + 300 * FACE_TEMPLATE + random.normal(0, 4, (7, 5, 2))
    landmarks[:, 4] += 25  # a corner of the mouth that does not fit

    fits = list(successive_fits(landmarks, FACE_TEMPLATE, LANDMARK_WEIGHTS, SIGMA))

    losses = [
        drawn_difference(squared_distances(fit, landmarks, FACE_TEMPLATE), LANDMARK_WEIGHTS, SIGMA) for fit in fits
    ]
    assert np.allclose(fits[-1], register_faces(landmarks).template_from_photo, atol=1e-5)
    assert (np.diff(losses, axis=0) <= 1e-9).all() and (losses[-1] < losses[0]).all()


def test_a_loss_is_a_share_of_that_of_drawings_that_do_not_overlap():
    side, sigma = 400, 0.02
    places = np.array([[0.3, 0.4], [0.6, 0.55]])
    moved = places + np.array([[0.02, 0.0], [0.0, 0.05]])
    drawn = [gaussians(points * side, side, sigma) for points in (places, moved)]
    rendered = ((drawn[0] - drawn[1]) ** 2).sum() / (drawn[0] ** 2 + drawn[1] ** 2).sum()

    assert drawn_difference(((moved - places) ** 2).sum(-1), [1, 1], sigma) == pytest.approx(rendered, rel=1e-4)
