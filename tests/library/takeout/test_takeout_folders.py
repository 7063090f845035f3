import unicodedata

import pytest

from alignimation_index.library.takeout.folders import export_folder, folder_kind, is_album_metadata, year_of_folder

YEAR = "Takeout/Google Photos/Photos from 2015"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("takeout-20240101T000000Z-001.zip!", "takeout-20240101T000000Z-002.zip!"),
        ("takeout-20240101T000000Z-001.zip!", "takeout-20240101T000000Z-002"),
        ("takeout-20240101T000000Z-001.zip!", "takeout-20240101T000000Z-012 (1).zip!"),
        ("takeout-20240101T000000Z-001.tgz!", "takeout-20240101T000000Z-1001.tgz!"),
        ("takeout-20240101T000000Z-3-001", "takeout-20240101T000000Z-3-002"),
    ],
)
def test_the_parts_of_one_export_are_one_folder(one, other):
    assert export_folder(f"/x/{one}/{YEAR}/a.jpg") == export_folder(f"/x/{other}/{YEAR}/a.jpg.json")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("takeout-20240101T000000Z-001.zip!", "takeout-20250101T000000Z-001.zip!"),
        ("takeout-20240101T000000Z-3-001", "takeout-20240101T000000Z-4-001"),
        ("holiday-001.zip!", "holiday-002.zip!"),
        ("Takeout", "Takeout 2"),
        ("my takeout-20240101T000000Z-001", "my takeout-20240101T000000Z-002"),
    ],
)
def test_what_may_be_two_exports_stays_two(one, other):
    assert export_folder(f"/x/{one}/{YEAR}/a.jpg") != export_folder(f"/x/{other}/{YEAR}/a.jpg")


def test_two_folders_of_an_export_stay_two():
    part = "/x/takeout-20240101T000000Z-001.zip!/Takeout/Google Photos"
    assert export_folder(f"{part}/Paris/a.jpg") != export_folder(f"{part}/Photos from 2015/a.jpg")


def test_any_other_folder_is_itself_in_nfc():
    assert export_folder(unicodedata.normalize("NFD", "/x/Été/a.jpg")) == "/x/Été"
    assert export_folder("a.jpg") == ""


@pytest.mark.parametrize(
    "name",
    [
        "Photos from 2015",
        "Fotos von 2015",
        "Fotos de 2015",
        "Fotos del 2015",
        "Photos de 2015",
        "Foto da 2015",
        "Foto's van 2015",
        "Foto_s van 2015",
        "Zdjęcia z 2015",
        "Фото за 2015 г.",
        "2015年の写真",
        "2015년의 사진",
        "photos from 2015 ",
        "2015-07-26",
        "2015-07-26 #2",
    ],
)
def test_a_year_folder_is_known_in_many_languages(name):
    assert (folder_kind(name), year_of_folder(name)) == ("year", 2015)
    assert year_of_folder(unicodedata.normalize("NFD", name)) == 2015


@pytest.mark.parametrize("name", ["Summer 2015", "2015", "Photos from 20155", "Photos from 2015 in Paris", "Fotos de "])
def test_an_album_has_no_year(name):
    assert (folder_kind(name), year_of_folder(name)) == ("album", None)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("trash", ["Trash", "Bin", "Papierkorb", "Corbeille", "Cestino", "ゴミ箱"]),
        ("archive", ["Archive", "Archiv", "Archivio", "Архив"]),
        ("locked", ["Locked Folder", "Gesperrter Ordner", "Dossier verrouillé"]),
        ("failed", ["Failed Videos"]),
        ("untitled", ["Untitled", "Untitled(3)", "Untitled (3)", "Sans titre(9)", "Без заглавие(15)"]),
        ("album", ["Paris", "Trash the dress", "Archive(1)", "Google Photos"]),
    ],
)
def test_special_folders_are_known_in_many_languages(kind, names):
    assert {folder_kind(name) for name in names} == {kind}
    assert {folder_kind(f"{unicodedata.normalize('NFD', name)} ") for name in names} == {kind}


@pytest.mark.parametrize(
    "name",
    [
        "metadata.json",
        "Metadaten.json",
        "métadonnées.json",
        "metadati.json",
        "metadatos.json",
        "метаданные.json",
        "METADATA.JSON",
        "metadata(1).json",
    ],
)
def test_the_file_of_an_album_is_known_in_many_languages(name):
    assert is_album_metadata(name)
    assert is_album_metadata(unicodedata.normalize("NFD", name))


@pytest.mark.parametrize(
    "name", ["metadata.jpg.json", "metadata", "metadata.jpg", "IMG_1.jpg.supplemental-metadata.json"]
)
def test_a_sidecar_is_not_the_file_of_an_album(name):
    assert not is_album_metadata(name)
