import numpy as np
import pytest
from annotated_bodies import FOLDER, body_pixels, draw, photographed, read_bodies
from made_bodies import photographed_bodies, similarity

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.errors import UserError
from alignimation_index.registration.bodies import Bodies, register_bodies, template_from_reference
from alignimation_index.registration.keypoints import SIDES, choose_side
from alignimation_index.registration.masks import frame_masks
from alignimation_index.registration.medoid import choose_reference
from alignimation_index.similarity import apply, compose, invert, scale_of

LEFT = SIDES["left"]
PHOTO = similarity(220, 0.0, 10, 20)  # photo_from_body of the reference
BODY = np.array([[0.4, 0], [0.6, 0], [0.4, 1], [0.6, 1]])


def reference():
    return photographed_bodies([PHOTO], [(240, 260)])


def errors_of(found, matrices):
    """Largest distance over the body, in body heights, between a photo's place in the template and the reference's."""
    place = apply(compose(template_from_reference(reference()), PHOTO), BODY)
    there = apply(compose(found.template_from_photo, np.array(matrices)), BODY)
    return np.linalg.norm(there - place, axis=-1).max(-1) / scale_of(template_from_reference(reference())) / 220


def photos():
    return [similarity(150, 0.2, 80, 10), similarity(300, -0.25, 10, 120), similarity(220, 0.1, 30, 15)]


SIZES = [(320, 200), (280, 480), (260, 280)]


def test_bodies_come_to_rest_on_the_reference_whatever_the_photos_size():
    found = register_bodies(photographed_bodies(photos(), SIZES), reference(), LEFT)
    assert errors_of(found, photos()).max() < 0.005
    assert found.converged.all()
    assert found.residual.max() < 0.005


def test_keypoints_that_are_off_are_mended_by_the_masks():
    bodies = photographed_bodies(photos(), SIZES, [0.0, 0.03, 0.05])
    random = np.random.default_rng(1)
    heights = np.array([150, 300, 220])[:, None, None]
    noisy = Bodies(bodies.masks, bodies.keypoints + random.normal(0, 0.02, (3, 17, 2)) * heights, bodies.seen)
    found = register_bodies(noisy, reference(), LEFT)
    assert errors_of(found, photos()).max() < 0.015
    assert (found.loss_after < found.loss_before).all()


def test_surer_keypoints_count_more():
    bodies = photographed_bodies(photos()[:1], SIZES[:1])
    shifted = Bodies(bodies.masks, bodies.keypoints + 6, bodies.seen)
    errors = [
        errors_of(register_bodies(shifted, reference(), LEFT, deviation=d), photos()[:1])[0] for d in (0.1, 0.003)
    ]
    assert errors[0] < 0.01 < errors[1]


def test_a_missing_keypoint_is_left_out_and_two_must_remain():
    bodies = photographed_bodies(photos(), SIZES)
    bodies.seen[0, KEYPOINT_NAMES.index("left_ear")] = 0
    bodies.keypoints[0, KEYPOINT_NAMES.index("left_ear")] = np.nan
    bodies.seen[1, [KEYPOINT_NAMES.index(name) for name in LEFT[:2]]] = 0
    found = register_bodies(bodies, reference(), LEFT)
    assert errors_of(found, photos())[[0, 2]].max() < 0.005
    assert np.isnan(found.template_from_photo[1]).all()
    assert not found.converged[1]


def test_an_empty_mask_is_no_registration():
    bodies = photographed_bodies(photos(), SIZES)
    empty = frame_masks([np.zeros((30, 40))])
    assert np.isnan(
        register_bodies(Bodies(empty, bodies.keypoints[:1], bodies.seen[:1]), reference(), LEFT).residual[0]
    )
    none = register_bodies(bodies.at(np.zeros(0, int)), reference(), LEFT)
    assert none.template_from_photo.shape == (0, 2, 3)


def test_a_reference_without_the_keypoints_is_an_error():
    with pytest.raises(UserError, match=r"right_ear.*choose another"):
        register_bodies(reference(), reference(), SIDES["right"])


def test_the_medoid_is_the_body_most_like_the_others():
    bellies = [0.0, 0.02, 0.04, 0.06, 0.12]
    bodies = photographed_bodies([PHOTO] * 5, [(240, 260)] * 5, bellies)
    assert choose_reference(bodies, LEFT) in (1, 2, 3)
    bodies.seen[:] = 0
    with pytest.raises(UserError, match="no body shows two"):
        choose_reference(bodies, LEFT)


def test_one_body_is_its_own_medoid():
    assert choose_reference(reference(), LEFT) == 0


@pytest.mark.skipif(not FOLDER.exists(), reason="the annotated bodies are not here")
def test_annotated_bodies_are_recovered_beside_a_belly():
    random, errors = np.random.default_rng(0), []
    for body in read_bodies()[::3]:
        size = tuple(np.ceil(np.concatenate(body.polygons).max(0)).astype(int) + 40)
        still = Bodies(frame_masks([draw(body.polygons, size)]), body.keypoints[None], body.seen[None])
        masks, keypoints, matrices = zip(*(photographed(random, body) for _ in range(4)), strict=True)
        bodies = Bodies(frame_masks(masks), np.array(keypoints), np.repeat(body.seen[None], 4, 0))
        found = register_bodies(bodies, still, choose_side(body.seen[None])).template_from_photo
        back = compose(compose(invert(template_from_reference(still)), found), np.array(matrices))
        off = np.linalg.norm(apply(back, body_pixels(body)) - body_pixels(body), axis=-1)
        errors.append(np.sqrt((off**2).mean(-1)) / body.height)
    assert np.median(errors) <= 0.003
    assert np.percentile(errors, 95) <= 0.01
