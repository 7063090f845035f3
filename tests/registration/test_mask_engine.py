import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_bodies import body_mask, similarity

from alignimation_index.registration.closed_form import fit_robustly
from alignimation_index.registration.descent import Level, _Fields, _normal_equations, difference_of, loss_of
from alignimation_index.registration.engine import PointPairs, Settings, register_masks
from alignimation_index.registration.masks import gaussians
from alignimation_index.similarity import apply, compose, invert

SIZE = (96, 128)  # width and height
TEMPLATE_FROM_BODY = similarity(100, 0.0, -2, 14)
TEMPLATE = body_mask(TEMPLATE_FROM_BODY, *SIZE)[None]
# Half a pixel of the template, in which a start lies off by several.
CLOSE_PX = 0.5


def photo_of(photo_from_template, size=SIZE, belly=0.0):
    return body_mask(compose(photo_from_template, TEMPLATE_FROM_BODY), *size, belly)[None]


def distance_px(template_from_photo, photo_from_template):
    """The largest over the body's box, in template pixels."""
    box = apply(TEMPLATE_FROM_BODY, [[0.4, 0], [0.7, 0], [0.4, 1], [0.7, 1]])
    return np.linalg.norm(apply(compose(template_from_photo, photo_from_template), box) - box, axis=-1).max()


@settings(max_examples=15, deadline=None)
@given(st.floats(0.8, 1.2), st.floats(-0.3, 0.3), st.floats(-8, 8), st.floats(-8, 8))
def test_a_similarity_is_recovered_from_a_start_nearby(scale, turn, x, y):
    photo_from_template = similarity(scale, turn, 30 + x, 25 + y)
    moving = photo_of(photo_from_template, (170, 200))[None]
    start = compose(similarity(1.04, 0.05, 2, -6), invert(photo_from_template))[None]
    found = register_masks(moving, TEMPLATE, start, settings=Settings(blur_px=1))
    assert distance_px(found.template_from_photo[0], photo_from_template) < CLOSE_PX
    assert found.converged[0]
    assert found.loss_after[0] < found.loss_before[0]


def test_a_similarity_stays_one_whatever_the_shapes():
    photo_from_template = similarity(1.1, 0.25, 60, 5)
    moving = photo_of(photo_from_template, (230, 151))[None]
    start = compose(similarity(1.03, -0.04, 1, 3), invert(photo_from_template))[None]
    matrix = register_masks(moving, TEMPLATE, start).template_from_photo[0]
    assert matrix[0, 0] == pytest.approx(matrix[1, 1], rel=1e-5)
    assert matrix[0, 1] == pytest.approx(-matrix[1, 0], rel=1e-5)
    assert distance_px(matrix, photo_from_template) < CLOSE_PX


def test_a_batch_equals_one_by_one_and_easy_photos_stop_early():
    truth = [similarity(1.0, 0.0, 0, 0), similarity(1.1, 0.2, 5, -3), similarity(0.9, -0.1, 3, 4)]
    moving = np.stack([photo_of(matrix) for matrix in truth])
    start = np.repeat(np.eye(2, 3)[None], 3, 0)
    together = register_masks(moving, TEMPLATE, start)
    for row in range(3):
        alone = register_masks(moving[row : row + 1], TEMPLATE, start[row : row + 1])
        np.testing.assert_allclose(together.template_from_photo[row], alone.template_from_photo[0], atol=2e-3)
    assert together.iterations[0] < together.iterations[1:].min()


def test_a_bounded_difference_leaves_a_belly_out_and_squares_do_not():
    moving = photo_of(np.eye(2, 3), belly=0.05)[None]
    errors = {}
    for bound in (None, 0.2):
        found = register_masks(moving, TEMPLATE, np.eye(2, 3)[None], settings=Settings(blur_px=1.5, bound=bound))
        errors[bound] = distance_px(found.template_from_photo[0], np.eye(2, 3))
    assert errors[0.2] < 0.3
    assert errors[None] > 2 * errors[0.2]


def test_the_loss_never_rises_even_from_far_off():
    random = np.random.default_rng(0)
    start = np.stack(
        [similarity(np.exp(random.normal(0, 0.5)), random.normal(), *random.normal(0, 40, 2)) for _ in range(12)]
    )
    found = register_masks(np.repeat(TEMPLATE[None], 12, 0), TEMPLATE, start)
    assert (found.loss_after <= found.loss_before).all()


def test_points_decide_where_masks_are_empty():
    points = np.array([[10, 10], [60, 20], [30, 90.0]])
    truth = similarity(1.1, 0.2, 3, 4)
    pairs = PointPairs(points[None], apply(truth, points), np.ones((1, 3)))
    empty = np.zeros((1, 1, 128, 96))
    found = register_masks(empty, empty[0], np.eye(2, 3)[None], points=pairs)
    np.testing.assert_allclose(found.template_from_photo[0], truth, atol=1e-2)


def test_masks_with_nothing_in_common_stay_at_the_start():
    empty = np.zeros((1, 1, 32, 32))
    found = register_masks(empty, empty[0], np.eye(2, 3)[None])
    np.testing.assert_allclose(found.template_from_photo[0], np.eye(2, 3), atol=1e-6)
    assert (found.loss_before[0], found.loss_after[0]) == (0, 0)


def test_a_photo_without_a_start_is_nan_and_spares_the_others():
    start = np.stack([np.full((2, 3), np.nan), similarity(1.03, 0.03, 1, 1)])
    found = register_masks(np.repeat(TEMPLATE[None], 2, 0), TEMPLATE, start)
    assert np.isnan(found.template_from_photo[0]).all()
    assert not found.converged[0]
    assert distance_px(found.template_from_photo[1], np.eye(2, 3)) < 0.1
    none = register_masks(np.zeros((0, 1, 8, 8)), TEMPLATE, np.zeros((0, 2, 3)))
    assert none.template_from_photo.shape == (0, 2, 3)


def test_what_lies_beyond_a_photos_edge_is_not_taken_for_background():
    whole = photo_of(np.eye(2, 3))
    known = np.ones_like(whole)
    known[:, 80:] = 0  # the photo ends at the knees
    start = similarity(1.04, 0.04, -2, 2)[None]
    options = {"settings": Settings(blur_px=1.5, bound=0.2)}
    cut = (whole * known)[None]
    aware = register_masks(cut, TEMPLATE, start, known=known[None], **options)
    unaware = register_masks(cut, TEMPLATE, start, **options)
    assert distance_px(aware.template_from_photo[0], np.eye(2, 3)) < CLOSE_PX
    assert aware.loss_after[0] < unaware.loss_after[0] / 5


def test_the_analytic_gradient_is_that_of_autograd_through_the_warp():
    soft = torch.as_tensor(gaussians([[40, 50], [70, 90], [60, 30]], 128, 0.08))[None]
    nothing = torch.zeros(1, 0, 2)
    level = Level(soft, soft.roll((3, -2), (2, 3)), torch.ones(1, 1, 128, 128), None, nothing, nothing, nothing[..., 0])
    begin = torch.as_tensor(similarity(1.03, 0.05, 1, -2), dtype=torch.float32)[None]
    fields = _Fields(level.template)
    step = torch.zeros(1, 4, requires_grad=True)
    loss_of(level, fields.followed_by(begin, step), None).sum().backward()
    difference = difference_of(level, begin)
    _, gradient = _normal_equations(level, begin, difference, fields, None)
    torch.testing.assert_close(2 * gradient, step.grad, rtol=0.03, atol=0.02)


def test_rendered_gaussians_are_registered_as_their_closed_form_says():
    random = np.random.default_rng(5)
    places = np.array([[40, 40], [88, 40], [64, 64], [45, 92], [83, 92.0]])
    photo = apply(similarity(1.02, 0.1, -3, 4), places + random.normal(0, 2.0, (8, 5, 2)))
    sigma = 0.04
    closed = fit_robustly(photo, places, np.ones(5), sigma * 128)
    drawn = register_masks(gaussians(photo, 128, sigma), gaussians(places, 128, sigma), closed)
    moved = np.linalg.norm(apply(drawn.template_from_photo, photo) - apply(closed, photo), axis=-1)
    # The drawing's scale is part of the rendered loss: its Gaussians shrink with the photo, the closed form's do not.
    assert moved.max() < 0.5
    assert (drawn.loss_before - drawn.loss_after < 0.02 * drawn.loss_before + 1e-7).all()


@pytest.mark.parametrize(
    ("moving", "template", "start", "named"),
    [
        (np.zeros((1, 8, 8)), np.zeros((1, 8, 8)), np.zeros((1, 2, 3)), "moving"),
        (np.zeros((1, 2, 8, 8)), np.zeros((1, 8, 8)), np.zeros((1, 2, 3)), "channels"),
        (np.zeros((1, 1, 8, 8)), np.zeros((1, 8, 8)), np.zeros((2, 2, 3)), "start"),
    ],
)
def test_shapes_that_do_not_fit_are_named(moving, template, start, named):
    with pytest.raises(ValueError, match=named):
        register_masks(moving, template, start)
