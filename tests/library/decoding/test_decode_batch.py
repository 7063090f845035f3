import io
import math
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import asymmetric, encode, profile_with_red_and_green_exchanged, with_orientation
from PIL import Image

from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.batch import _plain_jpeg, _reduced_upright, _reductions, decode_batch
from alignimation_index.library.decoding.decode import TooLargeToShareError, decode


def jpeg(image=None, **options):
    return encode(image or asymmetric(), "JPEG", **options)


def noisy_jpeg(**options):
    """A JPEG of some 200 KB, whose end a few kilobytes of thumbnail do not reach."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    return jpeg(Image.fromarray(noise), quality=95, **options)


def thumbnail_exif():
    """EXIF data with a whole small JPEG in it, as cameras write them."""
    empty_directory = b"Exif\0\0II*\0\x08\0\0\0" + bytes(6)
    return empty_directory + jpeg(asymmetric(80, 60))


def as_nvjpeg_decodes(data):
    """(3, H, W) uint8 as stored, not turned."""
    with Image.open(io.BytesIO(data)) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def test_a_batch_is_what_decode_gives_one_by_one_in_order():
    photos = [
        jpeg(asymmetric(640, 480)),
        encode(asymmetric(200, 300)),
        with_orientation(asymmetric(317, 211), 6),
        encode(asymmetric(64, 64), "WEBP"),
    ]
    for photo, data in zip(decode_batch(photos, 60, "cpu"), photos, strict=True):
        expected = decode(data, 60)
        np.testing.assert_array_equal(photo.pixels, expected.pixels)
        assert (photo.width_px, photo.height_px) == (expected.width_px, expected.height_px)
        assert (photo.reduction, photo.overhang_px) == (expected.reduction, expected.overhang_px)


def test_what_cannot_be_decoded_is_a_value_among_the_others():
    whole = jpeg()
    found = decode_batch([b"", whole, encode(asymmetric())[:1000], b"just text", whole], 64, "cpu")
    assert [isinstance(result, DecodeError) for result in found] == [True, False, True, True, False]
    assert [str(found[index]).split(":")[0] for index in (0, 2)] == ["the file is empty", "truncated"]
    assert found[1].pixels.shape == found[4].pixels.shape == (64, 96, 3)


def test_photos_are_decoded_side_by_side_and_come_in_order():
    together = threading.Barrier(2)

    def decode_together(data, min_side_px):
        together.wait(10)
        return decode(data, min_side_px)

    photos = [encode(asymmetric(100 + i, 80)) for i in range(6)]
    found = decode_batch(photos, 40, "cpu", decode_together, 2)
    assert [photo.width_px for photo in found] == [100 + i for i in range(6)]


def test_what_ends_the_run_does_so_from_a_thread():
    def not_here(*_):
        raise TooLargeToShareError

    with pytest.raises(TooLargeToShareError):
        decode_batch([jpeg(), jpeg()], 40, "cpu", not_here, 2)


def test_no_photo_is_an_input_like_any_other():
    assert decode_batch([], 64, "cpu") == []


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(1001, 667), (333, 500), (640, 480), (61, 37)])
@pytest.mark.parametrize("min_side_px", [37, 110, 222, 667])
def test_pixels_from_a_gpu_are_reduced_and_turned_as_decode_does(orientation, size, min_side_px):
    data = with_orientation(asymmetric(*size), orientation, quality=95)
    photo = _reduced_upright(as_nvjpeg_decodes(data), _plain_jpeg(data), min_side_px)
    expected = decode(data, min_side_px)
    assert (photo.width_px, photo.height_px) == size
    assert (photo.reduction, photo.overhang_px) == (expected.reduction, expected.overhang_px)
    assert photo.pixels.dtype == torch.uint8
    assert tuple(photo.pixels.shape) == expected.pixels.shape
    gap = np.abs(photo.pixels.numpy().astype(int) - expected.pixels)
    # libjpeg fills the block at the end of a side by itself before it reduces it.
    assert gap.mean() < 1
    assert gap.max() <= 12


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
def test_reducing_keeps_the_level_of_an_even_picture(level):
    planes = torch.full((3, 97, 131), level, dtype=torch.uint8)
    header = _plain_jpeg(jpeg(Image.new("RGB", (131, 97))))
    assert (_reduced_upright(planes, header, 10).pixels == level).all()


def test_a_mean_is_rounded_and_not_cut_off():
    planes = torch.tensor([[10, 11], [11, 11]], dtype=torch.uint8).repeat(3, 4, 4)
    header = _plain_jpeg(jpeg(Image.new("RGB", (8, 8))))
    assert (_reduced_upright(planes, header, 4).pixels == 11).all()


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 420))
def test_the_reduction_is_the_one_that_decode_makes(width, height, min_side_px):
    data = jpeg(Image.new("L", (width, height)))
    assert math.prod(_reductions((width, height), min_side_px)) == decode(data, min_side_px).reduction


@pytest.mark.parametrize(
    "data",
    [
        jpeg(),
        jpeg(asymmetric().convert("L")),
        jpeg(progressive=True),
        noisy_jpeg(exif=thumbnail_exif()),
        noisy_jpeg() + b"what a camera adds",
        encode(asymmetric(), "MPO", save_all=True, append_images=[asymmetric()]),
    ],
    ids=["RGB", "grey", "progressive", "thumbnail", "data-behind-the-end", "MPO"],
)
def test_a_whole_jpeg_in_srgb_or_grey_is_for_the_gpu(data):
    with Image.open(io.BytesIO(data)) as image:
        assert _plain_jpeg(data).size == image.size
    assert _plain_jpeg(data).orientation == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xff\xd9",
        encode(asymmetric()),
        encode(asymmetric(), "WEBP"),
        noisy_jpeg()[:-2],
        noisy_jpeg()[:90_000],
        noisy_jpeg(exif=thumbnail_exif())[:40_000],
        jpeg(asymmetric().convert("CMYK")),
        jpeg(icc_profile=profile_with_red_and_green_exchanged()),
    ],
    ids=[
        "empty",
        "no-header",
        "PNG",
        "WebP",
        "no-end",
        "truncated",
        "truncated-with-thumbnail",
        "CMYK",
        "other-colours",
    ],
)
def test_everything_else_is_left_to_pillow(data):
    assert _plain_jpeg(data) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_header_tells_the_stored_size_and_the_orientation(orientation):
    header = _plain_jpeg(with_orientation(asymmetric(192, 128), orientation))
    assert header.orientation == orientation
    assert header.size == ((128, 192) if orientation >= 5 else (192, 128))
