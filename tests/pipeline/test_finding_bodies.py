"""Finding bodies: once, on demand, whatever happens."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from drawn_bodies import Drawn, FakeBodies, draw_bodies
from fakes import FakeModels, contents, frames, index
from made_bodies import similarity
from sqlalchemy import select

from alignimation_index.errors import DecodeError, UserError
from alignimation_index.models.bodies import BodyModelSource
from alignimation_index.pipeline.bodies import find as pipeline
from alignimation_index.pipeline.bodies.find import find_bodies, find_stale_bodies
from alignimation_index.pipeline.forget import forget
from alignimation_index.pipeline.stages import STAGES
from alignimation_index.store import bodies, runs
from alignimation_index.store.body_tables import Body
from alignimation_index.store.face_tables import Face
from alignimation_index.store.tables import Photo, StageRun

LEFT, RIGHT = similarity(280, 0, -60, 60), similarity(280, 0.1, 110, 60)


@pytest.fixture
def detector():
    return FakeBodies()


three = pytest.mark.usefixtures("three_photos")


@pytest.fixture
def three_photos(photos, store, fakes):
    """Red; red and green side by side; nobody."""
    draw_bodies(photos / "0.png", Drawn("red"), taken_at=datetime(2001, 5, 6))
    both = (Drawn("red", LEFT), Drawn("green", RIGHT))
    draw_bodies(photos / "1.png", *both, taken_at=datetime(2002, 5, 6), shade=100)
    draw_bodies(photos / "2.png", shade=90)
    index(store, fakes, photos)
    return photos


def find(store, detector, **options):
    return find_bodies(store, None, detector.source, lambda *_: None, **options)


def rows(store, *columns):
    with store.reading() as session:
        return session.execute(select(*columns).order_by(columns[0])).all()


@three
def test_bodies_are_found_with_the_faces_that_they_are_of(store, detector):
    report = find(store, detector)
    assert (report.photos_computed, report.photos_failed, report.bodies_found) == (3, 0, 3)
    faces = {frame.face_id: frame for frame in frames(store)}
    found = rows(store, Body.id, Body.face_id, Body.box, Body.keypoints)
    assert sorted(face_id for _, face_id, *_ in found) == sorted(faces)
    for _, face_id, box, keypoints in found:
        face = faces[face_id].box
        assert (box[:2] <= face[:2] + 1).all()
        assert (box[2:] >= face[2:] - 1).all()
        assert np.abs(keypoints[0, :2] - (face[:2] + face[2:]) / 2).max() < 5


@three
def test_a_second_run_computes_nothing_and_chooses_no_network(store, detector):
    find(store, detector)
    before = contents(store)

    def no_network():
        raise AssertionError("a network was chosen")

    report = find_bodies(store, None, no_network, lambda *_: None)
    assert (report.photos_computed, detector.loads, detector.looked) == (0, 1, 3)
    assert contents(store) == before


@three
def test_no_body_is_a_result(store, detector):
    find(store, detector)
    done = {
        photo: status
        for photo, stage, status in rows(store, StageRun.photo_id, StageRun.stage, StageRun.status)
        if stage == "bodies"
    }
    assert list(done.values()) == ["done"] * 3


@three
def test_only_the_photos_asked_for_are_looked_at(store, detector):
    with store.reading() as session:
        (first, *_rest) = session.scalars(select(Photo.id).order_by(Photo.id)).all()
    report = find_stale_bodies(store, None, detector.source, lambda *_: None, photo_ids=[first])
    assert (report.photos_computed, detector.looked) == (1, 1)
    assert find(store, detector).photos_computed == 2


@three
def test_another_model_or_full_masks_find_them_anew(store, detector):
    find(store, detector)
    with store.writing() as session:
        assert bodies.body_model(session) == "fake-bodies"
        bodies.keep_full_masks(session, True)
    assert find(store, detector).photos_computed == 3
    other = FakeBodies("other")
    assert find_bodies(store, "other", other.source, lambda *_: None).photos_computed == 3
    assert {model for _, model in rows(store, Body.id, Body.model)} == {"other"}
    assert find(store, other).photos_computed == 0


def test_a_photo_that_fails_is_one_error_and_the_others_go_on(store, three_photos, detector):
    def refuse(image):
        if image[0, 0, 0] == 100:
            raise DecodeError("too odd")

    detector.before = refuse
    report = find(store, detector)
    assert (report.photos_computed, report.photos_failed, report.bodies_found) == (3, 1, 1)
    with store.reading() as session:
        assert runs.errors(session, STAGES) == [(str(three_photos / "1.png"), "bodies", "too odd")]
    assert find(store, detector).photos_computed == 0


@three
def test_a_network_that_cannot_be_loaded_ends_the_run(store, detector):
    def fail():
        raise UserError("The weights are damaged.")

    with pytest.raises(UserError, match="damaged"):
        find_bodies(store, None, lambda: BodyModelSource("fake-bodies", fail), lambda *_: None)
    assert find(store, detector).photos_computed == 3


def test_an_interrupted_run_keeps_what_it_committed_and_the_next_goes_on(
    store, other_store, photos, detector, monkeypatch
):
    monkeypatch.setattr(pipeline, "PHOTOS_PER_COMMIT", 2)
    monkeypatch.setattr(pipeline, "PHOTOS_PER_TASK", 1)
    for i in range(8):
        draw_bodies(photos / f"{i}.png", Drawn(), shade=90 + i)
    for each in (store, other_store):
        index(each, FakeModels(), photos)

    def interrupt(image):
        if image[0, 0, 0] == 95:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find(store, FakeBodies(before=interrupt))
    left = len(rows(store, Body.id))
    assert 2 <= left <= 5
    assert find(store, detector).photos_computed == 8 - left
    find(other_store, FakeBodies())
    assert contents(store) == contents(other_store)


@three
def test_stopping_keeps_what_is_done(store, detector, monkeypatch):
    monkeypatch.setattr(pipeline, "PHOTOS_PER_TASK", 1)
    assert find(store, detector, stop=lambda: True).photos_computed == 1
    assert find(store, detector).photos_computed == 2


@three
def test_faces_that_are_found_anew_keep_their_bodies_and_new_ones_get_theirs(store, detector):
    find(store, detector)
    before = rows(store, Body.id, Body.face_id)
    index(store, FakeModels(detector_id="another", shift_px=2))
    assert rows(store, Body.id, Body.face_id) == before
    with store.writing() as session:
        session.execute(Face.__table__.delete())
    assert {face_id for _, face_id in rows(store, Body.id, Body.face_id)} == {None}
    index(store, FakeModels(detector_id="a third"))
    faces = [face_id for (face_id,) in rows(store, Face.id)]
    assert sorted(face_id for _, face_id in rows(store, Body.id, Body.face_id)) == faces


def test_who_is_forgotten_leaves_no_body_and_none_is_found_again(store, photos, fakes, detector):
    for i in range(4):
        draw_bodies(
            photos / f"{i}.png",
            Drawn("red", LEFT),
            Drawn("green", RIGHT),
            shade=90 + i,
            taken_at=datetime(2001 + i, 5, 6),
        )
    index(store, fakes, photos)
    find(store, detector)
    red = frames(store)[0].person_id
    forget(store, str(red))
    left = {frame.person_id for frame in frames(store)}
    assert red not in left
    assert len(rows(store, Body.id)) == 4
    find_bodies(store, "other", FakeBodies("other").source, lambda *_: None)
    assert len(rows(store, Body.id)) == 4
    assert None not in {face_id for _, face_id in rows(store, Body.id, Body.face_id)}
