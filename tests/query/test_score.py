"""The score that takes the best of a period."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_frames import made_frame

from alignimation_index.query.choosing.score import INGREDIENTS, NEUTRAL, eyes, eyes_off, score

GOOD = made_frame(sharpness=9.0, size_px=500.0)
WORSE = {
    "turned": {"yaw_deg": 25.0},
    "looks up": {"pitch_deg": -25.0},
    "blurred": {"sharpness": 1.0},
    "small": {"size_px": 60.0},
    "dark": {"brightness": 0.05},
    "washed out": {"brightness": 0.97},
    "eyes off": {"template_from_photo": np.array([[0.005, 0, 0.02], [0, 0.005, 0]], np.float32)},
}


def test_a_frame_without_fault_has_the_full_score():
    assert score(GOOD) == pytest.approx(1)


@pytest.mark.parametrize("fault", WORSE.values(), ids=WORSE.keys())
def test_each_fault_lowers_the_score(fault):
    assert score(replace(GOOD, **fault)) < score(GOOD) - 0.03


def test_what_is_not_known_counts_as_middling():
    unknown = replace(GOOD, sharpness=None, brightness=None)
    for ingredient in INGREDIENTS:
        assert ingredient.measure(unknown) in (None, pytest.approx(1))
    assert score(replace(GOOD, sharpness=7 * NEUTRAL)) == pytest.approx(score(replace(GOOD, sharpness=None)))


def test_a_favourite_wins_over_a_somewhat_better_frame_and_not_over_a_good_one_if_it_is_blurred_and_turned():
    favourite = {"favourite": True}
    assert score(made_frame(yaw_deg=12.0, **favourite)) > score(GOOD) - 0.3
    assert score(made_frame(yaw_deg=12.0, **favourite)) > score(made_frame(yaw_deg=8.0))
    assert score(made_frame(yaw_deg=40.0, sharpness=0.5, **favourite)) < score(made_frame())


def test_eyes_are_measured_where_the_transform_puts_them():
    assert eyes_off(GOOD) == pytest.approx(0, abs=1e-6)
    shifted = replace(GOOD, template_from_photo=np.array([[0.005, 0, 0.03], [0, 0.005, 0.04]], np.float32))
    assert eyes_off(shifted) == pytest.approx(0.05, abs=1e-6)


def test_a_body_is_judged_by_its_own_residual_and_not_by_where_a_face_looks():
    body = replace(GOOD, kind="body", body_id=3, template="body", residual=0.01)
    assert score(replace(body, yaw_deg=80.0)) == score(body)
    assert eyes(replace(body, residual=0.1)) < eyes(body)


@given(
    st.floats(-180, 180),
    st.floats(0, 50),
    st.floats(0, 1),
    st.floats(1, 5000),
    st.booleans(),
)
def test_a_score_lies_between_0_and_1(yaw, sharpness, brightness, size, favourite):
    frame = replace(GOOD, yaw_deg=yaw, sharpness=sharpness, brightness=brightness, size_px=size, favourite=favourite)
    assert 0 < score(frame) <= 1 + 1e-9
