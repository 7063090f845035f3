"""Bodies in pixels of the photo, and their masks cut and reduced."""

import numpy as np
import pytest

from alignimation_index.datatypes import BodyDetections, DecodedPhoto
from alignimation_index.registration.cut_masks import frame_cut_masks
from alignimation_index.registration.masks import frame_masks
from alignimation_index.similarity import apply
from alignimation_index.stages.bodies import cut_mask, detect_bodies


class OneBody:
    model_id = "one"

    def __init__(self, detections):
        self.detections = detections

    def detect(self, images):
        return [self.detections for _ in images]


def disc(width, height, x, y, radius):
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return np.where((columns - x) ** 2 + (rows - y) ** 2 <= radius**2, 255, 0).astype(np.uint8)


def centre(mask):
    rows, columns = np.nonzero(mask.pixels >= 128)
    return apply(mask.photo_from_mask, [[columns.mean(), rows.mean()]])[0]


def test_bodies_are_mapped_to_the_full_photo():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 5] = (50, 30, 0.8)
    found = BodyDetections(
        np.array([[40, 20, 60, 40]], np.float32), np.ones(1, np.float32), keypoints, [disc(100, 80, 50, 30, 10)]
    )
    photo = DecodedPhoto(np.zeros((80, 100, 3), np.uint8), 400, 320, 4)
    (bodies,) = detect_bodies([photo], OneBody(found))
    assert bodies.keypoints[0, 5] == pytest.approx((201.5, 121.5, 0.8))
    assert bodies.boxes[0] == pytest.approx((161.5, 81.5, 241.5, 161.5))
    assert centre(bodies.masks[0]) == pytest.approx((201.5, 121.5))
    assert found.keypoints[0, 5, 0] == 50


@pytest.mark.parametrize(("side_px", "longer"), [(None, 121), (64, 61), (32, 31)])
def test_a_mask_is_cut_to_the_body_and_reduced_in_place(side_px, longer):
    mask = cut_mask(disc(400, 300, 210, 130, 60), np.eye(2, 3), side_px)
    assert max(mask.pixels.shape) == longer
    assert np.abs(centre(mask) - (210, 130)).max() < 0.6
    assert mask.photo_from_mask[0, 0] == mask.photo_from_mask[1, 1]


def test_an_empty_mask_is_one_pixel_off_the_person():
    mask = cut_mask(np.zeros((30, 40), np.uint8), np.eye(2, 3), 16)
    assert mask.pixels.tolist() == [[0]]


@pytest.mark.parametrize("at", [(300, 200), (40, 190), (575, 380), (300, 30)])
def test_a_cut_mask_is_framed_as_the_whole_one_is(at):
    """In the middle of the photo, at its edges and in its corner; what lies beyond the photo is not known."""
    whole = disc(600, 400, *at, 60)
    expected = frame_masks([whole / np.float32(255)])
    framed = frame_cut_masks([cut_mask(whole, np.eye(2, 3), None)], [(600, 400)])
    assert framed.pixels == pytest.approx(expected.pixels, abs=1e-4)
    assert (framed.known == expected.known).all()
    assert framed.frame_from_photo == pytest.approx(expected.frame_from_photo, abs=1e-6)


def test_a_reduced_mask_is_framed_nearly_so():
    whole = disc(600, 400, 90, 190, 80)
    expected = frame_masks([whole / np.float32(255)])
    framed = frame_cut_masks([cut_mask(whole, np.eye(2, 3), 100)], [(600, 400)])
    assert np.abs(framed.pixels - expected.pixels).mean() < 0.01
    assert np.abs(framed.known - expected.known).mean() < 0.02
    points = [[90, 190], [20, 150]]
    apart = apply(framed.frame_from_photo, points) - apply(expected.frame_from_photo, points)
    assert np.abs(apart).max() < 1
