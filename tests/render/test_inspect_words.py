from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from seen_frames import seen_face

from alignimation_index.render.inspect.words import (
    date_in_words,
    identity_in_words,
    place_in_words,
    pose_in_words,
    quality_in_words,
)


@pytest.mark.parametrize(
    ("angles", "frontal", "words"),
    [
        (
            (8, 0, -4.2),
            True,
            "Looks a little to the right of the picture, the head leans left by 4°; taken as frontal.",
        ),
        ((0, 0, 0), True, "Looks straight ahead, the head is upright; taken as frontal."),
        (
            (-45, 20, 12),
            False,
            "Looks far to the left of the picture and up, the head leans right by 12°; not taken as frontal.",
        ),
        ((2, -6, 0.4), True, "Looks a little down, the head is upright; taken as frontal."),
    ],
)
def test_a_pose_is_said_as_one_would(angles, frontal, words):
    assert pose_in_words(*angles, frontal) == words


def test_who_it_is_and_why():
    ada = {"person_id": 3, "person": "Ada"}

    assert identity_in_words(seen_face(**ada, assigned_by="answer"), is_indexed=True) == "Ada, because you said so."
    assert identity_in_words(seen_face(**ada, assigned_by="machine"), is_indexed=True).startswith("Ada, found by")
    unnamed = identity_in_words(seen_face(person_id=3, assigned_by="machine", is_doubtful=True), is_indexed=True)
    assert unnamed.startswith("Person 3, without a name") and "not sure" in unnamed and "confirm 1" in unnamed
    assert identity_in_words(seen_face(), is_indexed=True).startswith("Nobody yet")
    assert "not in the index" in identity_in_words(seen_face(), is_indexed=False)


def test_a_date_comes_with_its_source():
    assert date_in_words(datetime(2003, 6, 15, 12, 30), "exif") == "2003-06-15 12:30, by the camera's clock."
    assert "a guess" in date_in_words(datetime(2003, 6, 15), "mtime")
    assert date_in_words(None, None) == "Nothing says when it was taken."


def test_quality_is_told_by_what_makes_it():
    assert quality_in_words(seen_face(size_px=160, quality=0.9, sharpness=8, brightness=0.5)).startswith(
        "90 of 100: 160 pixels large, sharp, well lit."
    )
    assert "20 pixels small, blurred, dark" in quality_in_words(seen_face(size_px=20, sharpness=1, brightness=0.1))


def test_a_transform_is_told_as_a_turn_and_a_size():
    turn, side = np.radians(4), 200
    cos, sin = np.cos(turn) / side, np.sin(turn) / side

    words = place_in_words([[cos, -sin, 0], [sin, cos, 0]], 0.0123)

    assert "turned by 4.0° clockwise" in words
    assert "200 of its pixels" in words
    assert "1.2 % of the side" in words
