from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from alignimation_index.errors import UserError
from alignimation_index.render.stills.background import (
    SteadyMasks,
    mask_on_canvas,
    parse_background,
    refine_mask,
    replace_background,
)

SIDE = 240
RED, GREEN = (200, 30, 30), (30, 160, 60)


def disc(centre=(120.0, 120.0), radius=70.0, side=SIDE) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return np.clip(radius - np.hypot(x - centre[0], y - centre[1]) + 0.5, 0, 1).astype(np.float32)


def scene(mask, person=RED, behind=GREEN) -> np.ndarray:
    """A person of one colour before another, as a camera sees it: mixed where the mask is soft."""
    share = mask[..., None]
    return np.rint(share * np.array(person) + (1 - share) * np.array(behind)).astype(np.uint8)


def ring(inner: float, outer: float) -> np.ndarray:
    return (disc(radius=outer) > 0.5) & (disc(radius=inner) < 0.5)


@pytest.mark.parametrize(
    ("text", "colour"), [("white", (255, 255, 255)), ("black", (0, 0, 0)), ("#1a2b3c", (0x1A, 0x2B, 0x3C))]
)
def test_a_colour_is_a_background_behind_the_person_who_stays(text, colour):
    mask = disc()

    replaced = replace_background(scene(mask), mask, parse_background(text))

    assert np.abs(replaced[5, 5].astype(int) - colour).max() <= 1
    assert np.abs(replaced[120, 120].astype(int) - RED).max() <= 1


def test_keep_changes_nothing():
    photo = astronaut()
    assert replace_background(photo, np.zeros(photo.shape[:2], np.float32), parse_background("keep")) is photo


def test_an_empty_mask_leaves_nothing_but_background():
    replaced = replace_background(astronaut(), np.zeros((512, 512), np.float32), parse_background("white"))
    assert (replaced == 255).all()


def test_a_picture_covers_the_canvas_without_being_stretched(tmp_path):
    # Of a picture twice as wide as it is high, a square canvas shows the middle: from a quarter to three quarters.
    wide = np.zeros((100, 200, 3), np.uint8)
    wide[:, :, 2] = np.arange(200)
    Image.fromarray(wide).save(tmp_path / "behind.png")
    mask = disc(radius=40)

    replaced = replace_background(scene(mask), mask, parse_background(str(tmp_path / "behind.png")))

    assert np.abs(replaced[5, [2, -3], 2].astype(int) - [50, 149]).max() <= 3
    assert np.abs(replaced[120, 120].astype(int) - RED).max() <= 1


@pytest.mark.parametrize("text", ["whitish", "#12345", "nowhere/beach.png"])
def test_what_is_no_background_is_named_with_what_is(text):
    with pytest.raises(UserError, match=f"{text}.*keep, blur, white"):
        parse_background(text)


def test_a_broken_picture_is_named_with_the_reason(tmp_path):
    (tmp_path / "beach.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"beach\.png: the picture cannot be read: not a picture"):
        parse_background(str(tmp_path / "beach.png"))


def test_a_blurred_background_has_nothing_of_the_persons_colour():
    mask = disc()

    blurred = replace_background(scene(mask), mask, parse_background("blur")).astype(int)

    beyond = disc(radius=78) == 0
    assert np.abs(blurred[beyond] - GREEN).max() <= 2
    assert np.abs(blurred[120, 120] - RED).max() <= 1


def test_no_rim_of_the_old_background_remains():
    soft = disc()
    rim = (soft > 0.3) & (soft < 0.9)

    replaced = replace_background(scene(soft), soft, parse_background("white")).astype(int)

    # Between red and white green and blue are alike; what was green behind would show.
    def green_over_blue(pixels):
        return (pixels.astype(int)[..., 1] - pixels[..., 2])[rim].mean()

    assert green_over_blue(scene(soft)) > 30
    assert green_over_blue(replaced) < 0.25 * green_over_blue(scene(soft))


def test_the_edge_follows_the_photo_where_the_mask_is_off():
    photo, off = scene(disc()), disc(radius=68)

    refined = refine_mask(photo, off)

    assert np.abs(refined - disc()).sum() < 0.5 * np.abs(off - disc()).sum()


def test_what_looks_like_the_person_but_is_out_of_reach_is_background():
    photo, mask = scene(disc(radius=40)), disc(radius=40)
    photo[100:140, 190:230] = RED

    refined = refine_mask(photo, mask)

    assert refined[100:140, 190:230].max() == 0


def test_a_mask_comes_to_the_canvas_by_its_similarity():
    small = (disc((30, 30), 15, 60) > 0.5).astype(np.uint8) * 255
    matrix = np.array([[3, 0, 20.0], [0, 3, 10.0]])

    on_canvas = mask_on_canvas(small, matrix, 200, 180)

    assert on_canvas.shape == (180, 200)
    assert on_canvas[100, 110] == pytest.approx(1)
    assert on_canvas[100, 110 + 40] > 0.9 and on_canvas[100, 110 + 50] < 0.1
    assert on_canvas.sum() == pytest.approx(np.pi * 45**2, rel=0.05)
    assert np.array_equal(on_canvas, mask_on_canvas(small > 0, matrix, 200, 180))


def flicker(masks) -> float:
    return float(np.mean([np.abs(after - before).sum() for before, after in pairwise(masks)]))


def test_masks_that_waver_flicker_half_as_much_once_steadied():
    random = np.random.default_rng(3)
    wavering = [disc((120 + dx, 120 + dy), 70 + dr) for dx, dy, dr in random.normal(0, 0.6, (30, 3))]
    steady = SteadyMasks()

    steadied = [steady.next(mask) for mask in wavering]

    assert flicker(steadied) < 0.5 * flicker(wavering)
    assert np.abs(steadied[-1] - disc()).sum() < 1.2 * np.abs(wavering[-1] - disc()).sum() + 30


def test_a_growing_body_is_not_left_behind():
    steady = SteadyMasks()
    for radius in np.linspace(60, 80, 41):
        steadied = steady.next(disc(radius=radius))

    assert np.abs(steadied - disc(radius=80)).sum() < 2 * np.pi * 80 * 1.5  # within a pixel and a half of the edge


def test_what_moved_leaves_no_ghost():
    steady = SteadyMasks()
    before = disc()
    before[150:170, 180:230] = 1  # an arm stretched out, and then not
    steady.next(before)

    steadied = steady.next(disc())

    assert steadied[152:168, 196:228].max() < 0.02


def test_another_scene_begins_anew():
    steady = SteadyMasks()
    steady.next(disc((60, 60), 50))
    other = disc((180, 180), 40)

    assert np.array_equal(steady.next(other), other)
    assert steady.next(disc(side=100, centre=(50, 50), radius=30)).shape == (100, 100)
