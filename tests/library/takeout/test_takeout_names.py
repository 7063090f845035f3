import unicodedata

import pytest

from alignimation_index.library.takeout.names import clipped, is_creation, is_edited, media_name, split_name


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("IMG_1-edited.jpg", "IMG_1"),
        ("IMG_1-Edited.JPG", "IMG_1"),
        ("IMG_1-edited(1).jpg", "IMG_1(1)"),
        (unicodedata.normalize("NFD", "IMG_1-modifié.jpg"), "IMG_1"),
        ("IMG_1-bearbeitet.jpg", "IMG_1"),
        ("IMG_1-编辑.jpg", "IMG_1"),
        ("x" * 44 + "-ed.jpg", "x" * 44),
        ("x" * 43 + "-edi(1).jpg", "x" * 43 + "(1)"),
        ("IMG_1-ed.jpg", None),
        ("x" * 45 + "-e.jpg", None),
        ("IMG_1.jpg", None),
        ("-edited.jpg", None),
        ("unedited.jpg", None),
    ],
)
def test_an_edited_copy_names_its_original(name, original):
    assert is_edited(name) == original


@pytest.mark.parametrize("kind", ["effects", "MOTION", "ANIMATION", "smile", "COLLAGE", "mix"])
def test_a_creation_is_known_by_its_suffix(kind):
    assert is_creation(f"IMG_1-{kind}.jpg")
    assert is_edited(f"IMG_1-{kind}.jpg") is None
    assert not is_creation(f"IMG_1{kind}.jpg")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("IMG_1.jpg", ("IMG_1", "", ".jpg")),
        ("IMG_1(2).jpg", ("IMG_1", "(2)", ".jpg")),
        ("IMG_1(1)(2).jpg", ("IMG_1(1)", "(2)", ".jpg")),
        ("PXL_1.MP~2", ("PXL_1", "", ".MP~2")),
        ("PXL_1.MP(2)", ("PXL_1.MP", "(2)", "")),
        ("a (b)", ("a (b)", "", "")),
        ("(2)", ("", "(2)", "")),
        ("", ("", "", "")),
    ],
)
def test_a_name_has_a_stem_a_counter_and_an_extension(name, parts):
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("abcdef", ["abc"]),
        ("ab", ["ab"]),
        ("a😀😀", ["a😀"]),
        ("😀😀😀", ["😀😀", "😀"]),
        ("éab", ["éab", "éa"]),
    ],
)
def test_a_limit_counts_utf_16_units(text, cuts):
    assert clipped(text, 3) == cuts


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("27/06/12 - 1.mov", "27_06_12 - 1.mov"),
        ("x" * 60 + ".jpeg", "x" * 47 + ".jpeg"),
        ("x" * 60, "x" * 47),
        ("😀" * 25 + ".jpg", "😀" * 24 + ".jpg"),
    ],
)
def test_a_title_becomes_a_name(title, name):
    assert media_name(title) == name
