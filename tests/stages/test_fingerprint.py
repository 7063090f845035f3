import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from skimage import data

from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.library.decoding.decode import decode
from alignimation_index.stages.fingerprint import TONES_PX, fingerprint_photos

PORTRAIT = Image.fromarray(data.astronaut())
OTHERS = [data.coffee(), data.chelsea(), data.rocket(), np.fliplr(data.astronaut())]


def difference(one, other):
    """Bits of the hashes, and the largest difference of tones, by which two fingerprints differ."""
    a, b = (np.frombuffer(found, np.uint8) for found in (one, other))
    return int(np.unpackbits(a[:8] ^ b[:8]).sum()), int(abs(a[8:].astype(int) - b[8:]).max())


def fingerprint(pixels):
    (found,) = fingerprint_photos([DecodedPhoto(pixels, pixels.shape[1], pixels.shape[0])])
    return found


def taken(image):
    return fingerprint(np.asarray(image))


def encoded(image, quality):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out)


@pytest.mark.parametrize("quality", [30, 60, 95])
@pytest.mark.parametrize("side", [150, 256, 400, 512])
def test_a_picture_encoded_again_and_scaled_has_nearly_the_same(quality, side):
    copy = encoded(PORTRAIT.resize((side, side), Image.Resampling.LANCZOS), quality)
    bits, tone = difference(taken(PORTRAIT), taken(copy))
    assert bits <= 3
    assert tone <= 10


def test_a_brighter_picture_has_nearly_the_same_hash_and_other_tones():
    bits, tone = difference(taken(PORTRAIT), taken(ImageEnhance.Brightness(PORTRAIT).enhance(0.8)))
    assert bits <= 3
    assert tone > 10


@pytest.mark.parametrize("other", OTHERS)
def test_other_pictures_are_far(other):
    bits, _ = difference(taken(PORTRAIT), taken(other))
    assert bits > 16


def test_it_is_8_bytes_of_hash_and_a_square_of_tones():
    assert len(taken(PORTRAIT)) == 8 + TONES_PX**2


def test_tones_are_means_of_what_they_cover():
    halves = np.zeros((100, 200, 3), np.uint8)
    halves[:, 100:] = 200
    tones = np.frombuffer(fingerprint(halves), np.uint8)[8:].reshape(TONES_PX, TONES_PX)
    assert (tones[:, : TONES_PX // 2] == 0).all()
    assert (tones[:, TONES_PX // 2 :] == 200).all()


@pytest.mark.parametrize("shape", [(1, 1), (5, 700), (33, 31)])
def test_any_shape_has_one_or_none(shape):
    noise = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)
    assert fingerprint(noise) is None or len(fingerprint(noise)) == 8 + TONES_PX**2


def test_what_has_no_contrast_or_is_not_all_there_has_none():
    grey = np.full((100, 100, 3), 90, np.uint8)
    whole = DecodedPhoto(data.astronaut(), 512, 512)
    cut = DecodedPhoto(data.astronaut(), 512, 512, truncated_to=(0, 0, 512, 200))
    found = fingerprint_photos([DecodedPhoto(grey, 100, 100), cut, whole])
    assert found == [None, None, taken(PORTRAIT)]


@pytest.mark.parametrize("min_side_px", [500, 170, 130])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_reduced_decode_has_nearly_that_of_the_whole(min_side_px, orientation):
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    PORTRAIT.crop((0, 0, 511, 509)).save(out, "JPEG", exif=exif)
    whole, reduced = fingerprint_photos([decode(out.getvalue()), decode(out.getvalue(), min_side_px)])
    bits, tone = difference(whole, reduced)
    assert bits <= 2
    assert tone <= 4


def test_a_tensor_has_that_of_its_pixels():
    bits, tone = difference(taken(PORTRAIT), fingerprint(torch.from_numpy(data.astronaut())))
    assert bits <= 1
    assert tone <= 1
