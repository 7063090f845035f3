import numpy as np
import pytest
from PIL import Image, ImageEnhance
from portraits import LANDMARKS, portrait
from skimage.data import astronaut

from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.light import light_of_face, relit
from alignimation_index.render.stills.take import stills


def lit(factor, tint=(1.0, 1.0, 1.0)):
    dimmed = np.asarray(ImageEnhance.Brightness(Image.fromarray(astronaut())).enhance(factor)) * np.array(tint)
    return np.uint8(dimmed.clip(0, 255))


def spread_of_faces(frames, framing):
    made = stills(frames, framing, lambda *_: pytest.fail("skipped"))
    return np.std([still.pixels[60:120, 70:130].mean((0, 1)) for still in made], axis=0)


def test_matched_faces_differ_far_less_in_light_and_colour(tmp_path):
    looks = [lit(0.7), lit(1.0), lit(1.15), lit(1.0, (1.0, 0.95, 0.85)), lit(0.85, (0.92, 0.97, 1.0))]
    frames = [portrait(tmp_path / f"{index}.png", look) for index, look in enumerate(looks)]
    plain, matched = (spread_of_faces(frames, Framing(200, 200, match_light=match)) for match in (False, True))
    assert (matched < 0.5 * plain).all()


def test_a_face_in_its_usual_light_stays_as_it_is():
    light = light_of_face(astronaut(), LANDMARKS)
    assert np.abs(relit(astronaut(), light, light).astype(int) - astronaut()).max() <= 1


def test_black_and_white_stay_black_and_white_and_grey_stays_grey():
    grey = np.repeat(astronaut().mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    bright, dim = light_of_face(lit(1.0, (1.0, 0.9, 0.7)), LANDMARKS), light_of_face(grey // 2, LANDMARKS)
    changed = relit(grey // 2, dim, bright)
    assert np.ptp(changed.astype(int), axis=2).max() == 0
    ends = np.zeros((1, 2, 3), np.uint8)
    ends[0, 1] = 255
    assert np.abs(relit(ends, dim, bright).astype(int) - ends).max() <= 1


def test_a_change_has_a_bound():
    night, day = light_of_face(lit(0.1), LANDMARKS), light_of_face(lit(1.1), LANDMARKS)
    assert relit(lit(0.1), night, day).mean() < 0.6 * lit(1.1).mean()


def test_a_face_beyond_the_picture_has_no_light():
    assert light_of_face(astronaut(), LANDMARKS + 2000) is None
