"""The main job on real photos: index, name, query, render."""

import shutil
from datetime import datetime

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from alignimation_index.models.mtcnn import MtcnnDetector
from alignimation_index.models.onet_refiner import OnetRefiner
from alignimation_index.registration.faces import FACE_TEMPLATE

FACE_FIELDS = ["path", "face_id", "box", "score", "landmarks", "yaw", "pitch", "roll", "frontal", "quality"]
FACE_FIELDS += ["person_id", "person", "assigned_by"]
FRAME_FIELDS = [*FACE_FIELDS, "taken_at", "template", "transform", "residual", "age"]


@pytest.fixture
def own_copy(library, tmp_path):
    """The indexed library with its store copied, to be changed."""
    shutil.copy(library.store, tmp_path / "store.db")
    return type(library)(library.photos, tmp_path / "store.db")


def test_an_update_says_what_it_did_and_a_second_computes_nothing(own_copy):
    again = own_copy.run("update")
    assert again.code == 0
    assert again.out == "5 files: 0 new or changed, 0 gone. 0 photos computed, 0 faces found.\n"
    assert again.err == ""


def test_status_counts_what_is_indexed_and_nothing_is_stale(library):
    status = library.run("status", "--json").json
    counts = {name: status[name] for name in ("files", "photos", "missing", "duplicates", "errors", "faces", "people")}
    assert counts == {
        "files": 5,
        "photos": 5,
        "missing": 0,
        "duplicates": 0,
        "errors": 0,
        "faces": 4,
        "people": 1,
    }
    assert status["roots"] == [str(library.photos)]
    assert (status["embedder"], status["stale"]) == ("dlib-resnet", [])
    assert "faces: 4" in library.run("status").out


def test_faces_are_listed_with_exactly_the_fields_promised(library):
    faces = library.run("faces", "--json").json
    assert [list(face) for face in faces] == [FACE_FIELDS] * 4
    assert [face["path"] for face in faces] == [str(library.path(year)) for year in (2003, 2008, 2015, 2019)]
    assert {(face["person"], face["person_id"], face["assigned_by"]) for face in faces} == {("me", 1, "machine")}
    assert np.shape([face["landmarks"] for face in faces]) == (4, 5, 2)
    assert [face["roll"] for face in faces] == pytest.approx(
        [faces[1]["roll"] - turn for turn in (-6, 0, 7, 3)], abs=1.5
    )


def test_photos_are_listed_with_their_dates_and_those_without_faces_too(library):
    photos = library.run("photos", "--json").json
    assert [photo["path"].rpartition("/")[2] for photo in photos] == [
        "2003.jpg",
        "2008.jpg",
        "2015.jpg",
        "2019.jpg",
        "coffee.jpg",
    ]
    assert photos[0]["taken_at"] == "2003-06-15T12:30:00"
    assert photos[0]["paths"] == [str(library.path(2003))]
    assert (photos[4]["width"], photos[4]["height"], photos[4]["status"]) == (600, 400, "ok")
    assert [photo["path"] for photo in library.run("photos", "year:2008", "--json").json] == [str(library.path(2008))]


def test_the_person_is_listed_with_name_count_and_years(library):
    everyone = library.run("people", "list", "--json").json
    shown = {"id": 1, "name": "me", "photo_count": 4, "first_year": 2003, "last_year": 2019}
    assert [shown.items() <= one.items() for one in everyone] == [True]
    assert "me" in library.run("people", "list").out


def test_a_query_gives_frames_in_every_form(library):
    frames = library.run("query", "person:me year:2004..", "--json").json
    assert [list(frame) for frame in frames] == [FRAME_FIELDS] * 3
    assert [datetime.fromisoformat(frame["taken_at"]).year for frame in frames] == [2008, 2015, 2019]
    rows = library.run("query", "person:me year:2004..", "--csv").rows
    assert [row["path"] for row in rows] == [frame["path"] for frame in frames]
    assert [float(row["residual"]) for row in rows] == [frame["residual"] for frame in frames]
    paths = library.run("query", "person:me", "--years", "2004-2015", "--paths").out.splitlines()
    assert paths == [str(library.path(2008)), str(library.path(2015))]
    assert str(library.path(2008)) in library.run("query", "person:me").out


def test_the_transform_of_a_frame_takes_its_eyes_to_the_templates(library):
    for frame in library.run("query", "--json").json:
        assert frame["template"] == "face"
        eyes = np.column_stack([frame["landmarks"], np.ones(5)])[:2] @ np.array(frame["transform"]).T
        assert np.abs(eyes - FACE_TEMPLATE[:2]).max() < 0.02


def test_a_query_without_a_hit_is_an_empty_list_and_no_error(library):
    nothing = library.run("query", "year:1990", "--json")
    assert (nothing.code, nothing.json) == (0, [])


def test_an_animation_has_a_frame_per_photo_with_the_eyes_in_place(library, tmp_path):
    out = tmp_path / "out.mp4"
    rendered = library.run("render", "--person", "me", "--years", "2003-2015", "-o", out, "--size", "256", "--fps", "5")
    assert rendered.code == 0, rendered.err
    assert rendered.out == f"{out}: 3 frames, 0.6 s\n"
    frames = iio.imread(out)
    assert frames.shape == (3, 256, 256, 3)
    for frame in frames:
        assert np.abs(eyes_on(frame) - FACE_TEMPLATE[:2]).max() < 0.02


def eyes_on(frame):
    """The eyes of the one face on a frame, in the unit square."""
    (found,) = MtcnnDetector().detect([frame], [0.1 * min(frame.shape[:2])])
    (eyes,) = OnetRefiner().refine([frame], [found.landmarks])[0][:, :2]
    return (eyes + 0.5) / frame.shape[0]


def test_a_limit_is_honoured_and_said(library, tmp_path):
    rendered = library.run("render", "-o", tmp_path / "out.gif", "--size", "64", "--limit", "2")
    assert "Left out 2 photos: more than --limit 2" in rendered.out
    assert "4 frames, 0.2 s" in rendered.out


def test_a_sheet_shows_everyone_of_a_persons_photos(library, tmp_path):
    shown = library.run("people", "show", "me", "-o", tmp_path / "sheet.jpg")
    assert (shown.code, shown.out) == (0, f"{tmp_path / 'sheet.jpg'}: 4 of 4 faces\n")
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.width > 4 * 100


def test_a_library_without_errors_lists_none(library):
    assert library.run("errors", "--json").json == []


def test_a_broken_photo_is_listed_with_its_reason_and_the_run_goes_on(own_copy, tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "broken.jpg").write_bytes(own_copy.path(2003).read_bytes()[:2000])
    (folder / "copy.jpg").write_bytes(own_copy.path(2008).read_bytes())
    updated = own_copy.run("update", folder)
    assert updated.code == 0
    assert "1 photos could not be read: see alignindex errors" in updated.err
    (error,) = own_copy.run("errors", "--json").json
    assert error["path"] == str(folder / "broken.jpg")
    assert list(error) == ["path", "stage", "reason"]
    assert error["reason"]
    assert own_copy.run("status", "--json").json["duplicates"] == 1


def test_nothing_is_rendered_into_an_indexed_folder(library, tmp_path):
    before = sorted(library.photos.iterdir())
    refused = library.run("render", "-o", library.photos / "out.mp4")
    assert refused.code == 1
    assert "lies in an indexed folder" in refused.err
    assert "Choose another place" in refused.err
    (tmp_path / "link").symlink_to(library.photos)
    assert library.run("render", "-o", tmp_path / "link" / "out.mp4").code == 1
    assert library.run("render", "-o", library.photos.parent / "no" / ".." / "photos" / "out.mp4").code == 1
    assert sorted(library.photos.iterdir()) == before


def test_no_sheet_is_drawn_into_an_indexed_folder(library):
    refused = library.run("people", "show", "me", "-o", library.photos / "sheet.jpg")
    written = (library.photos / "sheet.jpg").exists()
    (library.photos / "sheet.jpg").unlink(missing_ok=True)
    assert (refused.code, written) == (1, False)


@pytest.fixture
def movable(library, tmp_path):
    """The library with photos of its own, indexed anew."""
    own = type(library)(tmp_path / "photos", tmp_path / "store.db")
    shutil.copytree(library.photos, own.photos)
    assert own.run("update", own.photos, "--embedder", "dlib-resnet").code == 0
    return own


def test_a_photo_that_vanished_or_changed_is_left_out_and_named(movable, tmp_path):
    movable.path(2003).unlink()
    movable.path(2008).write_bytes(movable.path(2015).read_bytes())
    rendered = movable.run("render", "-o", tmp_path / "out.gif", "--size", "64", "--person", "1")
    assert rendered.code == 0
    assert f"Left out {movable.path(2003)}: No such file or directory" in rendered.err
    assert f"Left out {movable.path(2008)}: the file has changed since it was indexed" in rendered.err
    assert "8 frames, 0.3 s" in rendered.out  # the time of those two went to the others


def test_where_nobody_is_named_me_that_is_guessed_and_said(own_copy, tmp_path):
    own_copy.run("people", "name", "1", "Eileen")
    rendered = own_copy.run("render", "-o", tmp_path / "out.gif", "--size", "32")
    assert rendered.code == 0
    assert "Nobody is named me: taking person 1 (Eileen), who is on most photos (4)" in rendered.err
    shown = own_copy.run("people", "show", "eileen", "-o", tmp_path / "sheet.png")
    assert "4 of 4 faces" in shown.out
