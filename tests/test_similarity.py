import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alignimation_index.similarity import apply, compose, fit_similarity, invert, scale_of

FACE = np.array([[0.2, 0.2], [0.8, 0.2], [0.5, 0.5], [0.3, 0.8], [0.7, 0.8]])


def rotation_scale_shift(angle, scale, shift):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


similarities = st.builds(
    rotation_scale_shift,
    st.floats(-np.pi, np.pi),
    st.floats(0.01, 100),
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
)
noise = arrays(np.float64, (5, 2), elements=st.floats(-0.1, 0.1))
positive_weights = arrays(np.float64, 5, elements=st.floats(0.1, 10))


@given(similarities, positive_weights)
def test_a_fit_recovers_the_similarity_that_made_the_points(truth, weights):
    np.testing.assert_allclose(fit_similarity(FACE, apply(truth, FACE), weights), truth, atol=1e-7)


@given(noise, positive_weights, noise)
def test_no_nearby_similarity_has_a_smaller_weighted_residual(target_noise, weights, step):
    target = FACE + target_noise
    best = fit_similarity(FACE, target, weights)
    a, b = 1e-3 * step[0]
    other = best + np.array([[a, -b, 1e-3 * step[1, 0]], [b, a, 1e-3 * step[1, 1]]])

    def loss(matrix):
        return (weights * ((apply(matrix, FACE) - target) ** 2).sum(-1)).sum()

    assert loss(best) <= loss(other) + 1e-12


@given(noise)
def test_a_fit_never_mirrors(target_noise):
    mirrored = FACE * [-1, 1] + target_noise
    assert np.linalg.det(fit_similarity(FACE, mirrored)[:, :2]) >= 0


@given(similarities, similarities)
def test_composing_equals_applying_one_after_the_other(c_from_b, b_from_a):
    np.testing.assert_allclose(
        apply(compose(c_from_b, b_from_a), FACE), apply(c_from_b, apply(b_from_a, FACE)), rtol=1e-9, atol=1e-6
    )


@given(similarities)
def test_composing_with_the_inverse_is_the_identity(b_from_a):
    np.testing.assert_allclose(compose(invert(b_from_a), b_from_a), np.eye(2, 3), atol=1e-7)


def test_a_weight_of_zero_leaves_a_point_out():
    target = FACE.copy()
    target[2] = [9, 9]
    np.testing.assert_allclose(fit_similarity(FACE, target, [1, 1, 0, 1, 1]), np.eye(2, 3), atol=1e-12)


def test_batches_and_weights_broadcast():
    rng = np.random.default_rng(0)
    sources, weights = rng.normal(size=(4, 3, 5, 2)), rng.uniform(0.1, 1, (3, 5))
    fitted = fit_similarity(sources, FACE, weights)
    assert fitted.shape == (4, 3, 2, 3)
    np.testing.assert_allclose(fitted[2, 1], fit_similarity(sources[2, 1], FACE, weights[1]))
    np.testing.assert_allclose(apply(fitted, sources)[2, 1], apply(fitted[2, 1], sources[2, 1]))


def test_coinciding_points_give_nan_and_spare_the_rest_of_the_batch():
    fitted = fit_similarity(np.stack([np.ones((5, 2)), FACE]), FACE)
    assert np.isnan(fitted[0]).all()
    np.testing.assert_allclose(fitted[1], np.eye(2, 3), atol=1e-12)


@given(similarities)
def test_the_scale_is_the_length_of_a_mapped_unit(b_from_a):
    start, end = apply(b_from_a, [[0, 0], [0.6, 0.8]])
    np.testing.assert_allclose(scale_of(b_from_a), np.linalg.norm(end - start), rtol=1e-6)
