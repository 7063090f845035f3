"""`alignindex inspect` on real photos, indexed and not."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from alignimation_index.render.inspect.page import WIDTH_PX


def read(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture
def portrait(tmp_path):
    """A photo that no index knows."""
    path = tmp_path / "collins.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def test_an_indexed_photo_is_drawn(library, tmp_path):
    done = library.run("inspect", library.path(2003), "-o", tmp_path / "seen.png")

    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / 'seen.png'}: what there is to see on {library.path(2003)}\n"
    assert read(tmp_path / "seen.png").shape[1] == WIDTH_PX


def test_a_photo_that_is_not_in_the_index_is_looked_at_and_nothing_is_kept(empty_library, portrait, tmp_path):
    done = empty_library.run("inspect", portrait, "-o", tmp_path / "seen.jpg")

    assert done.code == 0, done.err
    assert read(tmp_path / "seen.jpg").shape[0] > 1200
    assert not empty_library.store.exists()


def test_the_store_is_not_changed(library, portrait, tmp_path):
    before = library.run("photos", "--json").json, library.run("faces", "--json").json

    assert library.run("inspect", portrait, "-o", tmp_path / "seen.png").code == 0

    assert (library.run("photos", "--json").json, library.run("faces", "--json").json) == before


def test_a_pair_is_registered_to_each_other(library, tmp_path):
    done = library.run("inspect", library.path(2003), library.path(2015), "-o", tmp_path / "pair.png")
    assert done.code == 0, done.err
    assert read(tmp_path / "pair.png").shape[1] == WIDTH_PX


def test_no_face_is_a_picture_too(library, tmp_path):
    done = library.run("inspect", library.photos / "coffee.jpg", "-o", tmp_path / "seen.png")
    assert done.code == 0, done.err
    assert read(tmp_path / "seen.png").shape[0] < 1000


def test_what_cannot_be_read_is_named_with_its_reason(library, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")

    broken = library.run("inspect", tmp_path / "broken.jpg", "-o", tmp_path / "seen.png")
    gone = library.run("inspect", tmp_path / "gone.jpg", "-o", tmp_path / "seen.png")

    assert (broken.code, gone.code) == (1, 1)
    assert "broken.jpg cannot be read: not a picture" in broken.err
    assert "gone.jpg cannot be read: No such file" in gone.err
    assert not (tmp_path / "seen.png").exists()


def test_a_pair_needs_a_face_on_both(library, tmp_path):
    done = library.run("inspect", library.path(2003), library.photos / "coffee.jpg", "-o", tmp_path / "seen.png")
    assert done.code == 1
    assert "coffee.jpg: there is no face to register" in done.err


def test_a_face_is_chosen_by_its_number(library, tmp_path):
    numbers = [face["face_id"] for face in library.run("faces", "--json").json if "2003" in face["path"]]

    right = library.run("inspect", library.path(2003), "--face", numbers[0], "-o", tmp_path / "seen.png")
    wrong = library.run("inspect", library.path(2003), "--face", 999, "-o", tmp_path / "seen.png")

    assert right.code == 0, right.err
    assert wrong.code == 1 and f"no face 999 on this photo; choose from {numbers[0]}" in wrong.err
    assert library.run("inspect", library.path(2003), "--face", 1, "--face", 2, "-o", tmp_path / "a.png").code == 2


def test_photos_are_never_written(library, portrait):
    before = portrait.read_bytes()

    itself = library.run("inspect", portrait, "-o", portrait)
    indexed = library.run("inspect", portrait, "-o", library.photos / "seen.png")

    assert itself.code == 1 and "the photo itself" in itself.err
    assert indexed.code == 1 and "indexed folder" in indexed.err
    assert portrait.read_bytes() == before and not (library.photos / "seen.png").exists()
