import random
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.library.variants.candidates import Candidate
from alignimation_index.library.variants.groups import find_variants
from alignimation_index.stages.fingerprint import fingerprint_photos

NOON = datetime(2012, 5, 1, 12)
PORTRAIT = data.astronaut()


def fingerprint(pixels):
    (found,) = fingerprint_photos([DecodedPhoto(pixels, pixels.shape[1], pixels.shape[0])])
    return found


def look(seed):
    """The fingerprint of a made picture: a few random waves."""
    random_ = np.random.default_rng(seed)
    waves = Image.fromarray(random_.integers(0, 255, (6, 6, 3), np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)
    return fingerprint(np.asarray(waves))


def photo(number, name=None, seconds=None, seed=None, pixels=(4000, 3000), **more):
    return Candidate(
        number,
        f"{number:02}",
        (("f", name or f"{number}.jpg"),),
        look(number if seed is None else seed),
        None if seconds is None else NOON + timedelta(seconds=seconds),
        None if seconds is None else "exif",
        None,
        *pixels,
        **more,
    )


def groups(*photos):
    found = {}
    for variant in sorted(find_variants(photos), key=lambda one: one.rank):
        found.setdefault((variant.kind, variant.group_id), []).append((variant.photo_id, variant.role))
    return [(kind, members) for (kind, _), members in sorted(found.items())]


def test_an_edited_copy_stands_before_its_original():
    best_face = photo(1, "a.jpg", quality=0.9)
    assert groups(best_face, photo(2, "a-edited.jpg", quality=0.1)) == [("edited", [(2, "edited"), (1, "original")])]


@pytest.mark.parametrize(
    ("developed", "order"),
    [((4000, 3000), ["developed", "raw"]), ((2900, 2200), ["developed", "raw"]), ((1600, 1200), ["raw", "developed"])],
)
def test_a_developed_photo_stands_before_raw_unless_it_is_far_smaller(developed, order):
    ((kind, members),) = groups(photo(1, "a.nef"), photo(2, "a.jpg", pixels=developed))
    assert (kind, [role for _, role in members]) == ("raw", order)


def test_of_one_name_but_of_two_moments_is_no_pair():
    assert groups(photo(1, "IMG_0001.jpg", 0), photo(2, "IMG_E0001.jpg", 4000)) == []


def test_the_best_face_of_a_burst_is_first_then_the_largest():
    burst = [photo(i, seconds=i, seed=1, pixels=(100 + i, 75 + i)) for i in range(3)]
    assert groups(*burst) == [("burst", [(2, "burst"), (1, "burst"), (0, "burst")])]
    burst[0] = replace(burst[0], quality=0.5)
    assert groups(*burst)[0][1][0] == (0, "burst")


@pytest.mark.parametrize("seconds", [None, 0, 1, 9_000_000])
def test_a_copy_is_found_whatever_the_date(seconds):
    original, copy = photo(1, seconds=0), photo(2, seconds=seconds, seed=1, pixels=(1000, 750))
    ((_, members),) = groups(original, copy)
    assert [id_ for id_, _ in members] == [1, 2]


def test_a_copy_of_another_shape_is_none():
    assert groups(photo(1, seed=1), photo(2, seed=1, pixels=(3000, 3000))) == []


def test_different_photos_of_one_second_are_no_group():
    assert groups(*(photo(i, seconds=0) for i in range(40))) == []


@pytest.mark.parametrize("shift", [3, 6, 12])
def test_a_scene_of_minutes_apart_is_no_group_and_of_seconds_apart_is(shift):
    shifted = fingerprint(np.roll(PORTRAIT, shift, axis=1))
    for seconds, count in ((1, 1), (240, 0)):
        one = replace(photo(1, seconds=0), fingerprint=fingerprint(PORTRAIT))
        other = replace(photo(2, seconds=seconds), fingerprint=shifted)
        assert len(groups(one, other)) == count


@pytest.mark.parametrize("source", ["mtime", "folder-year", "exif-modified", "answer"])
def test_dates_that_are_no_moments_make_no_burst(source):
    shots = [replace(photo(i, seconds=0), taken_at_source=source, fingerprint=None) for i in range(2)]
    alike = [fingerprint(PORTRAIT), fingerprint(np.roll(PORTRAIT, 6, axis=1))]
    assert groups(*(replace(shot, fingerprint=one) for shot, one in zip(shots, alike, strict=True))) == []


def test_what_is_an_edited_pair_and_a_copy_is_one_group():
    found = groups(photo(1, "a.jpg"), photo(2, "a-edited.jpg"), photo(3, "whatsapp.jpg", seed=1))
    assert [(kind, {role for _, role in members}) for kind, members in found] == [
        ("edited", {"edited", "original", "duplicate"})
    ]


def test_without_photos_there_are_no_groups():
    assert find_variants([]) == []


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_in_which_photos_come_does_not_matter(seed):
    shuffled = random.Random(seed)
    names = ("a.jpg", "a-edited.jpg", "a.dng", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    photos = [
        photo(i, name, shuffled.choice([None, 0, 1, 2, 3, 4, 90]), shuffled.randrange(3))
        for i, name in enumerate(names)
    ]
    expected = groups(*photos)
    shuffled.shuffle(photos)
    assert groups(*photos) == expected
