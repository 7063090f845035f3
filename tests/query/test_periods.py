"""One photo per day, week, month, year or stage of life."""

from datetime import datetime

import pytest
from made_frames import FIRST_DAY, made_frame

from alignimation_index.errors import UserError
from alignimation_index.query.choosing.periods import UNDATED, best_of_periods, parse_every
from alignimation_index.query.choosing.preference import Preference, without


def kept(frames, every, pins=()):
    left_out = best_of_periods(frames, parse_every(every), Preference(pins))
    return without(frames, left_out)


@pytest.mark.parametrize(
    ("every", "days"),
    [
        ("day", [0, 1, 2, 7, 40, 400]),
        ("week", [0, 7, 40, 400]),
        ("month", [0, 40, 400]),
        ("year", [0, 400]),
        ("2", [0, 2, 40]),
        ("9", [0]),
    ],
)
def test_one_of_each_period_is_kept(every, days):
    frames = [made_frame(day) for day in (0, 1, 2, 7, 40, 400)]
    chosen = [(frame.taken_at - FIRST_DAY).days for frame in kept(frames, every)]
    assert len(chosen) == len(days)
    if every in ("day", "week"):
        assert {day // 7 for day in chosen} == {day // 7 for day in days}


def test_it_is_the_best_and_it_is_named_to_those_in_whose_place_it_is_shown():
    blurred, sharp, turned = made_frame(1, sharpness=1.0), made_frame(2), made_frame(3, yaw_deg=30.0)
    left_out = best_of_periods([blurred, sharp, turned], parse_every("month"), Preference())
    assert [(one.frame.path, one.instead.path) for one in left_out] == [
        (blurred.path, sharp.path),
        (turned.path, sharp.path),
    ]
    assert {one.reason for one in left_out} == {"it is not the best of its month"}


def test_pinned_frames_stand_for_their_period():
    frames = [made_frame(1, sharpness=1.0), made_frame(2), made_frame(3, sharpness=0.5)]
    pins = {frames[0].content_hash, frames[2].content_hash}
    assert [frame.path for frame in kept(frames, "month", pins)] == [frames[0].path, frames[2].path]


def test_a_period_is_of_the_clock_on_the_spot():
    before, after = (
        (made_frame(taken_at=datetime(2019, 12, 31, 23, 59))),
        made_frame(taken_at=datetime(2020, 1, 1, 0, 1)),
    )
    assert len(kept([before, after], "day")) == len(kept([before, after], "year")) == 2
    assert len(kept([before, after], "week")) == 1


def test_stages_of_life_follow_each_other_by_age():
    ages = [day / 365.2425 for day in range(0, 10 * 365, 5)]
    frames = [made_frame(day, age_years=age) for day, age in zip(range(0, 10 * 365, 5), ages, strict=True)]
    chosen = kept(frames, "week:1y,month:5y,year")
    counts = [sum(low <= frame.age_years < high for frame in chosen) for low, high in ((0, 1), (1, 5), (5, 10))]
    assert counts == pytest.approx([52, 48, 5], abs=1)


def test_an_age_counts_from_the_birthday_and_not_from_the_first_photo():
    frames = [made_frame(day, age_years=4 + day / 365.2425) for day in range(0, 3 * 365, 5)]
    assert len(kept(frames, "week:1y,month:5y,year")) == pytest.approx(12 + 2, abs=2)


def test_without_a_birthday_a_life_begins_with_the_first_photo():
    frames = [made_frame(day) for day in range(0, 800, 10)]
    chosen = [(frame.taken_at - FIRST_DAY).days for frame in kept(frames, "week:60d,year")]
    assert len([day for day in chosen if day < 60]) == 6
    assert len([day for day in chosen if day >= 60]) == 3


def test_undated_frames_are_of_no_period_but_count_among_photos_in_a_row():
    frames = [made_frame(0), made_frame(None), made_frame(None)]
    left_out = best_of_periods(frames, parse_every("month"), Preference())
    assert [one.reason for one in left_out] == [UNDATED, UNDATED]
    assert len(kept(frames, "2")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fortnight", "'fortnight' is not understood. Write day, week, month, year, a number of photos, or stages"),
        ("0", "'0' is not understood"),
        ("week:1y", "says nothing of later years. End it with one of day, week, month, year alone"),
        ("week:5y,month:1y,year", "the ages must rise from stage to stage"),
        ("week,month", "the ages must rise from stage to stage"),
        ("week:1q,year", "is not understood"),
    ],
)
def test_what_is_no_period_is_said(text, message):
    with pytest.raises(UserError, match=message):
        parse_every(text)
