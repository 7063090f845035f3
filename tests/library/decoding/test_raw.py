import io
import sys
from datetime import datetime

import numpy as np
import pytest
from PIL import Image
from raw_files import make_dng

from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.decoding.raw import is_camera_raw
from alignimation_index.library.metadata import read_facts

WIDE = Image.new("RGB", (600, 400), "blue")
WIDE.paste("red", (0, 0, 200, 400))  # the left third


def tagged(**tags):
    exif = Image.Exif()
    exif.update({int(tag.removeprefix("tag")): value for tag, value in tags.items()})
    return exif


def colour(pixels, x, y):
    height, width, _ = pixels.shape
    return "red" if pixels[int(y * height), int(x * width), 0] > 128 else "blue"


@pytest.mark.parametrize(
    ("orientation", "shape", "red_at"),
    [
        (1, (400, 600), (0.1, 0.5)),
        (3, (400, 600), (0.9, 0.5)),
        (6, (600, 400), (0.5, 0.1)),
        (8, (600, 400), (0.5, 0.9)),
    ],
)
def test_the_preview_is_turned_as_the_camera_was_held(orientation, shape, red_at):
    photo = decode(make_dng(WIDE, orientation=orientation))
    assert (photo.pixels.shape[:2], (photo.height_px, photo.width_px)) == (shape, shape)
    assert colour(photo.pixels, *red_at) == "red"
    assert colour(photo.pixels, 0.5, 0.5) == "blue"


def test_a_preview_that_says_how_to_turn_it_is_believed():
    photo = decode(make_dng(WIDE, orientation=6, preview_exif=tagged(tag274=1)))
    assert photo.pixels.shape == (400, 600, 3)


def test_a_preview_that_the_camera_has_turned_is_not_turned_again():
    photo = decode(make_dng(WIDE.rotate(-90, expand=True), orientation=6))
    assert photo.pixels.shape == (600, 400, 3)
    assert colour(photo.pixels, 0.5, 0.1) == "red"


def test_a_preview_may_be_decoded_smaller():
    assert decode(make_dng(WIDE), 100).pixels.shape == (100, 150, 3)


@pytest.mark.parametrize("preview", [None, Image.new("RGB", (30, 20), "red")], ids=["none", "a thumbnail"])
def test_without_a_preview_worth_a_look_the_sensor_is_developed(preview):
    photo = decode(make_dng(preview, orientation=6, size=(600, 400)))
    assert photo.pixels.shape == (300, 200, 3)
    assert np.ptp(photo.pixels.astype(int).mean((0, 1))) < 3  # grey


def test_the_facts_are_those_of_the_raw_file():
    about = read_facts(make_dng(WIDE, "2011:02:03 04:05:06", orientation=6)).metadata
    assert (about.width_px, about.height_px, about.camera) == (400, 600, "Acme R1")
    assert (about.taken_at, about.taken_at_source) == (datetime(2011, 2, 3, 4, 5, 6), "exif")


def test_a_plain_tiff_is_no_raw_file():
    out = io.BytesIO()
    WIDE.save(out, "TIFF", tiffinfo={271: "Acme", 272: "Scanner"})
    assert not is_camera_raw(out.getvalue())
    assert is_camera_raw(make_dng(WIDE))


@pytest.mark.parametrize("length", [60, 800, 3000])
def test_a_truncated_raw_file_is_an_error(length):
    with pytest.raises(DecodeError, match="damaged"):
        decode(make_dng(WIDE)[:length])


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(DecodeError, match=r'pip install "alignindex\[raw\]"'):
        decode(make_dng(WIDE))
