import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignimation_index.library.takeout.sidecar import GoogleAlbum, GoogleSidecar, SidecarError, read_sidecar

NOWHERE = {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0}
PARIS = {"latitude": 48.858, "longitude": 2.294, "altitude": 35.0}
TITLED = {"title": "a.jpg", "photoTakenTime": {"timestamp": "1437934952", "formatted": "26 Jul 2015"}}


def sidecar(**fields):
    return read_sidecar(json.dumps(TITLED | fields).encode())


def test_a_full_sidecar_is_read():
    full = sidecar(
        description="in Paris",
        geoData=PARIS,
        people=[{"name": "Ada"}, {"name": "Grace"}, {"name": "Ada"}],
        favorited=True,
        archived=True,
        trashed=True,
    )
    taken = datetime(2015, 7, 26, 18, 22, 32)
    people = ("Ada", "Grace")
    assert full == GoogleSidecar("a.jpg", "in Paris", taken, 48.858, 2.294, people, True, True, True)


def test_what_is_absent_is_empty():
    bare = read_sidecar(b'{"creationTime": {}}')
    assert bare == GoogleSidecar("", "", None, None, None, (), False, False, False)


@pytest.mark.parametrize(
    ("timestamp", "taken"),
    [
        ("1437934952", datetime(2015, 7, 26, 18, 22, 32)),
        ("-86400", datetime(1969, 12, 31)),
        ("0", None),
        ("-0", None),
        ("", None),
        ("soon", None),
        ("1437934952.5", None),
        ("999999999999", None),
        ("9" * 5000, None),
        ("١٢٣", None),
        (None, None),
        (1437934952, None),
    ],
)
def test_the_timestamp_is_text_in_utc_and_zero_is_none(timestamp, taken):
    assert sidecar(photoTakenTime={"timestamp": timestamp}).taken_at_utc == taken


@settings(deadline=None)
@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_every_time_is_read_back(time):
    seconds = (time.replace(microsecond=0) - datetime(1970, 1, 1)) // timedelta(seconds=1)
    expected = time.replace(microsecond=0) if seconds else None
    assert sidecar(photoTakenTime={"timestamp": str(seconds)}).taken_at_utc == expected


@pytest.mark.parametrize(
    ("geo", "exif", "place"),
    [
        (PARIS, NOWHERE, (48.858, 2.294)),
        (NOWHERE, PARIS, (48.858, 2.294)),
        (PARIS, {"latitude": 1, "longitude": 1}, (48.858, 2.294)),
        (NOWHERE, NOWHERE, (None, None)),
        ({"latitude": 0, "longitude": 2}, None, (0.0, 2.0)),
        ({"latitude": 91, "longitude": 2}, None, (None, None)),
        ({"latitude": "48.8", "longitude": "2.2"}, None, (None, None)),
        ({"latitude": float("nan"), "longitude": 2}, None, (None, None)),
        ({"latitude": 10**400, "longitude": 2}, None, (None, None)),
        ([48.858, 2.294], None, (None, None)),
    ],
)
def test_the_place_of_the_user_comes_before_that_of_the_camera(geo, exif, place):
    read = sidecar(geoData=geo, geoDataExif=exif)
    assert (read.latitude, read.longitude) == place


@pytest.mark.parametrize("value", [None, False, 1, "true", {}])
def test_only_true_is_true(value):
    read = sidecar(favorited=value, archived=value, trashed=value)
    assert (read.favourite, read.archived, read.trashed) == (False, False, False)


def test_half_a_character_in_a_title_is_replaced():
    assert read_sidecar(rb'{"title": "\ud83d.jpg", "imageViews": "1"}').title == "?.jpg"


@pytest.mark.parametrize(
    ("text", "album"),
    [
        ('{"title": "Paris", "description": "2015", "access": "protected"}', GoogleAlbum("Paris", "2015")),
        ('{"title": ""}', GoogleAlbum("", "")),
        ('{"albumData": {"title": "Paris", "date": {}}}', GoogleAlbum("Paris", "")),
        ('\ufeff{"title": "Été"}', GoogleAlbum("Été", "")),
    ],
)
def test_an_album_has_a_title_and_nothing_of_a_photo(text, album):
    assert read_sidecar(text.encode()) == album


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "broken"),
        (b"{", "broken"),
        (b'{"title": "\xff"}', "broken"),
        (b'{"title": ' + b"9" * 5000 + b"}", "broken"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{}", "neither a photo nor an album"),
        (b"[1]", "neither a photo nor an album"),
        (b"NaN", "neither a photo nor an album"),
        (b'{"title": 7}', "neither a photo nor an album"),
    ],
)
def test_anything_else_is_refused_with_a_reason(data, reason):
    with pytest.raises(SidecarError, match=reason):
        read_sidecar(data)


FIELDS = ["title", "description", "photoTakenTime", "timestamp", "geoData", "latitude", "longitude", "people", "name"]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["0", "-1", "1437934952"]),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), values),
)


@settings(deadline=None)
@given(st.binary() | ANY_JSON.map(json.dumps).map(str.encode))
def test_no_bytes_raise_anything_else(data):
    try:
        read = read_sidecar(data)
    except SidecarError:
        return
    assert isinstance(read, GoogleSidecar | GoogleAlbum)
    read.title.encode()
