import contextlib
import io
from datetime import datetime
from pathlib import Path

import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.metadata import read_facts, read_metadata
from alignimation_index.library.sidecars.xmp import Xmp

HOSTILE = Path(__file__).parents[2] / "../shared/data/hostile"
ORIGINAL, DIGITIZED, MODIFIED, OFFSET_ORIGINAL, OFFSET_DIGITIZED = 0x9003, 0x9004, 0x0132, 0x9011, 0x9012
MAKE, MODEL, ORIENTATION, XMP = 0x010F, 0x0110, 0x0112, 0x02BC
LATITUDE_LETTER, LATITUDE, LONGITUDE_LETTER, LONGITUDE, GPS_TIME, GPS_DATE = 1, 2, 3, 4, 7, 29
TAKEN = datetime(2004, 5, 6, 7, 8, 9)
BERLIN = {LATITUDE_LETTER: "N", LATITUDE: (52.0, 31.0, 12.0), LONGITUDE_LETTER: "E", LONGITUDE: (13.0, 24.0, 18.0)}
RATED = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""

pillow_heif.register_heif_opener()


def picture(ifd0=None, exif_ifd=None, file_format="JPEG", gps=None, xmp=None):
    exif = Image.Exif()
    exif.update(ifd0 or {})
    exif.get_ifd(0x8769).update(exif_ifd or {})
    exif.get_ifd(0x8825).update(gps or {})
    if xmp and file_format == "TIFF":
        exif[XMP] = xmp
    buffer = io.BytesIO()
    Image.new("RGB", (48, 32)).save(buffer, file_format, exif=exif.tobytes(), **xmp_option(xmp, file_format))
    return buffer.getvalue()


def xmp_option(xmp, file_format):
    if not xmp or file_format == "TIFF":
        return {}
    if file_format != "PNG":
        return {"xmp": xmp}
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return {"pnginfo": chunks}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_format_tells_size_date_offset_and_camera(file_format):
    data = picture(
        {ORIENTATION: 6, MAKE: "Canon", MODEL: "Canon EOS 5D"},
        {ORIGINAL: "2004:05:06 07:08:09", OFFSET_ORIGINAL: "+02:00"},
        file_format,
    )
    metadata = read_metadata(data)
    assert (metadata.width_px, metadata.height_px) == (32, 48)
    assert (metadata.taken_at, metadata.taken_at_source, metadata.utc_offset) == (TAKEN, "exif", "+02:00")
    assert metadata.camera == "Canon EOS 5D"


def test_original_comes_before_digitized_before_modified():
    modified = {MODIFIED: "2010:01:02 03:04:05"}
    digitized = {DIGITIZED: "2006:05:06 07:08:09", OFFSET_DIGITIZED: "-05:00"}
    original = {ORIGINAL: "2004:05:06 07:08:09"}
    dated = [read_metadata(picture(modified, tags)) for tags in (digitized | original, digitized, {})]
    assert [(m.taken_at.year, m.taken_at_source, m.utc_offset) for m in dated] == [
        (2004, "exif", None),
        (2006, "exif", "-05:00"),
        (2010, "exif-modified", None),
    ]


def test_an_impossible_date_gives_way_to_the_next():
    metadata = read_metadata(picture({MODIFIED: "2010:01:02 03:04:05"}, {ORIGINAL: "0000:00:00 00:00:00"}))
    assert (metadata.taken_at.year, metadata.taken_at_source) == (2010, "exif-modified")


def test_a_picture_without_exif_has_a_size_and_nothing_else():
    metadata = read_metadata(picture())
    assert (metadata.width_px, metadata.height_px) == (48, 32)
    assert (metadata.taken_at, metadata.taken_at_source, metadata.utc_offset, metadata.camera) == (None,) * 4


def test_an_offset_written_behind_the_date_counts():
    assert read_metadata(picture({}, {ORIGINAL: "2004:05:06 07:08:09.50+0200"})).utc_offset == "+02:00"


@pytest.mark.parametrize("value", [7, b"2004:05:06 07:08:09\0\0", "2004:05:06 07:08:09\0rest"])
def test_values_of_other_types_do_no_harm(value):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[ORIGINAL] = value
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=exif.tobytes())
    assert read_metadata(buffer.getvalue()).taken_at == (None if value == 7 else TAKEN)


@given(st.data())
def test_exif_that_is_cut_off_or_overwritten_never_stops_reading(data):
    whole = picture({MAKE: "Canon", ORIENTATION: 6}, {ORIGINAL: "2004:05:06 07:08:09"})
    start = whole.index(b"Exif\0\0")
    end = start - 2 + int.from_bytes(whole[start - 2 : start], "big")
    position = data.draw(st.integers(start, end - 1))
    noise = data.draw(st.binary(min_size=1, max_size=20))[: end - position]
    metadata = read_metadata(whole[:position] + noise + whole[position + len(noise) :])
    assert sorted((metadata.width_px, metadata.height_px)) == [32, 48]


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D70", "NIKON D70"),
        ("Apple", "iPhone 7", "Apple iPhone 7"),
        ("SONY  \0\0", "DSC-T1\0", "SONY DSC-T1"),
        ("Canon", None, "Canon"),
        (None, "iPhone 7", "iPhone 7"),
        ("  ", "", None),
    ],
)
def test_a_camera_is_named_by_make_and_model_once(make, model, camera):
    tags = {tag: value for tag, value in ((MAKE, make), (MODEL, model)) if value is not None}
    assert read_metadata(picture(tags)).camera == camera


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_format_tells_position_orientation_and_xmp(file_format):
    data = picture({ORIENTATION: 6}, {}, file_format, gps=BERLIN, xmp=RATED)
    facts = read_facts(data)
    assert facts.position == pytest.approx((52.52, 13.405))
    assert (facts.orientation, facts.xmp.rating, facts.metadata) == (6, 4, read_metadata(data))


def test_a_picture_without_gps_and_xmp_says_so():
    facts = read_facts(picture())
    assert (facts.position, facts.orientation, facts.xmp) == (None, 1, Xmp())


def test_south_and_west_are_negative():
    gps = {**BERLIN, LATITUDE_LETTER: "S", LONGITUDE_LETTER: "W"}
    assert read_facts(picture(gps=gps)).position == pytest.approx((-52.52, -13.405))


@pytest.mark.parametrize(
    "gps",
    [
        {**BERLIN, LATITUDE: (0.0, 0.0, 0.0), LONGITUDE: (0.0, 0.0, 0.0)},
        {**BERLIN, LATITUDE: (91.0, 0.0, 0.0)},
        {**BERLIN, LONGITUDE: (181.0, 0.0, 0.0)},
        {**BERLIN, LATITUDE_LETTER: ""},
        {**BERLIN, LATITUDE: (52.0, 31.0)},
        {LATITUDE_LETTER: "N", LATITUDE: (52.0, 0.0, 0.0)},
    ],
)
def test_a_position_that_cannot_be_is_none(gps):
    assert read_facts(picture(gps=gps)).position is None


@pytest.mark.parametrize(
    ("hour", "minute", "offset"),
    [
        (5, 8, "+02:00"),
        (5, 4, "+02:00"),
        (12, 8, "-05:00"),
        (1, 23, "+05:45"),
        (7, 8, "+00:00"),
        (5, 1, None),
        (4, 54, None),
    ],
)
def test_satellites_tell_an_offset_that_is_not_written(hour, minute, offset):
    gps = {GPS_DATE: "2004:05:06", GPS_TIME: (float(hour), float(minute), 9.0)}
    assert read_metadata(picture({}, {ORIGINAL: "2004:05:06 07:08:09"}, gps=gps)).utc_offset == offset


def test_satellites_do_not_overrule_an_offset_and_say_nothing_of_a_later_change():
    gps = {GPS_DATE: "2004:05:06", GPS_TIME: (5.0, 8.0, 9.0)}
    written = {ORIGINAL: "2004:05:06 07:08:09", OFFSET_ORIGINAL: "+01:00"}
    assert read_metadata(picture({}, written, gps=gps)).utc_offset == "+01:00"
    assert read_metadata(picture({MODIFIED: "2004:05:06 07:08:09"}, gps=gps)).utc_offset is None


@pytest.mark.parametrize("data", [b"", b"just text", b"%PDF-1.4"])
def test_what_is_no_picture_is_refused_as_decode_refuses_it(data):
    with pytest.raises(DecodeError) as of_decode:
        decode(data)
    with pytest.raises(DecodeError) as of_metadata:
        read_metadata(data)
    assert str(of_metadata.value) == str(of_decode.value)


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="needs the hostile pictures in ../shared/data")
def test_hostile_files_that_decode_have_the_size_that_was_read_from_their_header():
    for path in HOSTILE.glob("*[!v]"):
        with contextlib.suppress(DecodeError):
            photo = decode(path.read_bytes(), 30)
            metadata = read_metadata(path.read_bytes())
            assert (metadata.width_px, metadata.height_px) == (photo.width_px, photo.height_px), path


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="needs the hostile pictures in ../shared/data")
def test_a_photo_straight_from_a_phone_tells_its_date_and_camera():
    metadata = read_metadata((HOSTILE / "immich_test_assets__formats__heic__IMG_2682.heic").read_bytes())
    assert (metadata.taken_at, metadata.camera) == (datetime(2019, 3, 21, 11, 4, 22), "Apple iPhone 7")
