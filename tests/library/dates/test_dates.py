import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.library.dates.resolve import (
    SOURCES,
    DateCandidate,
    PhotoDate,
    choose_date,
    from_answer,
    from_exif,
    from_folder,
    from_mtime,
    from_name,
    from_sidecar,
    from_xmp,
)
from alignimation_index.library.metadata import PhotoMetadata
from alignimation_index.library.sidecars.xmp import Xmp

TAKEN = datetime(2015, 7, 26, 18, 21, 32)
TAKEN_UTC = TAKEN - timedelta(hours=2)
MTIME_NS = 1_437_927_692_123_456_789  # TAKEN_UTC


def exif(taken_at=TAKEN, source="exif", utc_offset=None):
    return from_exif(PhotoMetadata(4, 3, taken_at, source, utc_offset, None))


EVERY_SOURCE = [
    from_answer(datetime(2001, 7, 26)),
    exif(datetime(2002, 7, 26)),
    from_sidecar(datetime(2003, 7, 26)),
    from_xmp(Xmp(datetime(2004, 7, 26), has_time=True)),
    from_name("2005-07-26.jpg"),
    from_folder("Photos from 2006"),
    exif(datetime(2007, 7, 26), "exif-modified"),
    from_mtime(MTIME_NS),
]


@pytest.mark.parametrize("best", range(len(SOURCES)))
def test_the_most_trusted_source_wins(best):
    assert choose_date(EVERY_SOURCE[best:]).source == SOURCES[best]


def test_nothing_known_is_no_date():
    nothing = [exif(None, None), from_sidecar(None), from_xmp(Xmp()), from_name("a.jpg"), from_folder("a")]
    assert (choose_date(nothing), choose_date([])) == (None, None)


def test_a_sidecar_corrects_the_date_of_a_scan():
    scan, corrected = exif(TAKEN, utc_offset="+02:00"), from_sidecar(datetime(1975, 7, 1, 12))
    assert choose_date([scan, corrected]) == PhotoDate(datetime(1975, 7, 1, 12), "sidecar", None)


@pytest.mark.parametrize("days", [-364, 0, 800])
def test_a_sidecar_that_is_not_much_older_corrects_nothing(days):
    assert choose_date([exif(), from_sidecar(TAKEN + timedelta(days=days))]).taken_at == TAKEN


def test_an_answer_stands_as_given():
    given_by_person = from_answer(datetime(1960, 1, 1))
    assert choose_date([from_sidecar(datetime(1959, 12, 31, 22)), exif(), given_by_person]) == PhotoDate(
        datetime(1960, 1, 1), "answer", None
    )


def test_a_clock_without_an_offset_takes_it_from_a_sidecar():
    assert choose_date([exif(), from_sidecar(TAKEN_UTC)]) == PhotoDate(TAKEN, "exif", "+02:00")


def test_its_own_offset_comes_before_that():
    assert choose_date([exif(utc_offset="+01:00"), from_sidecar(TAKEN_UTC)]).utc_offset == "+01:00"


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(hours=2, minutes=7), timedelta(hours=20)])
def test_a_sidecar_that_shows_no_zone_tells_no_offset(apart):
    assert choose_date([exif(), from_sidecar(TAKEN - apart)]) == PhotoDate(TAKEN, "exif", None)


def test_a_sidecar_is_moved_to_the_wall_clock_of_a_file_name():
    named = from_name("IMG_20150726_182135.jpg")
    assert choose_date([from_sidecar(TAKEN_UTC), named]) == PhotoDate(TAKEN, "sidecar", "+02:00")


def test_a_sidecar_is_moved_by_an_offset_that_another_source_names():
    modified = exif(TAKEN + timedelta(days=3, minutes=4), "exif-modified", "-05:00")
    expected = PhotoDate(TAKEN_UTC - timedelta(hours=5), "sidecar", "-05:00")
    assert choose_date([from_sidecar(TAKEN_UTC), modified]) == expected


@pytest.mark.parametrize(("longitude_deg", "hours"), [(13.4, 1), (-118.2, -8), (0, 0), (180, 12)])
def test_a_sidecar_is_moved_by_the_sun_where_nothing_better_is_known(longitude_deg, hours):
    chosen = choose_date([from_sidecar(TAKEN_UTC)], longitude_deg)
    assert chosen == PhotoDate(TAKEN_UTC + timedelta(hours=hours), "sidecar", f"{hours:+03}:00")


def test_the_sun_does_not_move_what_a_wall_clock_shows():
    assert choose_date([exif()], 150) == PhotoDate(TAKEN, "exif", None)
    taken_for_utc = [from_sidecar(TAKEN), from_name("IMG_20150726_182132.jpg")]
    assert choose_date(taken_for_utc, 150) == PhotoDate(TAKEN, "sidecar", None)


def test_a_sidecar_stays_in_utc_where_nothing_is_known():
    assert choose_date([from_sidecar(TAKEN_UTC)]) == PhotoDate(TAKEN_UTC, "sidecar", None)


def test_a_sidecars_time_may_say_that_it_is_utc():
    aware = TAKEN.replace(tzinfo=timezone(timedelta(hours=2)))
    assert from_sidecar(aware) == from_sidecar(TAKEN_UTC)


def test_a_name_in_utc_becomes_wall_clock_time():
    named = from_name("PXL_20150726_162132123.jpg")
    assert choose_date([named], 30) == PhotoDate(TAKEN, "name", "+02:00")
    assert choose_date([named, exif()]) == PhotoDate(TAKEN, "exif", "+02:00")


def test_a_name_with_a_time_comes_before_an_earlier_day():
    assert choose_date([from_name("IMG-20150725-WA0001.jpg"), from_name("20150726_182132.jpg")]).taken_at == TAKEN


def test_of_the_same_date_twice_the_one_with_an_offset_counts():
    with_and_without = [exif(utc_offset=utc_offset) for utc_offset in (None, "+02:00", None)]
    assert choose_date(with_and_without).utc_offset == "+02:00"


def test_a_year_alone_is_its_middle():
    assert choose_date([from_folder("Photos from 2015")]) == PhotoDate(datetime(2015, 7, 2, 12), "folder-year", None)


def test_of_several_files_the_earliest_counts_to_the_second():
    copied = from_mtime(MTIME_NS + 10**15)
    assert choose_date([copied, from_mtime(MTIME_NS)]) == PhotoDate(TAKEN_UTC, "mtime", None)


def test_the_mtime_of_a_copy_tells_no_offset():
    assert choose_date([exif(), from_mtime(MTIME_NS)]).utc_offset is None


@pytest.mark.parametrize("mtime_ns", [0, 315_532_800 * 10**9, 10**30, -(10**30)])
def test_a_file_system_without_a_clock_tells_no_date(mtime_ns):
    assert from_mtime(mtime_ns) is None


def test_an_unknown_time_in_a_sidecar_is_no_date():
    assert from_sidecar(datetime(1970, 1, 1)) is None


candidates = st.builds(
    DateCandidate,
    source=st.sampled_from(SOURCES),
    time=st.sampled_from([TAKEN, TAKEN_UTC, datetime(2012, 1, 1), datetime(1975, 7, 1)]),
    is_utc=st.booleans(),
    has_time=st.booleans(),
    utc_offset=st.sampled_from([None, "+02:00", "-05:00"]),
)


@given(st.lists(candidates, min_size=1), st.none() | st.floats(-180, 180), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(known, longitude_deg, shuffler: random.Random):
    chosen = choose_date(known, longitude_deg)
    shuffled = [None, *known, *known]
    shuffler.shuffle(shuffled)
    assert choose_date(shuffled, longitude_deg) == chosen


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2025, 1, 1)), st.integers(-14, 14).filter(bool), st.floats(-180, 180)
)
def test_both_clocks_together_give_the_wall_clock_and_its_offset(moment, hours, longitude_deg):
    utc, local = moment.replace(microsecond=0), moment.replace(microsecond=0) + timedelta(hours=hours)
    both = [DateCandidate("sidecar", utc, is_utc=True), DateCandidate("name", local)]
    chosen = choose_date(both, longitude_deg)
    assert (chosen.taken_at, chosen.utc_offset) == (local, f"{hours:+03}:00")
    assert choose_date([both[0], replace(both[1], source="exif")]) == replace(chosen, source="exif")
