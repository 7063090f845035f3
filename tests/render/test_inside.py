from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portraits import portrait

from alignimation_index import similarity
from alignimation_index.errors import UserError
from alignimation_index.render.stills.framing import Framing, canvas_from_template
from alignimation_index.render.stills.inside import CORE, MOST_MOVED, TOO_NEAR, fit_inside


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait(tmp_path_factory.mktemp("portrait") / "astronaut.png")


def moved(frame, angle_deg=0.0, scale=1.0, x=0.0, y=0.0):
    """The frame as if the photo had been taken with the camera turned, farther away, or pointed elsewhere."""
    turn = np.deg2rad(angle_deg)
    a, b = scale * np.cos(turn), scale * np.sin(turn)
    middle = np.array([0.5, 0.54])
    about = np.array([[a, -b, 0], [b, a, 0]])
    about[:, 2] = middle + np.array([x, y]) - about[:, :2] @ middle
    return replace(frame, template_from_photo=similarity.compose(about, frame.template_from_photo).astype(np.float32))


def uncovered_px(frame, framing, canvas_from_template):
    """How far the canvas reaches beyond the photo, in pixels of the photo."""
    photo_from_canvas = similarity.invert(similarity.compose(canvas_from_template, frame.template_from_photo))
    corners = [(x, y) for x in (-0.5, framing.width_px - 0.5) for y in (-0.5, framing.height_px - 0.5)]
    seen = similarity.apply(photo_from_canvas, corners)
    return max(0.0, *(-0.5 - seen).ravel(), *(seen - [frame.width_px - 0.5, frame.height_px - 0.5]).ravel())


MOVES = st.tuples(st.floats(-40, 40), st.floats(0.8, 2.5), st.floats(-0.1, 0.1), st.floats(-0.05, 0.1))


@settings(deadline=None, max_examples=40)
@given(moves=st.lists(MOVES, min_size=1, max_size=12), size=st.sampled_from([(90, 160), (100, 100), (160, 90)]))
def test_all_photos_fill_the_canvas_and_the_face_is_on_it(face, moves, size):
    frames, framing = [moved(face, *move) for move in moves], Framing(*size, "body", inside=True)
    try:
        fit = fit_inside(frames, framing)
    except UserError:
        return
    matrix = fit.canvas_from_template["face"]
    for index, frame in enumerate(frames):
        if index not in fit.left_out:
            assert uncovered_px(frame, framing, matrix) < 0.01
    core = similarity.apply(matrix, np.array(CORE["face"]).reshape(2, 2))
    assert (core >= -0.51).all() and (core <= np.array(size) - 0.49).all()
    assert fit.limiting or fit.share > 0.999


def test_no_larger_rectangle_is_filled(face):
    frames, framing = [moved(face), moved(face, 20.0, x=0.3)], Framing(90, 160, "body", inside=True)
    fit = fit_inside(frames, framing)
    matrix = fit.canvas_from_template["face"]
    middle, size = np.array(CORE["face"]).reshape(2, 2).mean(0, keepdims=True), np.array([90, 160])
    usual = similarity.apply(canvas_from_template(framing), middle) / size
    tried = 0
    for shift in np.random.default_rng(0).normal(0, 4, (300, 2)):
        larger = similarity.compose([[0.99, 0, shift[0]], [0, 0.99, shift[1]]], matrix)
        if np.abs(similarity.apply(larger, middle) / size - usual).max() < MOST_MOVED:
            tried += 1
            assert max(uncovered_px(frame, framing, larger) for frame in frames) > 0
    assert tried > 20


def test_a_view_that_all_photos_fill_stays_as_it_is(face):
    framing = Framing(100, 100, "tight", inside=True)
    fit = fit_inside([face, moved(face, 10.0)], framing)
    assert fit.share == pytest.approx(1, abs=1e-5)
    assert np.allclose(fit.canvas_from_template["face"], canvas_from_template(framing), atol=0.01)


def test_one_photo_of_many_that_would_narrow_the_view_is_left_out_and_named(face):
    frames = [moved(face, index / 10) for index in range(39)] + [moved(face, y=0.38)]
    fit = fit_inside(frames, Framing(100, 100, "bust", inside=True))
    assert list(fit.left_out) == [39]
    assert "would shrink" in fit.left_out[39]


def test_of_few_photos_none_is_left_out_for_the_others(face):
    frames = [face] * 5 + [moved(face, y=0.38)]
    fit = fit_inside(frames, Framing(100, 100, "bust", inside=True))
    assert not fit.left_out
    assert fit.limiting == [frames[5]]


def test_a_photo_that_ends_at_the_face_is_left_out(face):
    frames = [face, moved(face, y=0.55)]
    assert fit_inside(frames, Framing(100, 100, inside=True)).left_out == {1: TOO_NEAR}


def test_faces_and_bodies_get_rectangles_of_their_own(face):
    body = replace(moved(face), kind="body", template_from_photo=np.array([[1 / 512, 0, 0], [0, 1 / 512, 0]]))
    fit = fit_inside([face, body], Framing(100, 100, "body", inside=True))
    assert set(fit.canvas_from_template) == {"face", "body"}


def test_photos_without_anything_in_common_are_an_error(face):
    with pytest.raises(UserError, match="--crop inside"):
        fit_inside([moved(face, y=0.55)], Framing(100, 100, inside=True))
