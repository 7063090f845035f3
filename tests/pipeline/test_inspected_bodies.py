"""Looking at the bodies of one photo: from the index, or on the spot."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_bodies import Drawn, FakeBodies, draw_bodies
from fakes import contents, draw_photo, index
from made_bodies import similarity

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.errors import UserError
from alignimation_index.pipeline.bodies.find import find_bodies
from alignimation_index.pipeline.bodies.inspected import choose_body, inspect_bodies, look_at_bodies
from alignimation_index.render.inspect.bodies import draw_body
from alignimation_index.render.inspect.page import WIDTH_PX

NAMES = ("left_ear", "left_shoulder", "left_hip")


@pytest.fixture
def detector():
    return FakeBodies()


@pytest.fixture
def two_bodies(photos):
    small, large = similarity(150, 0, 0, 100), similarity(250, 0.1, 90, 60)
    return draw_bodies(photos / "two.png", Drawn(None, small), Drawn(None, large), size=(400, 400))


def find(store, detector):
    find_bodies(store, None, detector.source, lambda *_: None)


def whitish(page) -> int:
    return int((page.min(2) >= 254).sum())


def test_on_the_spot_the_same_is_seen_as_in_the_index(store, fakes, photos, two_bodies, detector):
    spot = look_at_bodies(str(two_bodies), store, detector.source)
    assert not spot.is_indexed and spot.numbers == [1, 2]
    index(store, fakes, photos)
    find(store, detector)
    looked, before = detector.looked, contents(store)

    seen = look_at_bodies(str(two_bodies), store, detector.source)

    assert seen.is_indexed and detector.looked == looked
    assert np.allclose(seen.boxes, spot.boxes)
    for name in ("keypoints", "seen"):
        assert np.allclose(getattr(seen.bodies, name), getattr(spot.bodies, name), atol=1e-3)
    assert np.array_equal(seen.bodies.masks.pixels, spot.bodies.masks.pixels)
    assert contents(store) == before


def test_the_largest_is_chosen_but_for_a_number(two_bodies, detector):
    seen = look_at_bodies(str(two_bodies), None, detector.source)
    sizes = (seen.boxes[:, 2:] - seen.boxes[:, :2]).prod(1)

    assert choose_body(seen, None) == sizes.argmax()
    assert choose_body(seen, 2) == 1
    with pytest.raises(UserError, match="no body 7 on this photo; choose from: 1, 2"):
        choose_body(seen, 7)


def test_a_page_shows_where_the_person_meets_the_template(two_bodies, detector):
    seen = look_at_bodies(str(two_bodies), None, detector.source)
    row = choose_body(seen, None)

    page = draw_body(seen, row, None, NAMES, "itself")

    assert page.shape[1] == WIDTH_PX and page.shape[0] > 1200
    assert whitish(page) > 500


def test_a_body_that_shows_too_little_has_a_page_without_registration(two_bodies, detector):
    seen = look_at_bodies(str(two_bodies), None, detector.source)
    whole = draw_body(seen, 0, seen.bodies.at(1), NAMES, "other")
    seen.bodies.seen[0, [KEYPOINT_NAMES.index(name) for name in NAMES[1:]]] = 0

    assert draw_body(seen, 0, seen.bodies.at(1), NAMES, "other").shape[0] < whole.shape[0] - 300


def test_a_pair_registers_the_second_to_the_first(photos, two_bodies, detector):
    other = draw_bodies(photos / "one.png", Drawn(None, similarity(280, -0.2, 20, 60)))
    assert inspect_bodies([str(two_bodies), str(other)], None, detector.source).shape[1] == WIDTH_PX


def test_no_body_is_a_page_too(photos, detector):
    nobody = draw_photo(photos / "nobody.jpg")
    assert inspect_bodies([str(nobody)], None, detector.source).shape[0] < 1000


def test_what_there_is_not_is_named(photos, two_bodies, detector):
    nobody = draw_photo(photos / "nobody.jpg")
    (photos / "broken.png").write_bytes(b"x")

    for paths, template, reason in (
        ([photos / "gone.png"], None, r"gone\.png cannot be read: No such file"),
        ([photos / "broken.png"], None, r"broken\.png cannot be read"),
        ([nobody, two_bodies], None, r"nobody\.jpg: there is no body to register to"),
        ([two_bodies], "belly", "belly: there is no such template"),
    ):
        with pytest.raises(UserError, match=reason):
            inspect_bodies([*map(str, paths)], None, detector.source, template=template)
