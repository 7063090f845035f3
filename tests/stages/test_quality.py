import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage import data

from alignimation_index.datatypes import DecodedPhoto, Detections
from alignimation_index.stages.quality import measure_quality

BOX = np.array([[177.3, 58.7, 266.4, 171.3]], np.float32)
LANDMARKS = np.array([[[202.8, 100.3], [246.8, 102.6], [223.6, 125.8], [203.9, 139.8], [243.4, 141.0]]], np.float32)


@pytest.fixture(scope="module")
def astronaut():
    return Image.fromarray(data.astronaut())


def measured(picture, scale=1.0, score=0.99):
    """The quality of the astronaut's face in a picture that shows her at `scale`."""
    pixels = np.array(picture)
    photo = DecodedPhoto(pixels, pixels.shape[1], pixels.shape[0])
    landmarks = ((LANDMARKS + 0.5) * scale - 0.5).astype(np.float32)
    faces = Detections((BOX * scale).astype(np.float32), np.array([score], np.float32), landmarks)
    return measure_quality([photo], [faces], [landmarks])[0]


def test_size_is_the_longer_side_of_the_box_and_all_shares_lie_between_0_and_1(astronaut):
    found = measured(astronaut)
    assert found.size_px[0] == pytest.approx(112.6, abs=0.01)
    assert 0 < found.brightness[0] < 1
    assert 0 < found.quality[0] < 1
    assert {values.dtype for values in (found.size_px, found.sharpness, found.quality)} == {np.dtype(np.float32)}


def test_a_blurred_face_is_less_sharp_and_worth_less(astronaut):
    sharp, blurred = measured(astronaut), measured(astronaut.filter(ImageFilter.GaussianBlur(2)))
    assert blurred.sharpness[0] < 0.5 * sharp.sharpness[0]
    assert blurred.quality[0] < 0.95 * sharp.quality[0]


@pytest.mark.parametrize("gain", [0.2, 2.5])
def test_a_dark_or_overexposed_face_is_worth_less(astronaut, gain):
    lit, badly_lit = measured(astronaut), measured(astronaut.point(lambda value: value * gain))
    assert abs(badly_lit.brightness[0] - 0.5) > abs(lit.brightness[0] - 0.5)
    assert badly_lit.quality[0] < lit.quality[0]


def test_a_smaller_face_is_worth_less_and_no_sharper(astronaut):
    half = measured(astronaut.resize((256, 256), Image.Resampling.LANCZOS), 0.5)
    whole = measured(astronaut)
    assert half.size_px[0] == pytest.approx(whole.size_px[0] / 2)
    assert half.sharpness[0] < whole.sharpness[0]
    assert half.quality[0] < whole.quality[0]


def test_a_doubtful_detection_is_worth_less(astronaut):
    assert measured(astronaut, score=0.7).quality[0] < measured(astronaut, score=0.99).quality[0]


def test_a_reduced_decode_is_measured_in_pixels_of_the_full_photo(astronaut):
    pixels = np.array(astronaut.reduce(2))
    photo = DecodedPhoto(pixels, 512, 512, reduction=2)
    faces = Detections(BOX, np.array([0.99], np.float32), LANDMARKS)
    (found,) = measure_quality([photo], [faces], [LANDMARKS])
    assert found.size_px[0] == pytest.approx(112.6, abs=0.01)
    assert found.brightness[0] == pytest.approx(measured(astronaut).brightness[0], abs=0.01)


def test_a_black_photo_is_worth_nothing_and_no_nan():
    found = measured(Image.new("RGB", (512, 512)))
    assert (found.sharpness[0], found.brightness[0], found.quality[0]) == (0, 0, 0)


def test_no_face_is_a_result_like_any_other(astronaut):
    pixels = np.array(astronaut)
    (found,) = measure_quality([DecodedPhoto(pixels, 512, 512)], [Detections.none()], [np.zeros((0, 5, 2), np.float32)])
    assert [len(values) for values in (found.size_px, found.sharpness, found.brightness, found.quality)] == [0] * 4


def test_faces_of_several_photos_are_measured_together_as_they_are_alone(astronaut):
    photos = [DecodedPhoto(np.array(picture), 512, 512) for picture in (astronaut, Image.new("RGB", (512, 512)))]
    photos.append(DecodedPhoto(np.array(astronaut.reduce(2)), 512, 512, reduction=2))
    one, none = Detections(BOX, np.array([0.99], np.float32), LANDMARKS), Detections.none()
    two = Detections(
        np.concatenate([BOX, BOX / 2]),
        np.array([0.9, 0.8], np.float32),
        np.concatenate([LANDMARKS, LANDMARKS + np.float32(30)]),
    )
    faces = [one, none, two]
    landmarks = [found.landmarks for found in faces]
    together = measure_quality(photos, faces, landmarks)
    for found, count, *alone in zip(together, (1, 0, 2), photos, faces, landmarks, strict=True):
        (expected,) = measure_quality(*([value] for value in alone))
        for name in ("size_px", "sharpness", "brightness", "quality"):
            assert len(getattr(found, name)) == count
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-3)
