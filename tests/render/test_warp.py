from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.data import astronaut

from alignimation_index import similarity
from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.render.stills import warp
from alignimation_index.render.stills.framing import Framing, canvas_from_template


def similarity_matrix(scale: float, angle_deg: float, x: float, y: float) -> np.ndarray:
    a, b = scale * math.cos(math.radians(angle_deg)), scale * math.sin(math.radians(angle_deg))
    return np.array([[a, -b, x], [b, a, y]])


def template_centred_on(point: np.ndarray, scale: float, angle_deg: float) -> np.ndarray:
    """`template_from_photo` that shows `point` of the photo in the middle of the frame."""
    matrix = similarity_matrix(scale, angle_deg, 0.0, 0.0)
    matrix[:, 2] = 0.5 - matrix[:, :2] @ point
    return matrix


def frame_from_template(size_px: int) -> np.ndarray:
    return canvas_from_template(Framing(size_px, size_px))


def warp_photo(
    photo: DecodedPhoto, template_from_photo: np.ndarray, size_px: int, edges: str = "#000000"
) -> np.ndarray:
    canvas_from_photo = similarity.compose(frame_from_template(size_px), template_from_photo)
    return warp.warp_photo(photo, canvas_from_photo, (size_px, size_px), edges)


def decode_side_needed(template_from_photo: np.ndarray, size_px: int, width_px: int, height_px: int) -> int:
    canvas_from_photo = similarity.compose(frame_from_template(size_px), template_from_photo)
    return warp.decode_side_needed(canvas_from_photo, width_px, height_px)


def photo_of(pixels: np.ndarray, reduce: int = 1) -> DecodedPhoto:
    height, width = pixels.shape[:2]
    return DecodedPhoto(np.asarray(Image.fromarray(pixels).reduce(reduce)), width, height, reduce)


def drawn_dot(centre: np.ndarray, sigma_px: float, side_px: int = 512) -> np.ndarray:
    y, x = np.mgrid[:side_px, :side_px]
    dot = 255 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma_px**2))
    return np.repeat(dot.round().astype(np.uint8)[..., None], 3, axis=2)


def centroid(pixels: np.ndarray) -> np.ndarray:
    weights = pixels[..., 0].astype(np.float64)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


def identity_template(size_px: int) -> np.ndarray:
    return np.array([[1 / size_px, 0, 0.5 / size_px], [0, 1 / size_px, 0.5 / size_px]])


def test_template_corners_are_the_outer_corners_of_the_frame():
    corners = similarity.apply(frame_from_template(100), [[0.0, 0.0], [1.0, 1.0]])
    assert corners.tolist() == [[-0.5, -0.5], [99.5, 99.5]]


def test_the_identity_returns_the_image():
    frame = warp_photo(photo_of(astronaut()), identity_template(512), 512)
    assert frame.dtype == np.uint8
    assert np.abs(frame.astype(int) - astronaut()).max() <= 1


@pytest.mark.parametrize("reduce", [1, 2, 4])
@pytest.mark.parametrize("frame_px_per_photo_px", [0.13, 0.5, 1.0, 2.7])
@pytest.mark.parametrize("angle_deg", [4.0, 33.0])
def test_a_dot_lands_where_the_matrix_says(reduce, frame_px_per_photo_px, angle_deg):
    dot, size_px = np.array([251.3, 260.8]), 200
    matrix = template_centred_on(dot + np.array([3.0, -2.0]), frame_px_per_photo_px / size_px, angle_deg)
    frame = warp_photo(photo_of(drawn_dot(dot, sigma_px=6.0), reduce), matrix, size_px)
    expected = similarity.apply(similarity.compose(frame_from_template(size_px), matrix), dot[None])[0]
    assert np.abs(centroid(frame) - expected).max() < 0.06


def test_where_pixels_lie_alike_a_dot_is_at_most_a_tenth_of_a_source_pixel_off():
    dot, size_px = np.array([251.3, 260.8]), 200
    matrix = template_centred_on(dot + np.array([3.0, -2.0]), 1 / size_px, 0.0)
    frame = warp_photo(photo_of(drawn_dot(dot, sigma_px=6.0)), matrix, size_px)
    expected = similarity.apply(similarity.compose(frame_from_template(size_px), matrix), dot[None])[0]
    assert np.abs(centroid(frame) - expected).max() < 0.11


def test_a_dot_lands_within_a_hundredth_of_a_pixel_without_reduction():
    dot, size_px = np.array([251.3, 260.8]), 400
    matrix = template_centred_on(dot + np.array([3.0, -2.0]), 1.3 / size_px, 20.0)
    frame = warp_photo(photo_of(drawn_dot(dot, sigma_px=12.0)), matrix, size_px)
    expected = similarity.apply(similarity.compose(frame_from_template(size_px), matrix), dot[None])[0]
    assert np.abs(centroid(frame) - expected).max() < 0.01


@settings(deadline=None, max_examples=25)
@given(
    scale=st.floats(0.5, 3.0),
    angle_deg=st.floats(-180, 180),
    x=st.floats(-8, 8),
    y=st.floats(-8, 8),
)
def test_a_further_transform_moves_the_dot_by_itself(scale, angle_deg, x, y):
    dot, size_px = np.array([128.0, 128.0]), 160
    first = template_centred_on(dot + 2.0, 1 / size_px, 15.0)
    centre = [[1, 0, 0.5 + x / size_px], [0, 1, 0.5 + y / size_px]]
    about_centre = similarity.compose(similarity_matrix(scale, angle_deg, 0, 0), [[1, 0, -0.5], [0, 1, -0.5]])
    both = similarity.compose(similarity.compose(centre, about_centre), first)
    frame = warp_photo(photo_of(drawn_dot(dot, 4.0, side_px=256)), both, size_px)
    expected = similarity.apply(similarity.compose(frame_from_template(size_px), both), dot[None])[0]
    assert np.abs(centroid(frame) - expected).max() < 0.06


@pytest.mark.parametrize("angle_deg", [0.0, 17.0])
def test_a_shrunk_checkerboard_is_grey_without_moire(angle_deg):
    y, x = np.mgrid[:1024, :1024]
    board = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    matrix = template_centred_on(np.array([511.5, 511.5]), 1 / 800, angle_deg)
    frame = warp_photo(photo_of(board), matrix, 100).astype(int)
    assert np.abs(frame - 127.5).max() < 3


@pytest.mark.parametrize("frame_px_per_photo_px", [0.25, 1.0])
def test_outside_of_the_photo_the_frame_is_black(frame_px_per_photo_px):
    white = np.full((200, 300, 3), 255, np.uint8)
    corner = np.array([-0.5, -0.5])
    frame = warp_photo(photo_of(white), template_centred_on(corner, frame_px_per_photo_px / 64, 0.0), 64)
    assert (frame[:30] == 0).all() and (frame[:, :30] == 0).all()
    assert (frame[34:, 34:] == 255).all()


def test_a_frame_that_sees_no_photo_is_black():
    frame = warp_photo(photo_of(astronaut()), template_centred_on(np.array([5000.0, 0.0]), 1 / 64, 0.0), 64)
    assert frame.shape == (64, 64, 3) and not frame.any()


def test_cropping_to_what_is_seen_changes_nothing():
    full = np.tile(astronaut(), (2, 2, 1))
    matrix = template_centred_on(np.array([500.0, 530.0]), 1 / 300, 25.0)
    frame = warp_photo(photo_of(full), matrix, 100).astype(int)
    smaller = full[201:879, 150:900]  # whole blocks of the three by three that are averaged first
    shifted = similarity.compose(matrix, [[1, 0, 150], [0, 1, 201]])
    assert np.abs(frame - warp_photo(photo_of(smaller), shifted, 100)).max() <= 1


def test_a_photo_reduced_to_the_side_needed_gives_nearly_the_same_frame():
    pixels = np.asarray(Image.fromarray(astronaut()).resize((1024, 1024), Image.Resampling.BICUBIC))
    matrix = template_centred_on(np.array([512.0, 500.0]), 1 / 1000, 8.0)
    needed = decode_side_needed(matrix, 250, 1024, 1024)
    assert needed == 256
    full, reduced = (warp_photo(photo_of(pixels, reduce), matrix, 250).astype(float) for reduce in (1, 4))
    assert np.abs(full - reduced)[5:-5, 5:-5].mean() < 4


@pytest.mark.parametrize(
    ("scale", "size_px", "expected"),
    [(1 / 3000, 1080, 1080), (1 / 6000, 1080, 540), (1 / 500, 1080, 3000), (1 / 10**9, 8, 1)],
)
def test_the_side_needed_is_one_pixel_per_frame_pixel_and_never_more_than_there_are(scale, size_px, expected):
    matrix = similarity_matrix(scale, 40.0, 0.1, 0.2)
    assert abs(decode_side_needed(matrix, size_px, 4000, 3000) - expected) <= 1
    assert decode_side_needed(matrix, size_px, 4000, 3000) <= 3000


@pytest.mark.parametrize(
    "matrix",
    [[[0.01, 0, 0], [0, 0.02, 0]], [[0.01, 0.005, 0], [0, 0.01, 0]], [[-0.01, 0, 0], [0, 0.01, 0]], np.zeros((2, 3))],
    ids=["stretch", "shear", "mirror", "zero"],
)
def test_a_matrix_that_is_no_similarity_is_refused(matrix):
    with pytest.raises(ValueError, match="never stretched"):
        warp_photo(photo_of(astronaut()), np.array(matrix, float), 64)
