from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.library.dates.timestamps import (
    WallClock,
    format_utc_offset,
    is_credible_utc,
    offset_as_delta,
    offset_between,
    parse_date,
    parse_utc_offset,
)

TAKEN = datetime(2004, 5, 6, 7, 8, 9)


@pytest.mark.parametrize(
    "text",
    [
        "2004:05:06 07:08:09",
        "2004-05-06 07:08:09",
        "2004/05/06 07:08:09",
        "2004-05-06T07:08:09Z",
        "2004-05-06T07:08:09.5+02:00",
        "2004: 5: 6 07:08:09",
        " 2004:05:06 07:08:09.123 ",
        "2004:05:06 07:08:09+02:00",
    ],
)
def test_a_date_is_read_however_it_is_written(text):
    assert parse_date(text).time == TAKEN


def test_a_missing_time_is_midnight():
    assert parse_date("2004/05/06") == WallClock(datetime(2004, 5, 6), has_time=False, utc_offset=None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2004",
        "2004-05",
        "2004:13:45 07:08:09",
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2004:05:06 25:00:00",
        "1825:05:06 07:08:09",
        "9999:05:06 07:08:09",
        "٢٠٠٤:٠٥:٠٦ ٠٧:٠٨:٠٩",
    ],
)
def test_what_cannot_be_the_date_of_a_photo_is_none(text):
    assert parse_date(text) is None


@pytest.mark.parametrize("year", [1970, 1980, 2000, 2001, 2002])
def test_the_date_of_a_clock_that_was_never_set_is_none(year):
    assert parse_date(f"{year}:01:01 00:00:00") is None


def test_new_year_fireworks_are_photos():
    assert parse_date("2000:01:01 00:00:01").time == datetime(2000, 1, 1, 0, 0, 1)


@given(st.text() | st.from_regex(r"\s*\d{4}[:/-]\d{1,2}[:/-]\d{1,2} \d\d:\d\d:\d\d.*"))
def test_no_text_breaks_the_date_parser(text):
    parsed = parse_date(text)
    assert parsed is None or parsed.time.year >= 1826
    parse_utc_offset(text)


@given(st.datetimes(datetime(1826, 1, 2), datetime(2025, 12, 31)).filter(lambda date: (date.month, date.day) != (1, 1)))
def test_every_date_written_by_a_camera_is_read_back(date):
    date = date.replace(microsecond=0)
    assert parse_date(f"{date:%Y:%m:%d %H:%M:%S}").time == date


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("+02:00", "+02:00"),
        ("-0530", "-05:30"),
        ("Z", "+00:00"),
        ("+14:00", "+14:00"),
        ("+15:00", None),
        ("+02:60", None),
        ("   :  ", None),
        ("", None),
        ("02:00", None),
    ],
)
def test_an_offset_is_validated(text, offset):
    assert parse_utc_offset(text) == offset


@given(st.integers(-14 * 60, 14 * 60))
def test_every_offset_is_read_back_as_it_was_written(minutes):
    offset = timedelta(minutes=minutes)
    text = format_utc_offset(offset)
    assert (offset_as_delta(text), parse_utc_offset(text)) == (offset, text)


@pytest.mark.parametrize("shift", [timedelta(0), timedelta(hours=-14), timedelta(hours=14)])
def test_a_clock_that_was_never_set_is_recognised_in_utc(shift):
    assert not is_credible_utc(datetime(1980, 1, 1) + shift)
    assert not is_credible_utc(datetime.min)
    assert is_credible_utc(TAKEN)


@pytest.mark.parametrize(
    ("hours", "seconds", "offset_hours"),
    [(2, 0, 2), (2, 59, 2), (-3.5, -59, -3.5), (5.75, 0, 5.75), (2, 61, None), (2.25, 0, None), (14.5, 0, None)],
)
def test_the_offset_between_two_clocks_is_that_of_a_zone(hours, seconds, offset_hours):
    local = TAKEN + timedelta(hours=hours, seconds=seconds)
    expected = None if offset_hours is None else timedelta(hours=offset_hours)
    assert offset_between(local, TAKEN, timedelta(minutes=1)) == expected
