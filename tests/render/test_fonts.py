from importlib.util import find_spec

import pytest
from PIL import ImageFont

from alignimation_index.errors import UserError
from alignimation_index.render.film.fonts import drawable, font_of


def test_a_letter_loses_an_accent_that_the_font_cannot_draw():
    font = ImageFont.load_default(20)
    assert drawable("Ägypten ő plain", font) == "Agypten o plain"


def test_a_letter_that_the_font_has_stays_as_it_is():
    if find_spec("fontpkg_noto_sans") is None:
        pytest.skip("needs the font package")
    text = "Ägypten Zoë Őrs Łódź Ελένη Анна"
    assert drawable(text, font_of(None, 20)) == text


def test_a_file_that_is_no_font_is_refused_with_what_would_do(tmp_path):
    (tmp_path / "a.ttf").write_text("no font")
    with pytest.raises(UserError, match=r"a\.ttf: no font that can be read.*\.otf"):
        font_of(str(tmp_path / "a.ttf"), 20)
