from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from shown import frame_of

from alignimation_index.errors import UserError
from alignimation_index.render.film.label_text import check_locale, label_template, label_text
from alignimation_index.render.film.labels import CORNERS, Labels, labelled, with_time_bar

ADA = frame_of(1, 1170.6, person="Ada Łódź", age_years=7.4, latitude_deg=48.8566, longitude_deg=-32.3522)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (["date"], "16 Mar 2003"),
        (["year", "age"], "2003 · 7 y"),
        (["person", "place"], "Ada Łódź · 48.86° N, 32.35° W"),
        (["{date:%B %Y} ({age})"], "March 2003 (7 y)"),
        (["Summer with {person}"], "Summer with Ada Łódź"),
    ],
)
def test_a_label_says_what_was_asked_for(labels, text):
    assert label_text(label_template(labels), ADA) == text


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (["date", "age", "person"], ""),
        (["{date:%B %Y} ({age})"], ""),
        (["person", "{date:%Y}", "Paris"], "Paris"),
        (["Paris", "age", "{year} - {place}"], "Paris"),
    ],
)
def test_what_is_not_known_is_left_out_with_the_signs_around_it(labels, text):
    assert label_text(label_template(labels), frame_of(2)) == text


@pytest.mark.parametrize("label", ["{name}", "{date", "{}", "{date:%Y} {0}", "{person.secret}", "{age!x}"])
def test_a_template_that_makes_no_sense_is_refused_with_what_it_can_hold(label):
    with pytest.raises(UserError, match=r"--label .*\{date\}, \{year\}, \{age\}, \{person\}, \{place\}"):
        label_template([label])


def test_dates_are_in_the_language_asked_for():
    if find_spec("babel") is None:
        pytest.skip("needs babel")
    assert label_text("{date}", ADA, "de_DE") == "16. März 2003"
    assert label_text("{date:%B %Y}", ADA, "ru_RU") == "март 2003"
    assert label_text("{date:%A, %d %b}", ADA, "fr_FR") == "dimanche, 16 mars"
    with pytest.raises(UserError, match=r"no locale 'xx_YY'.*de_DE"):
        check_locale("xx_YY")


def test_without_the_names_of_months_another_language_is_refused_with_what_to_install():
    if find_spec("babel") is not None:
        pytest.skip("babel is here")
    with pytest.raises(UserError, match=r'pip install "alignindex\[locale\]"'):
        check_locale("de_DE")


def picture(width=320, height=200, shade=128, channels=3):
    return np.full((height, width, channels), shade, np.uint8)


def changed(before, after):
    """(left, top, right, bottom) of what differs, as parts of the picture's sides."""
    rows, columns = np.nonzero((before != after).any(-1))
    height, width = before.shape[:2]
    return columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("size", [(320, 200), (200, 320)])
def test_a_label_stands_in_its_corner_and_within_the_picture(corner, size):
    before = picture(*size)
    left, top, right, bottom = changed(before, labelled(before, "3 May 2003", Labels(corner=corner)))
    assert (bottom < 0.25) if corner.startswith("top") else (top > 0.75)
    if corner.endswith("left"):
        assert left < 0.1
    elif corner.endswith("right"):
        assert right > 0.9
    else:
        assert left == pytest.approx(1 - right, abs=0.05)


def test_a_label_can_be_read_on_black_on_white_and_on_grey():
    for shade in (0, 128, 255):
        text = labelled(picture(shade=shade), "Ada", Labels(size=0.15))
        assert text.max() == 255 and text.min() < 60


def test_a_longer_text_becomes_smaller_and_none_is_cut():
    before = picture()
    left, _, right, _ = changed(before, labelled(before, "a very long text " * 3, Labels(size=0.1)))
    assert left > 0 and right < 1
    assert right - left > 0.8


def test_a_size_is_a_part_of_the_shorter_side():
    before = picture(400, 400)
    heights = []
    for size in (0.05, 0.1):
        _, top, _, bottom = changed(before, labelled(before, "Ag", Labels(size=size)))
        heights.append(bottom - top)
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.15)


def test_nothing_to_say_is_no_copy_and_the_picture_is_never_written_to():
    before = picture()
    assert labelled(before, "", Labels()) is before
    labelled(before, "Ada", Labels())
    assert (before == 128).all()


def test_where_there_is_a_label_a_transparent_picture_becomes_opaque():
    before = picture(channels=4, shade=0)
    after = labelled(before, "Ada", Labels(size=0.15))
    assert after[..., 3].max() == 255 and after[:20, :, 3].max() == 0


@pytest.mark.parametrize(("share", "bright"), [(0.0, 0), (0.5, 160), (1.0, 320)])
def test_the_time_bar_is_as_long_as_the_time_that_has_passed(share, bright):
    bar = with_time_bar(picture(), share)
    assert int((bar[-1, :, 0] > 180).sum()) == pytest.approx(bright, abs=1)
    assert (bar[:-3] == 128).all()


def test_another_font_is_another_text():
    from alignimation_index.render.film.fonts import font_of

    shipped = getattr(font_of(None, 20), "path", None)
    if not isinstance(shipped, str):
        pytest.skip("needs a font file")
    plain = Labels()
    assert (labelled(picture(), "Ada", plain) != labelled(picture(), "Ada", replace(plain, font=shipped))).any()
