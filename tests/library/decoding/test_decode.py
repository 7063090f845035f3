import csv
import functools
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import asymmetric, encode, profile_with_red_and_green_exchanged, with_orientation
from PIL import Image

from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding import colour
from alignimation_index.library.decoding.decode import MAX_PIXELS, decode, open_picture

HOSTILE = Path(__file__).parents[3] / "../shared/data/hostile"
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")


def difference(pixels, image):
    assert pixels.shape[:2] == (image.height, image.width)
    return np.abs(pixels.astype(int) - np.asarray(image.convert("RGB"), int)).max()


@functools.cache
def small_picture(file_format):
    return encode(asymmetric(24, 16), file_format)


def png_header(width, height):
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT5\xaf\x06\x1e"


def hostile_files():
    if not HOSTILE.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason="needs the hostile pictures in ../shared/data"))]
    with (HOSTILE / "index.csv").open(newline="") as index:
        return [pytest.param(HOSTILE / row["file"], id=row["file"]) for row in csv.DictReader(index)]


@pytest.mark.parametrize("path", hostile_files())
@pytest.mark.parametrize("min_side_px", [None, 60])
def test_a_hostile_file_decodes_or_says_why_not(path, min_side_px):
    try:
        photo = decode(path.read_bytes(), min_side_px)
    except DecodeError as error:
        assert str(error).strip()
        return
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.ndim == 3
    assert photo.pixels.shape[2] == 3
    assert photo.pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("min_side_px", [None, 64, 32])
def test_every_orientation_of_a_jpeg_comes_out_upright(orientation, min_side_px):
    upright = asymmetric()
    photo = decode(with_orientation(upright, orientation, quality=95, subsampling=0), min_side_px)
    assert (photo.width_px, photo.height_px) == upright.size
    assert difference(photo.pixels, upright.reduce(128 // (min_side_px or 128))) <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("file_format", "min_side_px"), [("JPEG", 20), ("JPEG", 50), ("PNG", 20)])
def test_a_point_of_a_reduced_picture_maps_to_where_it_is_on_the_photo(file_format, min_side_px, orientation):
    y, x = np.mgrid[:211, :317]
    spot = 255 * np.exp(-((x - 240.0) ** 2 + (y - 60.0) ** 2) / (2 * 12.0**2))
    upright = Image.fromarray(spot.astype(np.uint8)).convert("RGB")
    photo = decode(with_orientation(upright, orientation, file_format, quality=95), min_side_px)
    weight = photo.pixels[..., 0].astype(float)
    rows, columns = np.indices(weight.shape)
    centroid = np.array([(columns * weight).sum(), (rows * weight).sum()], np.float32) / np.float32(weight.sum())
    assert photo.reduction > 1
    assert np.allclose(photo.to_photo(centroid), [240, 60], atol=0.25)
    assert np.allclose(photo.to_decoded(photo.to_photo(centroid)), centroid, atol=1e-3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_orientation_of_other_formats_comes_out_upright(file_format, orientation):
    upright = asymmetric()
    photo = decode(with_orientation(upright, orientation, file_format, quality=95), 64)
    assert (photo.width_px, photo.height_px) == upright.size
    assert difference(photo.pixels, upright.reduce(2)) <= 12


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_an_orientation_that_is_none_is_passed_over(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode(encode(asymmetric(), "JPEG", exif=exif.tobytes())).pixels.shape == (128, 192, 3)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0no tiff at all", b"\xff" * 40]
)
def test_broken_exif_does_not_stop_decoding(exif):
    assert decode(encode(asymmetric(), "JPEG", exif=exif)).pixels.shape == (128, 192, 3)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 320), st.sampled_from(["JPEG", "PNG"]))
def test_the_shorter_side_keeps_its_minimum_and_not_much_more(width, height, min_side_px, file_format):
    photo = decode(encode(Image.new("RGB", (width, height)), file_format), min_side_px)
    shorter = min(photo.pixels.shape[:2])
    assert (photo.width_px, photo.height_px) == (width, height)
    assert min(min_side_px, width, height) <= shorter < max(2 * min_side_px, 2)


def test_a_jpeg_is_decoded_small_rather_than_reduced_afterwards():
    data = encode(asymmetric(2048, 1024), "JPEG")
    with open_picture(data) as image:
        image.draft(None, (128, 128))
        drafted = np.asarray(image.convert("RGB"))
    assert np.array_equal(decode(data, 128).pixels, drafted)


RED, GREY, WHITE = (255, 0, 0), (128, 128, 128), (255, 255, 255)


def palette_with_a_transparent_entry():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    return encode(image, "PNG", transparency=1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encode(Image.new("1", (4, 4), 1)), WHITE),
        (encode(Image.new("L", (4, 4), 128)), GREY),
        (encode(Image.new("LA", (4, 4), (0, 0))), WHITE),
        (encode(Image.new("RGBA", (4, 4), (0, 0, 0, 0))), WHITE),
        (encode(Image.new("RGBA", (4, 4), (0, 0, 0, 127))), GREY),
        (encode(Image.new("RGB", (4, 4), RED).convert("P")), RED),
        (palette_with_a_transparent_entry(), WHITE),
        (encode(Image.new("RGB", (4, 4), RED), transparency=RED), WHITE),
        (encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100), (254, 0, 0)),
        (encode(Image.new("YCbCr", (8, 8), (128, 128, 128)), "JPEG"), GREY),
        (encode(Image.new("LAB", (4, 4), (255, 128, 128)), "TIFF"), WHITE),
        (encode(Image.new("I;16", (4, 4), 128 * 257)), GREY),
        (encode(Image.new("I;16", (4, 4), 65535), "TIFF"), WHITE),
        (encode(Image.new("I", (4, 4), 128 * 257), "TIFF"), GREY),
        (encode(Image.new("F", (4, 4), 128 / 255), "TIFF"), GREY),
        (encode(Image.new("F", (4, 4), 128.0), "TIFF"), GREY),
        (encode(Image.new("F", (4, 4), float("nan")), "TIFF"), (0, 0, 0)),
    ],
    ids="1 L LA RGBA RGBA-half P P-transparent RGB-keyed CMYK YCbCr LAB I;16 I;16-tiff I F F-255 F-nan".split(),  # noqa: SIM905
)
@pytest.mark.parametrize("min_side_px", [None, 2])
def test_every_mode_becomes_rgb(data, expected, min_side_px):
    pixels = decode(data, min_side_px).pixels
    assert pixels.shape[2] == 3
    assert np.abs(pixels.astype(int) - expected).max() <= 1


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kept", [1, 0.7])
def test_a_picture_converted_in_strips_is_as_one_converted_as_a_whole(monkeypatch, mode, kept):
    image = noise(211, 317, "L").convert(mode)
    file_format = "JPEG" if kept < 1 and mode in ("L", "RGB", "CMYK") else "TIFF"
    data = encode(image, file_format)
    data = data[: int(kept * len(data))] if file_format == "JPEG" else data
    whole = decode(data, 30)
    monkeypatch.setattr(colour, "STRIP_PIXELS", 2000)
    in_strips = decode(data, 30)
    assert whole.reduction > 1
    assert np.array_equal(in_strips.pixels, whole.pixels)
    assert in_strips.truncated_to == whole.truncated_to
    assert (whole.truncated_to is not None) == (file_format == "JPEG")


def test_sixteen_bit_greys_are_scaled_and_not_clipped():
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    assert decode(encode(Image.fromarray(ramp))).pixels[0, :, 0].tolist() == list(range(256))


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_the_first_frame_counts(file_format):
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, (0, 255, 0))]
    pixels = decode(encode(frames[0], file_format, save_all=True, append_images=frames[1:])).pixels
    assert np.abs(pixels.astype(int) - RED).max() <= 2


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_embedded_colour_space_is_converted_to_srgb(file_format):
    data = encode(Image.new("RGB", (32, 32), RED), file_format, icc_profile=profile_with_red_and_green_exchanged())
    assert np.abs(decode(data).pixels.astype(int) - (0, 255, 0)).max() <= 4


@pytest.mark.parametrize("profile", [b"broken", b"broken profile, RGB " + bytes(200)])
def test_a_broken_colour_profile_leaves_the_pixels_as_they_are(profile):
    data = encode(Image.new("RGB", (8, 8), RED), "PNG", icc_profile=profile)
    assert decode(data).pixels[0, 0].tolist() == list(RED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"just text", "not a picture in a supported format"),
        (b"%PDF-1.4 ...", "not a picture in a supported format: the content is PDF"),
        (b"<!DOCTYPE html><html>", "the content is HTML"),
        (b"icns\0\0\0\0", "the content is ICNS"),
        (b"\0\0\0\x20ftypisom\0\0", "the content is a video"),
        (b"\x89PNG\r\n\x1a\n", "truncated or damaged: the header of this PNG cannot be read"),
        (png_header(20_000, 20_000), "decompression bomb"),
    ],
)
def test_what_is_no_photo_is_told_in_words(data, reason):
    with pytest.raises(DecodeError, match=reason):
        decode(data)


@pytest.mark.parametrize("limit_of_pillow", [Image.MAX_IMAGE_PIXELS, None])
def test_a_bomb_is_one_whatever_limit_pillow_is_set_to(monkeypatch, limit_of_pillow):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit_of_pillow)
    side = int(MAX_PIXELS**0.5) + 1
    with pytest.raises(DecodeError, match="decompression bomb"):
        decode(png_header(side, side))


def jpeg_header(width, height):
    """A JPEG of another size than it says."""
    data = bytearray(encode(Image.new("L", (8, 8)), "JPEG"))
    size = data.index(b"\xff\xc0") + 5
    data[size : size + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def test_a_jpeg_of_200_million_pixels_comes_reduced():
    data = encode(Image.linear_gradient("L").resize((16_320, 12_240)), "JPEG")
    decoded = decode(data, 1_000)
    assert (decoded.width_px, decoded.height_px, decoded.reduction) == (16_320, 12_240, 8)
    whole = decode(data)
    assert (whole.reduction, whole.pixels.shape) == (2, (6_120, 8_160, 3))
    assert np.abs(whole.pixels[:, 4_000, 0] - np.linspace(0, 255, 6_120)).max() < 4


def test_a_jpeg_of_twice_the_limit_is_a_bomb(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    side = int((2 * MAX_PIXELS) ** 0.5) + 1
    with pytest.raises(DecodeError, match="decompression bomb"):
        decode(jpeg_header(side, side))


def noise(width=200, height=150, mode="RGB"):
    return Image.effect_noise((width, height), 60).convert(mode)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "GIF", "AVIF", "HEIF"])
def test_a_truncated_picture_is_told_so(file_format):
    data = encode(noise(), file_format)
    with pytest.raises(DecodeError, match=r"^truncated"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(("options", "kept"), [({}, 0.07), ({"progressive": True}, 0.6)])
def test_a_truncated_jpeg_with_next_to_no_rows_is_told_so(options, kept):
    data = encode(noise(), "JPEG", **options)
    with pytest.raises(DecodeError, match=r"^truncated"):
        decode(data[: int(kept * len(data))])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("min_side_px", [None, 100, 50, 30])
def test_a_truncated_jpeg_gives_the_rows_that_are_there_and_black(mode, min_side_px):
    data = encode(noise(400, 300, mode), "JPEG", quality=95)
    photo, whole = decode(data[: int(0.6 * len(data))], min_side_px), decode(data, min_side_px)
    left, top, right, bottom = photo.truncated_to
    assert (left, top, right) == (0, 0, 400)
    assert 150 < bottom < 210
    there = bottom // photo.reduction
    assert np.array_equal(photo.pixels[: there - 1], whole.pixels[: there - 1])
    assert not photo.pixels[there + 1 :].any()
    assert whole.truncated_to is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("min_side_px", [None, 60])
def test_what_is_there_of_a_truncated_jpeg_is_turned_with_it(orientation, min_side_px):
    data = with_orientation(Image.new("RGB", (317, 211), "white"), orientation, quality=95)
    photo = decode(data[: int(0.7 * len(data))], min_side_px)
    rows, columns = np.nonzero(photo.pixels.min(axis=2) > 128)
    corners = np.array([(columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)], np.float32)
    expected = photo.to_photo(corners - 0.5) + 0.5
    assert 0.2 < len(rows) / photo.pixels[..., 0].size < 0.95
    assert np.allclose(np.reshape(photo.truncated_to, (2, 2)), expected, atol=photo.reduction + 8)


def test_a_jpeg_that_has_lost_only_its_end_marker_is_nearly_whole():
    photo = decode(encode(noise(), "JPEG")[:-2])
    assert photo.truncated_to is None or photo.truncated_to[3] > 130


def test_lack_of_memory_is_told_in_words():
    with pytest.raises(DecodeError, match="too large for the memory"), open_picture(encode(asymmetric())):
        raise MemoryError


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(FORMATS), st.floats(0, 1), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255))))
def test_damaged_bytes_decode_or_say_why_not(file_format, kept, changes):
    data = bytearray(small_picture(file_format))
    for position, value in changes:
        data[int(position * len(data))] = value
    try:
        assert decode(bytes(data[: int(kept * len(data))])).pixels.dtype == np.uint8
    except DecodeError as error:
        assert str(error).strip()


@given(st.binary())
def test_any_bytes_decode_or_say_why_not(data):
    with pytest.raises(DecodeError, match=r"\S"):
        decode(data)


def test_threads_decode_what_one_thread_decodes():
    photos = [with_orientation(asymmetric(), o, f) for o in range(1, 9) for f in ("JPEG", "PNG", "WEBP", "HEIF")]
    expected = [decode(data, 64).pixels for data in photos]
    with ThreadPoolExecutor(8) as threads:
        for pixels, photo in zip(expected, threads.map(lambda data: decode(data, 64), photos), strict=True):
            assert np.array_equal(pixels, photo.pixels)


def test_pillow_keeps_its_warnings_and_its_log_to_itself(tmp_path):
    too_many_samples = b"\x15\x01\x03\0\1\0\0\0\xff"
    tiff = encode(asymmetric(), "TIFF").replace(too_many_samples[:-1] + b"\x03", too_many_samples)
    (tmp_path / "samples").write_bytes(tiff)
    (tmp_path / "bad_exif").write_bytes(encode(asymmetric(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01"))
    (tmp_path / "large").write_bytes(png_header(10_000, 10_000))
    program = f"""
from pathlib import Path
from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.decode import decode
for path in Path({str(tmp_path)!r}).iterdir():
    try:
        decode(path.read_bytes())
    except DecodeError:
        pass
"""
    done = subprocess.run([sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
