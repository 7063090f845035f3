import numpy as np
import pytest
from made_bodies import body_mask, similarity

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.errors import UserError
from alignimation_index.registration.keypoints import SIDES, choose_side, columns_of, parse_names
from alignimation_index.registration.masks import BODY_SHARE, frame_masks, gaussians, semantic_masks
from alignimation_index.similarity import apply


def test_a_framed_body_takes_its_share_of_the_square_and_its_matrix_says_where_it_was():
    mask = np.zeros((300, 500), bool)
    mask[50:250, 90:130] = True
    framed = frame_masks([mask])
    corners = apply(framed.frame_from_photo[0], [[89.5, 49.5], [129.5, 249.5]])
    assert np.ptp(corners, axis=0) == pytest.approx(np.array([40, 200]) / 200 * BODY_SHARE * 128, rel=0.02)
    y, x = np.nonzero(framed.pixels[0, 0] > 0.5)
    assert [x.min() - 0.5, y.min() - 0.5] == pytest.approx(corners[0], abs=1)
    assert [x.max() + 0.5, y.max() + 0.5] == pytest.approx(corners[1], abs=1)
    assert framed.pixels.sum() == pytest.approx(mask.sum() * np.linalg.det(framed.frame_from_photo[0, :, :2]), rel=0.01)


def test_what_is_beyond_the_photos_edge_is_unknown():
    mask = np.zeros((100, 100), bool)
    mask[0:60, 40:60] = True
    known = frame_masks([mask]).known[0, 0]
    assert not known[0].any()
    assert known[-1].any()
    assert known[64, 64] == 1


def test_masks_of_different_sizes_are_framed_together_and_empty_ones_have_no_place():
    framed = frame_masks([body_mask(similarity(90, 0, 5, 5), 110, 100), np.zeros((7, 9))], side_px=64)
    assert framed.pixels.shape == framed.known.shape == (2, 1, 64, 64)
    assert np.isfinite(framed.frame_from_photo[0]).all()
    assert np.isnan(framed.frame_from_photo[1]).all()
    assert frame_masks([]).pixels.shape == (0, 1, 128, 128)


def test_a_semantic_mask_is_the_person_within_a_gaussian_around_each_keypoint():
    person = np.zeros((1, 1, 100, 100), np.float32)
    person[..., :50] = 1
    masks = semantic_masks(person, [[[49, 30], [80, 30], [np.nan, np.nan]]])
    assert masks.shape == (1, 3, 100, 100)
    assert masks[0, 0, 30, 49] == 1
    assert masks[0, 0, 30, 45] == pytest.approx(np.exp(-0.5))  # one sigma: 0.04 of the side
    assert masks[0, 0, 30, 51] == 0
    assert masks[0, 1].max() < 1e-3
    assert not masks[0, 2].any()


def test_gaussians_take_any_leading_shape():
    assert gaussians(np.zeros((2, 3, 4, 2)), 16).shape == (2, 3, 4, 16, 16)


def test_names_are_read_and_wrong_ones_named():
    assert parse_names("left_ear, left_hip") == ("left_ear", "left_hip")
    for text, said in (("left_ear,belly", "belly"), ("left_ear", "2 different"), ("nose,nose", "2 different")):
        with pytest.raises(UserError, match=said):
            parse_names(text)


def test_the_side_that_most_photos_show_is_chosen():
    seen = np.zeros((3, 17), bool)
    assert choose_side(seen) == SIDES["left"]
    seen[:2, columns_of(SIDES["right"][:2])] = True
    seen[2, columns_of(SIDES["left"])] = True
    assert choose_side(seen) == SIDES["right"]
    assert [KEYPOINT_NAMES[column] for column in columns_of(SIDES["right"])] == list(SIDES["right"])
