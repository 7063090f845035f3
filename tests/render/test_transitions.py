from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shown import SIDE_PX, frame_of, shades_of, still_of

from alignimation_index.errors import UserError
from alignimation_index.registration.faces import FACE_TEMPLATE
from alignimation_index.render.film.shots import frame_count, instants_s, shots
from alignimation_index.render.film.transitions.blend import AT_MOST, sparse_enough, weights_at
from alignimation_index.render.film.transitions.mesh import is_folded, mesh_of, warped
from alignimation_index.render.film.transitions.mixing import mixed
from alignimation_index.render.film.transitions.morph import Morph, meshes_between
from alignimation_index.render.film.transitions.pairs import dissolve
from alignimation_index.render.film.transitions.transition import (
    PHOTOS_PER_SECOND,
    Transition,
    check_dated,
    needed,
    parse_width,
    play,
)

EVERY = [Transition(name) for name in PHOTOS_PER_SECOND]
times = st.lists(st.floats(0.01, 3), min_size=1, max_size=12)


def starts_of(durations):
    ends = np.cumsum(durations)
    return [0.0, *ends[:-1].tolist()], float(ends[-1])


def play_all(transition, stills, starts_s, seconds, fps):
    return list(play(transition, iter(stills), starts_s, seconds, fps))


@pytest.mark.parametrize("transition", EVERY, ids=lambda one: one.name)
@given(durations=times, fps=st.floats(1, 60))
@settings(deadline=None, max_examples=15)
def test_a_film_has_as_many_pictures_as_its_length_and_rate_say(transition, durations, fps):
    starts_s, seconds = starts_of(durations)
    stills = [still_of(i, 10 * i) for i in range(len(durations))]
    instants = play_all(transition, stills, starts_s, seconds, fps)
    assert len(instants) == frame_count(seconds, fps) == max(1, round(seconds * fps))


@given(durations=times, fps=st.floats(1, 60))
def test_a_cut_shows_what_is_on_at_each_moment(durations, fps):
    starts_s, seconds = starts_of(durations)
    stills = [still_of(i, i) for i in range(len(durations))]
    instants = play_all(Transition("cut"), stills, starts_s, seconds, fps)
    expected = np.searchsorted(starts_s, instants_s(seconds, fps), side="right") - 1
    assert [instant.frame.face_id for instant in instants] == expected.tolist()


def test_twelve_photos_a_second_are_two_pictures_each_at_24():
    starts_s = [i / 12 for i in range(60)]
    instants = play_all(Transition("cut"), [still_of(i, i) for i in range(60)], starts_s, 5.0, 24)
    assert [instant.frame.face_id for instant in instants] == [i // 2 for i in range(120)]


@given(
    places=st.lists(st.floats(0, 1e4), min_size=1, max_size=AT_MOST).map(sorted),
    here=st.floats(-10, 1.1e4),
    width=st.floats(0.01, 1e3),
)
def test_weights_of_a_blend_add_up_to_one_and_none_is_negative(places, here, width):
    weights = weights_at(here, np.array(places), width)
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()


def test_a_crowded_summer_does_not_outweigh_what_lies_around_it():
    crowded = np.concatenate([np.arange(0, 100, 10), np.linspace(100, 101, 20), np.arange(110, 200, 10)])
    weights = weights_at(105.0, crowded, 15.0)
    in_the_summer = (crowded >= 100) & (crowded <= 101)
    assert weights[in_the_summer].sum() < 0.3
    alone = weights_at(105.0, np.arange(0.0, 200, 10), 15.0)
    assert weights[crowded == 110] == pytest.approx(alone[11], rel=0.2)


def test_where_photos_are_sparse_they_still_flow_into_one_another():
    places = np.array([0.0, 1000.0])
    shares = [weights_at(here, places, 1.0)[1] for here in np.linspace(0, 1000, 41)]
    assert shares == sorted(shares) and max(np.diff(shares)) < 0.15


def test_a_blend_moves_without_jumps():
    rng = np.random.default_rng(3)
    starts_s, seconds = starts_of(rng.uniform(0.02, 1.0, 60))
    stills = [still_of(i, int(rng.integers(0, 256))) for i in range(60)]
    shades = shades_of(play_all(Transition("blend", blend_width=0.5), stills, starts_s, seconds, 50))
    assert max(abs(np.diff(shades))) < 15
    assert np.ptp(shades) > 20


def test_a_blend_along_the_calendar_goes_by_dates_and_not_by_places_in_the_film():
    stills = [still_of(i, shade, days) for i, (shade, days) in enumerate([(0, 0), (0, 1), (0, 2), (255, 400)])]
    transition = Transition("blend", blend_width=30.0, blend_in_days=True)
    shades = shades_of(play_all(transition, stills, [0.0, 1.0, 2.0, 3.0], 4.0, 10))
    assert max(shades[:20]) < 10 and shades[-1] > 200


def test_photos_without_a_date_cannot_be_blended_along_the_calendar():
    with pytest.raises(UserError, match=r"/photos/1\.jpg has no date.*set-date"):
        check_dated(Transition("blend", blend_in_days=True), [frame_of(0, 1.0), frame_of(1)])


@given(places=st.lists(st.floats(0, 1000), min_size=1, max_size=300).map(sorted), width=st.floats(0.1, 50))
def test_of_more_photos_than_a_blend_can_hold_some_are_taken_evenly(places, width):
    kept = [places[i] for i in sparse_enough(places, width)]
    assert kept[0] == places[0]
    for start in kept:
        assert sum(start <= at <= start + 6 * width for at in kept) <= AT_MOST + 1
    again = sparse_enough(kept, width)
    assert again == list(range(len(kept)))


@given(durations=st.lists(st.floats(0.001, 0.05), min_size=100, max_size=200))
@settings(deadline=None, max_examples=5)
def test_a_blend_never_holds_more_than_so_many_stills(durations):
    starts_s, seconds = starts_of(durations)
    held: set[int] = set()

    def stills():
        for index in range(len(durations)):
            held.add(index)
            yield still_of(index, 100)

    seen = 0
    for instant in play(Transition("blend", blend_width=10.0), stills(), starts_s, seconds, 30):
        seen = max(seen, len(held) - instant.frame.face_id)
    assert seen <= AT_MOST + 1


def test_a_crossfade_is_even_dissolves_half_way_at_the_boundary_and_leaves_the_middle_alone():
    stills = [still_of(0, 0), still_of(1, 200)]
    shades = shades_of(play_all(Transition("crossfade", share=0.5), stills, [0.0, 1.0], 2.0, 40))
    assert shades[:20] == [0.0] * 20 and shades[-20:] == [200.0] * 20
    assert shades == sorted(shades)
    assert (shades[39] + shades[40]) / 2 == pytest.approx(100, abs=2)


@given(missing=st.sets(st.integers(0, 7), max_size=7), durations=st.lists(st.floats(0.1, 2), min_size=8, max_size=8))
def test_the_time_of_a_missing_still_goes_to_its_neighbours(missing, durations):
    starts_s, seconds = starts_of(durations)
    timed = list(shots(iter([still_of(i, i) for i in range(8) if i not in missing]), starts_s, seconds))
    assert timed[0].start_s == 0 and timed[-1].end_s == seconds
    assert all(a.end_s == b.start_s for a, b in pairwise(timed))
    for shot in timed:
        index = shot.still.index
        if not {index - 1, index + 1} & missing and 0 < index < 7:
            assert (shot.start_s, shot.end_s) == (starts_s[index], starts_s[index + 1])


def test_no_still_is_no_picture():
    assert [play_all(transition, [], [0.0, 1.0], 2.0, 10) for transition in EVERY] == [[]] * 4


def test_of_a_mix_only_what_is_opaque_has_a_colour():
    clear, grey = still_of(0, 255, alpha=0).pixels, still_of(1, 100, alpha=255).pixels
    half = mixed([clear, grey], [0.5, 0.5])
    assert half[0, 0].tolist() == [100, 100, 100, 128]
    assert mixed([grey, grey], [0.5, 0.5])[0, 0].tolist() == [100, 100, 100, 255]


LANDMARKS = FACE_TEMPLATE * SIDE_PX
SMILE = LANDMARKS + np.array([[0, 0], [0, 0], [2, 1], [-2, 3], [2, 3]])


def with_dots(index, landmarks, **values):
    """A still with a bright dot on each landmark."""
    still = still_of(index, 0, landmarks=np.asarray(landmarks, np.float32), **values)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    for at_x, at_y in np.asarray(landmarks):
        dot = 255 * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / 3)
        np.maximum(still.pixels, dot[..., None].astype(np.uint8), out=still.pixels)
    return still


def brightest_near(pixels, point, reach=4):
    x, y = np.round(point).astype(int)
    part = pixels[y - reach : y + reach + 1, x - reach : x + reach + 1, 0].astype(float)
    rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
    part = np.where(part > part.max() / 2, part, 0)
    return np.array([(columns * part).sum(), (rows * part).sum()]) / part.sum() + [x - reach, y - reach]


@pytest.mark.parametrize("progress", [0.25, 0.5, 0.75])
def test_half_way_through_a_morph_landmarks_are_half_way(progress):
    a, b = with_dots(0, LANDMARKS), with_dots(1, SMILE)
    picture = Morph()(a, b, progress)
    for before, after in zip(LANDMARKS, SMILE, strict=True):
        between = before + progress * (after - before)
        assert np.abs(brightest_near(picture, between) - between).max() < 0.6


def test_a_morph_begins_and_ends_with_the_photos():
    a, b = with_dots(0, LANDMARKS), with_dots(1, SMILE)
    assert np.abs(Morph()(a, b, 1e-6).astype(int) - a.pixels).max() <= 3
    assert np.abs(Morph()(a, b, 1 - 1e-6).astype(int) - b.pixels).max() <= 3


def test_heads_that_are_turned_apart_are_dissolved():
    a, b = with_dots(0, LANDMARKS, yaw_deg=-30.0), with_dots(1, LANDMARKS + 1.0, yaw_deg=30.0)
    assert meshes_between(a, b) is None
    assert (Morph()(a, b, 0.5) == dissolve(a, b, 0.5)).all()


def test_a_mesh_that_would_fold_is_told_and_dissolved():
    crossed = LANDMARKS[[1, 0, 2, 3, 4]]
    assert is_folded(mesh_of(crossed, SIDE_PX, SIDE_PX))
    a, b = with_dots(0, LANDMARKS), with_dots(1, crossed)
    assert (Morph()(a, b, 0.5) == dissolve(a, b, 0.5)).all()
    nowhere = with_dots(2, np.full((5, 2), 10.0))
    assert meshes_between(a, nowhere) is None


@given(
    shift=st.lists(st.floats(-0.02, 0.02), min_size=10, max_size=10),
    width=st.integers(30, 300),
    height=st.integers(30, 300),
)
@settings(deadline=None, max_examples=30)
def test_a_mesh_of_a_face_has_no_fold_and_covers_the_canvas(shift, width, height):
    side = min(width, height)
    mesh = mesh_of((FACE_TEMPLATE + np.reshape(shift, (5, 2))) * side, width, height)
    assert not is_folded(mesh)
    far = mesh[13:]
    edges = np.roll(far, -1, 0) - far
    for corner in [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]:
        beside = np.array(corner) - far
        assert (edges[:, 0] * beside[:, 1] - edges[:, 1] * beside[:, 0] > 0).all()


def test_a_warp_onto_itself_changes_nothing():
    import torch

    picture = torch.rand(1, 3, 40, 60)
    mesh = mesh_of(FACE_TEMPLATE * 40, 60, 40)
    assert (warped(picture, [mesh], mesh) - picture).abs().max() < 1e-3


@pytest.mark.parametrize(
    ("text", "width"), [("0.5s", (0.5, False)), ("10d", (10.0, True)), ("6w", (42.0, True)), ("1y", (365.2425, True))]
)
def test_the_width_of_a_blend_is_of_the_film_or_of_life(text, width):
    assert parse_width(text) == width


@pytest.mark.parametrize("text", ["", "0s", "5", "wide", "-1s"])
def test_what_is_no_width_is_refused_with_what_would_do(text):
    with pytest.raises(UserError, match=r"no width of a blend. Write 0\.5s"):
        parse_width(text)


def test_all_frames_are_needed_but_for_a_blend_of_too_many():
    frames = [frame_of(i) for i in range(1000)]
    starts_s = [i / 1000 for i in range(1000)]
    assert needed(Transition("cut"), frames, starts_s) == list(range(1000))
    assert len(needed(Transition("blend"), frames, starts_s)) < 100
