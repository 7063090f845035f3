from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.library.dates.names import NameDate, date_in_name, year_in_name

MOMENT, DAY = datetime(2015, 7, 26, 18, 21, 32), datetime(2015, 7, 26)


@pytest.mark.parametrize(
    "name",
    [
        "IMG_20150726_182132.jpg",
        "IMG_20150726_182132(1).jpg",
        "IMG_20150726_182132_HDR.jpg",
        "IMG_20150726_182132123.jpg",
        "IMG20150726182132.jpg",
        "VID_20150726_182132.mp4",
        "MVIMG_20150726_182132.jpg",
        "00001IMG_00001_BURST20150726182132.jpg",
        "20150726_182132.jpg",
        "20150726-182132.jpg",
        "20150726182132.jpg",
        "20150726T182132.jpg",
        "2015-07-26 18.21.32.jpg",
        "2015-07-26 18.21.32-2.jpg",
        "2015-07-26T18:21:32.jpg",
        "Screenshot_2015-07-26-18-21-32.png",
        "Screenshot_20150726-182132_Chrome.png",
        "Screenshot 2015-07-26 at 18.21.32.png",
        "Screenshot 2015-07-26 at 6.21.32\u202fPM.png",
        "Capture d’écran 2015-07-26 à 18.21.32.png",
        "Снимок экрана 2015-07-26 в 18.21.32.png",
        "signal-2015-07-26-182132.jpg",
        "signal-2015-07-26-18-21-32-678.jpg",
        "photo_2015-07-26_18-21-32.jpg",
        "WhatsApp Image 2015-07-26 at 18.21.32.jpeg",
        "WhatsApp Image 2015-07-26 at 6.21.32 PM (1).jpeg",
        "WP_20150726_18_21_32_Pro.jpg",
    ],
)
def test_a_moment_is_read_from_the_names_that_programs_give(name):
    assert date_in_name(name) == NameDate(MOMENT, has_time=True)


@pytest.mark.parametrize(
    "name",
    [
        "IMG-20150726-WA0001.jpg",
        "DSC_20150726_0012.jpg",
        "WP_20150726_001.jpg",
        "IMG_20150726_999999.jpg",
        "2015-07-26.jpg",
        "2015.07.26 Beach.jpg",
        "2015_07_26_1.jpg",
        "Beach 20150726 (2).jpg",
        "12345678_20150726.jpg",
    ],
)
def test_a_day_without_a_time_is_midnight(name):
    assert date_in_name(name) == NameDate(DAY, has_time=False)


@pytest.mark.parametrize(("text", "hour"), [("12.00.00 AM", 0), ("1.00.00 am", 1), ("12.00.00 PM", 12)])
def test_noon_and_midnight_are_told_apart(text, hour):
    assert date_in_name(f"WhatsApp Image 2015-07-26 at {text}.jpeg").time == datetime(2015, 7, 26, hour)


def test_googles_camera_names_by_utc():
    expected = NameDate(datetime(2023, 10, 6, 6, 39, 9), has_time=True, is_utc=True)
    assert date_in_name("PXL_20231006_063909898.MP.jpg") == expected


@pytest.mark.parametrize("prefix", ["FB_IMG_", "mmexport", "wx_camera_"])
def test_milliseconds_count_behind_a_known_prefix(prefix):
    assert date_in_name(f"{prefix}1428937623123.jpg") == NameDate(datetime(2015, 4, 13, 15, 7, 3), True, True)
    assert date_in_name(f"{prefix}0000000000000.jpg") is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "IMG_3479.JPG",
        "1428937623123.jpg",
        "+491512015072.jpg",
        "2015072618.jpg",
        "201507261821324567.jpg",
        "3f20150726ab.jpg",
        "3f20150726.jpg",
        "9e20150726-182132.jpg",
        "20151726_182132.jpg",
        "20150231_182132.jpg",
        "2015-0726.jpg",
        "19800101_000000.jpg",
        "20000101_000000.jpg",
        "IMG_20990101_120000.jpg",
        "IMG_12345678_182132.jpg",
        "26-07-2015.jpg",
        "٢٠١٥٠٧٢٦.jpg",
    ],
)
def test_other_digits_are_no_date(name):
    assert date_in_name(name) is None


def test_the_first_date_that_can_be_counts():
    assert date_in_name("20151726_20150726_182132.jpg") == NameDate(MOMENT, has_time=True)


@given(st.text() | st.from_regex(r"[A-Z_]{0,5}(19|20)[0-9]{6}[-_ ]?[0-9]{0,9}\.jpg"))
def test_no_name_stops_the_reading(name):
    date_in_name(name)
    year_in_name(name)


@given(st.datetimes(datetime(1990, 1, 2), datetime(2025, 12, 31)).filter(lambda date: (date.month, date.day) != (1, 1)))
def test_every_moment_that_a_phone_writes_is_read_back(moment):
    moment = moment.replace(microsecond=0)
    assert date_in_name(f"IMG_{moment:%Y%m%d_%H%M%S}.jpg").time == moment


@pytest.mark.parametrize(
    "name", ["Photos from 2015", "Fotos von 2015", "2015年の写真", "2015", "2015-07 Italy", "Fotos de 2015 "]
)
def test_a_folder_speaks_of_a_year_in_any_language(name):
    assert year_in_name(name) == 2015


@pytest.mark.parametrize("name", ["", "Italy", "1998-2003", "100CANON", "20150726", "0000", "Flat 1234", "2099"])
def test_other_folders_speak_of_none(name):
    assert year_in_name(name) is None
