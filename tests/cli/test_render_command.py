"""Films from the command line: how they move, what is on them, what is left when they do not end well."""

import json
import shutil
import signal
import subprocess
import sys
import time

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

SMALL = ("--size", "64")


@pytest.fixture
def own_copy(library, tmp_path):
    """The indexed library with its store copied, to be changed."""
    (tmp_path / "own").mkdir()
    shutil.copy(library.store, tmp_path / "own" / "store.db")
    return type(library)(library.photos, tmp_path / "own" / "store.db")


@pytest.mark.parametrize("transition", ["cut", "crossfade", "blend", "morph"])
def test_the_length_is_that_of_the_photos_and_the_rate_that_of_the_film(library, tmp_path, transition):
    out = tmp_path / "out.gif"
    asked = ("--transition", transition, "--pace", "4", "--fps", "20", *SMALL)
    rendered = library.run("render", "-o", out, *asked)
    assert (rendered.code, rendered.out) == (0, f"{out}: 20 frames, 1.0 s\n"), rendered.err


def test_a_folder_of_pictures_holds_each_photo_once(library, tmp_path):
    assert library.run("render", "-o", tmp_path / "out", *SMALL).code == 0
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_a_film_is_made_again_from_its_record_without_the_store(library, tmp_path):
    label = ("--label", "{date:%Y} · {person}", "--label-corner", "top", "--time-bar")
    assert library.run("render", "-o", tmp_path / "a", *SMALL, *label, "--fps", "24").code == 0
    elsewhere = type(library)(library.photos, tmp_path / "no" / "store.db")
    again = elsewhere.run("render", "--from", tmp_path / "a.json", "-o", tmp_path / "b")
    assert (again.code, again.out) == (0, f"{tmp_path / 'b'}: 8 frames, 0.3 s\n"), again.err
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert not (tmp_path / "no").exists()


def test_photos_that_have_moved_since_are_found_by_the_store(library, tmp_path):
    moved = type(library)(tmp_path / "before", tmp_path / "store.db")
    shutil.copytree(library.photos, moved.photos)
    assert moved.run("update", moved.photos, "--embedder", "dlib-resnet").code == 0
    assert moved.run("render", "-o", tmp_path / "a.gif", *SMALL).code == 0
    moved.photos.rename(tmp_path / "after")
    assert moved.run("roots", "move", tmp_path / "before", tmp_path / "after").code == 0
    again = moved.run("render", "--from", tmp_path / "a.gif.json", "-o", tmp_path / "b.gif")
    assert (again.code, again.err) == (0, "")
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_from_a_record_nothing_else_can_be_asked_for(library, tmp_path):
    refused = library.run("render", "--from", tmp_path / "a.json", "-o", tmp_path / "b.gif", "--fps", "3")
    assert refused.code == 2
    assert "edit that file instead of giving fps" in refused.err


def test_two_people_or_two_times_of_one_stand_side_by_side(own_copy, tmp_path):
    out = tmp_path / "out.png"
    two = own_copy.run(
        "render", "--person", "me", "--compare", "year:2000..2010", "year:2011..", "-o", tmp_path / "out", *SMALL
    )
    assert two.code == 0, two.err
    (width, height), *_ = {Image.open(path).size for path in (tmp_path / "out").iterdir()}
    assert (width, height) == (130, 64)
    assert own_copy.run("render", "--grid", "me", "--grid", "1", "--grid", "1", "-o", out, *SMALL).code == 0
    record_free = own_copy.run("render", "--grid", "me", "--compare", "1", "1", "-o", out)
    assert record_free.code == 1 and "Give one of them" in record_free.err


def test_a_sheet_shows_the_frames_of_the_film(library, tmp_path):
    shown = library.run("render", "-o", tmp_path / "out.jpg", "--label", "year")
    assert (shown.code, shown.out) == (0, f"{tmp_path / 'out.jpg'}: 4 of 4 frames on a sheet\n")


def test_a_label_is_written_in_its_corner(library, tmp_path):
    for name, label in (("plain", ()), ("labelled", ("--label", "date"))):
        assert library.run("render", "-o", tmp_path / name, *SMALL, *label).code == 0
    plain, labelled = (iio.imread(tmp_path / name / "0001.png") for name in ("plain", "labelled"))
    rows, columns = np.nonzero((plain != labelled).any(-1))
    assert rows.min() > 40 and columns.min() < 16


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--label", "{nobody}"), "there is no {nobody}"),
        (("--transition", "cut", "--blend-width", "1s"), "--blend-width is for --transition blend"),
        (("--share", "0.5"), "--share is for --transition crossfade and morph"),
        (("--codec", "prores"), "prores does not go into a .gif file"),
        (("--font", "none.ttf"), "none.ttf: no font"),
        (("--size", "3"), "3"),
    ],
)
def test_what_does_not_go_together_is_said_and_nothing_is_written(library, tmp_path, options, reason):
    refused = library.run("render", "-o", tmp_path / "out.gif", *options)
    assert refused.code == 1 and reason in refused.err
    assert not list(tmp_path.iterdir())


def test_a_film_says_what_was_asked_for_and_no_path(library, tmp_path):
    asked = ("--person", "me", "--years", "2003-2015", "--any-pose")
    assert library.run("render", *asked, "-o", tmp_path / "out.mp4", *SMALL).code == 0
    content = (tmp_path / "out.mp4").read_bytes()
    assert b"person me, years 2003-2015, any pose" in content
    assert str(library.photos).encode() not in content
    assert json.loads((tmp_path / "out.mp4.json").read_text())["query"] == "person me, years 2003-2015, any pose"


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_ctrl_c_leaves_no_half_film(library, tmp_path, name):
    command = [sys.executable, "-m", "alignimation_index", "--store", str(library.store), "render"]
    command += ["-o", str(tmp_path / name), "--size", "256", "--pace", "0.01", "--transition", "crossfade"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 100
        while not any(path.stat().st_size for path in tmp_path.glob(".alignindex-*[!n]")) and running.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130, said
    assert "Interrupted" in said
    assert not list(tmp_path.iterdir())
