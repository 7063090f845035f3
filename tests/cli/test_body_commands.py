"""Bodies by the command line, where a detector has found them before: no network is needed then."""

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import datetime

import imageio.v3 as iio
import numpy as np
import pytest
from command_line import Library
from drawn_bodies import Drawn, FakeBodies, draw_bodies, place_of
from fakes import FakeModels, index
from made_bodies import similarity

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.pipeline.bodies.find import find_bodies
from alignimation_index.store.bodies import keep_full_masks
from alignimation_index.store.engine import Store

FIELDS = ["path", "body_id", "box", "score", "keypoints", "face_id", "person_id", "person", "assigned_by"]
FIELDS += ["taken_at", "template", "transform", "residual", "age"]
MEDOID = "body-me-left_ear-left_shoulder-left_hip"
MATRICES = {
    2001: similarity(300, 0, 0, 50),
    2002: similarity(260, 0.12, 30, 80),
    2003: similarity(320, -0.1, -20, 70),
    2004: similarity(280, 0.05, 20, 60),
}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """Red, named me, on three photos; on a fourth without a face."""
    folder = tmp_path_factory.mktemp("bodies")
    library = Library(folder / "photos", folder / "store.db")
    for year, matrix in MATRICES.items():
        person = None if year == 2004 else "red"
        path = library.photos / f"{year}.png"
        draw_bodies(path, Drawn(person, matrix), shade=year - 1900, taken_at=datetime(year, 5, 6))
    with closing(Store.open(library.store)) as store:
        index(store, FakeModels(), library.photos)
        find_bodies(store, None, FakeBodies("mediapipe-pose").source, lambda *_: None)
    assert library.run("people", "name", "1", "me").code == 0
    return library


def test_bodies_are_frames_in_every_form(bodies):
    asked = bodies.run("query", "--person", "me", "--body", "--json")
    assert (asked.code, asked.err) == (0, f"3 bodies; registered to the template {MEDOID}\n")
    assert [list(frame) for frame in asked.json] == [FIELDS] * 3
    assert [frame["taken_at"][:4] for frame in asked.json] == ["2001", "2002", "2003"]
    assert {frame["person"] for frame in asked.json} == {"me"}
    hip = KEYPOINT_NAMES.index("left_hip")
    places = [np.array(f["transform"]) @ [*f["keypoints"][hip][:2], 1] for f in asked.json]
    assert np.ptp(places, axis=0).max() < 0.02
    paths = bodies.run("query", "--body", "--years", "2002-", "--paths").out.splitlines()
    assert paths == [str(bodies.photos / "2002.png"), str(bodies.photos / "2003.png")]
    assert [row["template"] for row in bodies.run("query", "--body", "--csv").rows] == [MEDOID] * 3
    assert str(bodies.photos / "2001.png") in bodies.run("query", "--body").out


def test_a_body_without_a_face_is_taken_where_that_is_asked_for_and_said(bodies):
    asked = bodies.run("query", "--any-body", "--json")
    assert "4 bodies, 1 of them without a face that tells who it is" in asked.err
    last = asked.json[-1]
    assert (last["path"], last["face_id"], last["person"]) == (str(bodies.photos / "2004.png"), None, None)
    json.dumps(asked.json, allow_nan=False)


def test_an_animation_of_bodies_keeps_them_in_place(bodies, tmp_path):
    out = tmp_path / "bump"
    rendered = bodies.run("render", "--body", "--person", "me", "-o", out, "--size", "200")
    assert (rendered.code, rendered.out) == (0, f"{out}: 3 frames, 0.2 s\n")
    pictures = [iio.imread(path).astype(int) for path in sorted(out.iterdir())]
    frames = bodies.run("query", "--body", "--json").json
    matrices = [np.array(frame["transform"]) for frame in frames]
    place = np.mean(
        [m @ [*(t @ [*place_of("left_hip"), 1]), 1] for m, t in zip(matrices, [*MATRICES.values()][:3], strict=True)],
        axis=0,
    )
    x, y = np.rint(200 * place - 0.5).astype(int)
    assert all(np.ptp(picture[y, x]) > 25 for picture in pictures)


def test_templates_are_made_listed_renamed_and_removed(bodies):
    reference = str(bodies.photos / "2002.png")
    made = bodies.run("query", "--reference", reference, "--template", "mine", "--keypoints", "left_ear,left_hip")
    assert made.code == 0, made.err
    listed = {one["name"]: one for one in bodies.run("templates", "list", "--json").json}
    assert listed["mine"] == {
        "name": "mine",
        "kind": "body",
        "keypoints": ["left_ear", "left_hip"],
        "person": "me",
        "chosen_by": "reference",
        "registered": 3,
        "reference": reference,
        "content_hash": listed["mine"]["content_hash"],
    }
    assert (listed["face"]["kind"], listed["face"]["registered"]) == ("face", 3)
    assert bodies.run("templates", "rename", "mine", "ours").out == "mine is called ours now.\n"
    assert "left_ear,left_hip" in bodies.run("templates", "list").out
    assert "registered to the template ours" in bodies.run("query", "--template", "ours").err
    assert bodies.run("templates", "remove", "ours").out == "ours is removed; 3 bodies were registered to it.\n"
    gone = bodies.run("query", "--template", "ours")
    assert (gone.code, "alignindex templates list" in gone.err) == (1, True)
    assert bodies.run("templates", "remove", "face").code == 1


def test_unknown_keypoints_are_refused_by_name(bodies):
    refused = bodies.run("query", "--body", "--keypoints", "left_ear,left_belly")
    assert (refused.code, "'left_belly' is unknown" in refused.err) == (1, True)


def test_status_counts_bodies_once_they_were_asked_for(bodies, empty_library):
    assert (
        "bodies: 4 (1 without a face; on 4 photos that were looked at, by mediapipe-pose)" in bodies.run("status").out
    )
    found = bodies.run("status", "--json").json
    assert (found["bodies"]["bodies"], found["stale"]) == (4, [])
    with closing(Store.open(empty_library.store)):
        pass
    assert "bodies:" not in empty_library.run("status").out


def test_bodies_by_another_masks_size_are_stale_and_said_to_be(bodies, tmp_path):
    own = Library(bodies.photos, tmp_path / "store.db")
    own.store.write_bytes(bodies.store.read_bytes())
    with closing(Store.open(own.store)) as store, store.writing() as session:
        keep_full_masks(session, True)
    assert "4 photos stale for bodies: mask_side_px 256 → None" in own.run("status").out


def test_help_and_status_need_no_torch(bodies):
    code = "import sys; from alignimation_index.cli import run; run(sys.argv[1:]); assert 'torch' not in sys.modules"
    command = [sys.executable, "-c", code, "--store", str(bodies.store)]
    for arguments in (["status"], ["render", "--help"], ["templates", "list"]):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, env=os.environ)
        assert done.returncode == 0, done.stderr
