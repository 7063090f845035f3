"""A library of real photos, indexed once: the one that the commands are tried on."""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from alignimation_index.cli import run

YEARS_AND_TURNS = ((2003, -6), (2008, 0), (2015, 7), (2019, 3))
DATE_TIME_ORIGINAL = 0x9003
EXIF_IFD = 0x8769


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        return list(csv.DictReader(io.StringIO(self.out)))


@dataclass
class Library:
    """A folder of photos and the store that knows it."""

    photos: Path
    store: Path

    def run(self, *arguments):
        """Run the command line on this store, in this process."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err):
            code = run(["--store", str(self.store), *map(str, arguments)])
        return Outcome(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))

    def path(self, year):
        return self.photos / f"{year}.jpg"


def save_dated(image, path, year):
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[DATE_TIME_ORIGINAL] = f"{year}:06:15 12:30:00"
    image.save(path, quality=95, exif=exif)


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
