"""How long each frame is shown, and which are left out to make room."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.errors import UserError
from alignimation_index.query.choosing.pacing import LONGEST_S, SHORTEST_S, Pace, parse_duration, schedule
from alignimation_index.query.choosing.thinning import Candidates, thin

DAY_S, YEAR_S = 86400.0, 365.25 * 86400


def candidates(times_s, pinned=()):
    """Frames at these times; the later of two is the better one."""
    times = np.sort(np.asarray(times_s, float)) + 1e-3 * np.arange(len(times_s))
    pins = np.isin(np.arange(len(times)), list(pinned))
    return Candidates(times, np.lexsort((np.arange(len(times)), pins))[::-1].astype(np.int64), pins)


def shown_s(planned):
    return np.diff([*planned.starts_s, planned.seconds])


def unevenly():
    """Five photos in 2003 and two thousand in 2019."""
    years = np.r_[np.linspace(2003, 2003.9, 5), np.linspace(2019, 2019.99, 2000)]
    return candidates(years * YEAR_S)


some_times = st.lists(st.floats(0, 20 * YEAR_S), min_size=1, max_size=60)
paces = st.builds(
    Pace,
    photos_per_second=st.floats(1, 60),
    duration_s=st.none() | st.floats(1, 120),
    even=st.sampled_from(["photos", "time"]),
)


@given(some_times, paces)
def test_frames_rise_from_0_to_the_end_and_none_is_shorter_than_the_shortest(times, pace):
    planned = schedule(candidates(times), pace)
    shown = shown_s(planned)
    assert planned.starts_s[0] == 0
    assert shown.sum() == pytest.approx(planned.seconds)
    assert len(shown) == len(planned.kept) == len(set(planned.kept.tolist())) >= 1
    assert (np.diff(planned.kept) > 0).all()
    assert shown.min() >= pace.shortest_s - 1e-9


@given(some_times, paces)
def test_a_duration_is_met_exactly(times, pace):
    planned = schedule(candidates(times), pace)
    if pace.duration_s is not None:
        assert planned.seconds == pace.duration_s
        assert planned.starts_s[-1] + pace.shortest_s <= pace.duration_s + 1e-9
    elif pace.even == "photos":
        assert planned.seconds == pytest.approx(len(times) / pace.photos_per_second)


@given(st.lists(st.floats(0, YEAR_S), min_size=2, max_size=60), st.data())
def test_pinned_frames_are_never_thinned_out(times, data):
    pinned = data.draw(st.sets(st.integers(0, len(times) - 1), max_size=10))
    for even in ("photos", "time"):
        planned = schedule(candidates(times, pinned), Pace(12, 1.0, even))
        assert pinned <= set(planned.kept.tolist())


@given(some_times, st.integers(1, 70))
def test_thinning_keeps_exactly_as_many_as_are_asked_for(times, count):
    assert len(thin(candidates(times), count)) == min(count, len(times))


def test_more_frames_than_fit_are_thinned_where_they_lie_closest():
    planned = schedule(unevenly(), Pace(12, 10.0))
    assert len(planned.kept) == int(10 / SHORTEST_S)
    assert (planned.kept < 5).sum() == 5


def test_the_best_of_each_slot_of_time_is_kept():
    # Pairs a day apart, a year between them; the later of each is the better one.
    pairs = candidates([year * YEAR_S + day * DAY_S for year in range(10) for day in (0, 1)])
    assert thin(pairs, 10).tolist() == list(range(1, 20, 2))


def test_even_over_time_shows_a_sparse_year_as_long_as_it_may_and_a_crowded_one_no_longer_than_its_share():
    by_photos, by_time = (schedule(unevenly(), Pace(12, 20.0, even)) for even in ("photos", "time"))
    sparse_s = [shown_s(planned)[planned.kept < 5].sum() for planned in (by_photos, by_time)]
    assert sparse_s[0] < 0.5
    assert sparse_s[1] == pytest.approx(5 * LONGEST_S, rel=0.3)
    assert shown_s(by_time).max() <= LONGEST_S + 1e-9


def test_even_over_time_is_in_proportion_where_nothing_holds_it_back():
    planned = schedule(candidates(np.array([0, 2, 3, 5, 6]) * YEAR_S), Pace(12, 20.0, "time"))
    assert shown_s(planned) / 20 == pytest.approx(np.array([2, 1.5, 1.5, 1.5, 1]) / 7.5, rel=1e-3)


def test_a_gap_of_years_does_not_freeze_the_film():
    planned = schedule(candidates([*(np.arange(50) * DAY_S), 19 * YEAR_S]), Pace(12, 20.0, "time"))
    assert shown_s(planned).max() <= 3 * 20 / len(planned.kept) + 1e-9


def test_no_frame_flashes_up_among_frames_that_stay():
    years = candidates([*(np.arange(12) * YEAR_S), 11 * YEAR_S + DAY_S])
    planned = schedule(years, Pace(12, 24.0, "time"))
    assert shown_s(planned).min() > 0.3


def test_photos_of_one_moment_are_all_shown_if_there_is_room():
    assert len(schedule(candidates([5.0] * 20), Pace(12, 10.0)).kept) == 20


def test_without_frames_there_is_no_film():
    planned = schedule(candidates([]), Pace(12, 60.0))
    assert (len(planned.kept), planned.seconds) == (0, 0)


def test_pinned_frames_that_do_not_fit_are_refused_with_what_would_do():
    with pytest.raises(UserError, match=r"20 pinned photos need 1\.60 s, and --duration is 1 s\. Make it longer"):
        schedule(candidates(range(30), range(20)), Pace(12, 1.0))
    with pytest.raises(UserError, match=r"One photo needs 0\.08 s"):
        schedule(candidates([1.0]), Pace(12, 0.05))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("1m30s", 90), ("2m", 120), ("1:30", 90), ("90", 90), ("7.5s", 7.5), ("0.5", 0.5)],
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0", "0s", "1h", "-5", "5s1m", "1m1m"])
def test_what_is_no_duration_is_said(text):
    with pytest.raises(UserError, match=r"is no duration\. Write 60s, 1m30s, 2m or 1:30"):
        parse_duration(text)
