"""A library of real photos, indexed once: the one that the commands are tried on."""

from __future__ import annotations

import os

import pytest
from command_line import Library, save_dated
from PIL import Image
from skimage import data

YEARS_AND_TURNS = ((2003, -6), (2008, 0), (2015, 7), (2019, 3))


def make_photos(folder):
    """Portraits of one person in different years, a little turned, and a photo without a face."""
    folder.mkdir()
    astronaut = Image.fromarray(data.astronaut())
    for year, turn in YEARS_AND_TURNS:
        turned = astronaut.rotate(turn, Image.Resampling.BICUBIC, center=(225, 120))
        save_dated(turned, folder / f"{year}.jpg", year)
    save_dated(Image.fromarray(data.coffee()), folder / "coffee.jpg", 2010)


@pytest.fixture(scope="session", autouse=True)
def no_network_and_no_store_of_the_user(tmp_path_factory):
    before = dict(os.environ)
    os.environ.update({"ALIGNINDEX_OFFLINE": "1", "XDG_DATA_HOME": str(tmp_path_factory.mktemp("data"))})
    os.environ.pop("ALIGNINDEX_STORE", None)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """Indexed, and its person named me; read only."""
    folder = tmp_path_factory.mktemp("library")
    library = Library(folder / "photos", folder / "store.db")
    make_photos(library.photos)
    updated = library.run("update", library.photos, "--embedder", "dlib-resnet")
    assert updated.code == 0, updated.err
    assert library.run("people", "name", "1", "me").code == 0
    return library


@pytest.fixture
def empty_library(tmp_path):
    """A folder with nothing in it, and no store."""
    (tmp_path / "photos").mkdir()
    return Library(tmp_path / "photos", tmp_path / "store.db")
