from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from fakes import FakeModels, draw_photo, frames, index
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alignimation_index.people.calibration import CALIBRATIONS
from alignimation_index.pipeline.person_answers import name_person
from alignimation_index.store.engine import Store
from alignimation_index.store.tables import Photo, StageRun


def who(store):
    """(file, which of its faces from the left) → person's id and name."""
    found = {(Path(frame.path).name, float(frame.box[0]) // 50): frame for frame in frames(store)}
    return {face: (frame.person_id, frame.person) for face, frame in sorted(found.items())}


def faces(store):
    return {frame.face_id: frame.person_id for frame in frames(store)}


def name(store, person_id, called):
    name_person(store, str(person_id), called)


@pytest.fixture
def blue_then_red(store, fakes, photos):
    """Blue was found first, on later photos; red, whom time puts first, came after. Both are named."""
    for i in range(3):
        draw_photo(photos / f"blue {i}.jpg", "blue", shade=100 + i, taken_at=datetime(2010 + i, 5, 6))
    index(store, fakes, photos)
    for i in range(4):
        draw_photo(photos / f"red {i}.jpg", "red", shade=120 + i, taken_at=datetime(1990 + i, 5, 6))
    index(store, fakes)
    name(store, 1, "Blue")
    name(store, 2, "Red")
    return photos


def everyone():
    blue = {(f"blue {i}.jpg", 0.0): (1, "Blue") for i in range(3)}
    return blue | {(f"red {i}.jpg", 0.0): (2, "Red") for i in range(4)}


def test_people_are_found_and_named(store, blue_then_red):  # noqa: ARG001
    assert who(store) == everyone()


def test_an_assignment_from_scratch_keeps_people_and_names(store, fakes, blue_then_red, monkeypatch):  # noqa: ARG001
    monkeypatch.setitem(CALIBRATIONS, "dlib-resnet", replace(CALIBRATIONS["dlib-resnet"], threshold=1.5))
    looked = dict(fakes.images)
    index(store, fakes)
    assert who(store) == everyone()
    assert fakes.images == looked
    with store.reading() as session:
        keys = session.scalars(select(StageRun.key).where(StageRun.stage == "assign")).all()
    assert (len(keys), len(set(keys))) == (7, 1)


def test_a_detection_with_other_boxes_keeps_faces_people_and_names(store, fakes, blue_then_red):  # noqa: ARG001
    before, boxes = faces(store), [frame.box[0] for frame in frames(store)]
    moved = FakeModels(detector_id="another", shift_px=5)
    index(store, moved)
    assert moved.images["detector"] == 7
    assert [frame.box[0] - left for frame, left in zip(frames(store), boxes, strict=True)] == [5] * 7
    assert faces(store) == before
    assert who(store) == everyone()


def test_a_face_found_elsewhere_is_another_face_of_the_same_person(store, fakes, blue_then_red):  # noqa: ARG001
    before = faces(store)
    index(store, FakeModels(detector_id="another", shift_px=16))
    assert not before.keys() & faces(store).keys()
    assert {person for person, _ in who(store).values()} == {person for person, _ in who(store).values() if person}


def test_another_embedder_keeps_faces_people_and_names(store, fakes, blue_then_red):  # noqa: ARG001
    before = faces(store)
    index(store, FakeModels(embedder_id="facenet-vggface2"))
    assert faces(store) == before
    assert who(store) == everyone()


def test_a_new_photo_joins_the_person_it_shows(store, fakes, blue_then_red):
    draw_photo(blue_then_red / "both.jpg", "red", "blue", shade=140, taken_at=datetime(2000, 5, 6))
    index(store, fakes)
    assert who(store) == everyone() | {("both.jpg", 0.0): (2, "Red"), ("both.jpg", 1.0): (1, "Blue")}


def test_a_name_outlives_the_photos_of_its_person(store, fakes, blue_then_red):
    for path in blue_then_red.glob("blue*"):
        path.rename(blue_then_red.parent / path.name)
    index(store, fakes)
    assert {called for _, called in who(store).values()} == {"Red"}
    for path in blue_then_red.parent.glob("blue*"):
        path.rename(blue_then_red / path.name)
    index(store, fakes)
    assert who(store) == everyone()


ALBUM = [("red", "green"), ("red",), ("green", "blue"), ("red", "blue"), ("green",), ("blue",), ("red", "yellow"), ()]


def results(store):
    """What is known of photos and faces, without the ids: these tell the order of arrival. People: who is with whom."""
    with store.reading() as session:
        hashes = set(session.scalars(select(Photo.content_hash)))
    found = [
        (frame.content_hash, frame.box.tolist(), frame.landmarks.tolist(), frame.quality, frame.residual)
        for frame in frames(store)
    ]
    together: dict[int | None, set[tuple[str, float]]] = {}
    for frame in frames(store):
        together.setdefault(frame.person_id, set()).add((frame.content_hash, float(frame.box[0])))
    strangers = together.pop(None, set())
    return hashes, sorted(found), strangers, {frozenset(faces) for faces in together.values()}


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    return [
        draw_photo(folder / f"{i}.jpg", *shown, shade=100 + 10 * i, taken_at=datetime(2000 + i, 5, 6))
        for i, shown in enumerate(ALBUM)
    ]


@pytest.fixture(scope="module")
def at_once(album, tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("at once") / "store.db")
    index(store, FakeModels(), album[0].parent)
    yield results(store)
    store.close()


def test_the_album_has_three_people_and_a_stranger(at_once):
    _, _, strangers, together = at_once
    assert (len(strangers), sorted(len(faces) for faces in together)) == (1, [3, 3, 4])


@settings(max_examples=4, deadline=None, phases=[Phase.generate])  # each example takes a second
@given(st.permutations(range(len(ALBUM))), st.sets(st.integers(1, len(ALBUM) - 1)))
def test_neither_order_nor_batches_of_arrival_matter(album, at_once, tmp_path_factory, order, cuts):
    store = Store.open(tmp_path_factory.mktemp("in parts") / "store.db")
    bounds = [0, *sorted(cuts), len(ALBUM)]
    for begin, end in pairwise(bounds):
        index(store, FakeModels(), *(album[i] for i in order[begin:end]))
    assert results(store) == at_once
    store.close()
