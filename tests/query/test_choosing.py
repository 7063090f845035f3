"""The steps that choose among frames: near-duplicates and outliers, and never too many of them."""

from datetime import timedelta

import pytest
from made_frames import FIRST_DAY, made_fingerprint, made_frame

from alignimation_index.query.choosing.alike import near_duplicates, twice_on_a_photo
from alignimation_index.query.choosing.outliers import askew, doubtful, kept_in_doubt
from alignimation_index.query.choosing.preference import LeftOut, Preference, shown_instead, without


def at_minute(minute, **changes):
    return made_frame(taken_at=FIRST_DAY + timedelta(minutes=minute), **changes)


def test_of_photos_of_the_same_minutes_that_look_alike_the_best_stays():
    frames = [
        at_minute(0, fingerprint=made_fingerprint(100), sharpness=2.0),
        at_minute(4, fingerprint=made_fingerprint(105, bits=3)),
        at_minute(9, fingerprint=made_fingerprint(95), yaw_deg=20.0),
        at_minute(9.5, fingerprint=made_fingerprint(100, bits=40)),  # another picture
        at_minute(9.6, fingerprint=made_fingerprint(200)),  # another light
    ]
    left_out = near_duplicates(frames, Preference())
    assert [one.frame.path for one in left_out] == [frames[0].path, frames[2].path]
    assert {one.instead.path for one in left_out} == {frames[1].path}


def test_the_same_view_on_another_day_is_no_near_duplicate():
    frames = [made_frame(day, fingerprint=made_fingerprint(100)) for day in range(5)]
    assert near_duplicates(frames, Preference()) == []


def test_photos_without_a_date_or_a_fingerprint_are_no_near_duplicates():
    frames = [made_frame(None, fingerprint=made_fingerprint(100)) for _ in range(3)] + [made_frame(0), made_frame(0)]
    assert near_duplicates(frames, Preference()) == []


def test_a_slow_change_does_not_make_one_group_of_an_afternoon():
    frames = [at_minute(5 * step, fingerprint=made_fingerprint(10 + 8 * step)) for step in range(20)]
    left = without(frames, near_duplicates(frames, Preference()))
    assert len(left) > 5


def test_a_pinned_photo_stands_for_its_near_duplicates():
    frames = [at_minute(i, fingerprint=made_fingerprint(100), sharpness=float(i)) for i in range(1, 4)]
    left_out = near_duplicates(frames, Preference([frames[0].content_hash]))
    assert without(frames, left_out) == frames[:1]


def test_of_two_faces_on_a_photo_one_is_shown_even_if_the_photo_is_pinned():
    mirror = [made_frame(0, content_hash="ab", yaw_deg=yaw) for yaw in (30.0, 5.0)]
    (left_out,) = twice_on_a_photo(mirror, Preference(["ab"]))
    assert (left_out.frame, left_out.instead) == (mirror[0], mirror[1])


def test_frames_in_doubt_are_left_out():
    frames = [*(made_frame(day) for day in range(20)), made_frame(30, is_doubtful=True), made_frame(31)]
    assert [one.frame.path for one in doubtful(frames)] == [frames[20].path]


def test_where_many_are_in_doubt_those_stay_that_have_no_sure_frame_near():
    sure = [made_frame(day) for day in range(8)]
    near = [made_frame(day + 0.5, is_doubtful=True) for day in range(2)]
    far = [made_frame(1000 * day, is_doubtful=True) for day in range(1, 6)]
    frames = sorted([*sure, *near, *far], key=lambda frame: frame.taken_at)
    left_out = [one.frame.path for one in doubtful(frames)]
    assert len(left_out) == 3 == int(0.2 * len(frames))
    assert {frame.path for frame in near} < set(left_out)
    assert kept_in_doubt(without(frames, doubtful(frames))) == 4


def test_a_residual_far_above_the_others_is_left_out_and_never_more_than_a_small_share():
    frames = [made_frame(day, residual=0.01 + 0.0005 * (day % 7)) for day in range(40)]
    assert askew(frames) == []
    bad = [made_frame(50 + day, residual=0.08 + 0.01 * day) for day in range(10)]
    left_out = [one.frame for one in askew([*frames, *bad])]
    assert left_out == [bad[9], bad[8], bad[7]]


@pytest.mark.parametrize("count", range(1, 8))
def test_among_few_frames_none_is_out_of_line(count):
    assert askew([made_frame(day, residual=10.0**-day) for day in range(count)]) == []


def test_residuals_are_compared_within_their_template():
    faces = [made_frame(day, residual=0.01) for day in range(20)]
    bodies = [made_frame(day, residual=0.06, kind="body", template="body", body_id=day) for day in range(20)]
    assert askew([*faces, *bodies]) == []


def test_the_frame_that_is_named_in_place_of_another_is_one_that_is_shown():
    blurred, better, best, dark = (made_frame(day) for day in range(4))
    told = [LeftOut(blurred, "alike", better), LeftOut(better, "not the best", best), LeftOut(dark, "dropped")]
    assert [one.instead for one in shown_instead(told)] == [best, best, None]
    assert shown_instead([*told, LeftOut(best, "no room")])[0].instead is None
