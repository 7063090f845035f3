import numpy as np
import pytest
from sqlalchemy import func, select

from alignimation_index.datatypes import Detections
from alignimation_index.store import faces, people, runs
from alignimation_index.store.face_tables import Assignment, Embedding, Face, Transform
from alignimation_index.store.files import link_photos, update_photos
from alignimation_index.store.tables import File, Photo, Root, StageRun

SECOND, FIRST = 70, 10


@pytest.fixture
def session(store):
    with store.writing() as session:
        session.add(Root(id=1, path="/p"))
        session.flush()
        for number in range(1, 6):
            session.add(File(id=number, root_id=1, path=f"/p/{number}", size=1, mtime_ns=1, inode=number))
        session.flush()
        yield session


@pytest.fixture
def photos(session):
    return link_photos(session, [(1, "a"), (2, "b")])


def found(*lefts, score=0.9):
    boxes = np.array([[left, 0, left + 40, 40] for left in lefts], np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(len(lefts), score, np.float32), np.zeros((len(lefts), 5, 2), np.float32))


def pose(*yaws):
    return {"yaw_deg": np.array(yaws, np.float32), "frontal": np.array(yaws) < 20}


def rows(session, photo_id):
    columns = (Face.id, Face.box, Face.yaw_deg, Face.frontal)
    return session.execute(select(*columns).where(Face.photo_id == photo_id).order_by(Face.id)).all()


def test_new_contents_are_numbered_in_the_order_given_and_known_ones_keep_their_photo(session):
    assert link_photos(session, [(3, "x"), (1, "y")]) == [1, 2]
    assert link_photos(session, [(4, "z"), (2, "x"), (5, "z")]) == [3, 1, 3]
    assert session.scalars(select(Photo.content_hash).order_by(Photo.id)).all() == ["x", "y", "z"]
    assert session.scalars(select(File.photo_id).order_by(File.id)).all() == [2, 1, 1, 3, 3]


def test_a_new_face_is_stored_with_what_all_stages_found(session, photos):
    ids = faces.replace_faces(session, {photos[0]: found(FIRST, SECOND)}, {photos[0]: pose(10, 30)})
    assert [(row.id, row.yaw_deg, row.frontal) for row in rows(session, photos[0])] == [
        (ids[photos[0]][0], 10, True),
        (ids[photos[0]][1], 30, False),
    ]


def test_faces_get_the_same_ids_in_one_batch_as_photo_by_photo(session, photos):
    detections = {photos[1]: found(FIRST, SECOND), photos[0]: found(FIRST)}
    together = faces.replace_faces(session, detections)
    assert together == {photos[1]: [1, 2], photos[0]: [3]}
    faces.replace_faces(session, dict.fromkeys(photos, found()))
    one_by_one = {}
    for photo_id, one in detections.items():
        one_by_one |= faces.replace_faces(session, {photo_id: one})
    assert one_by_one == {photos[1]: [4, 5], photos[0]: [6]}


def test_the_id_of_a_face_that_went_is_not_used_again(session, photos):
    (first,) = faces.replace_faces(session, {photos[0]: found(FIRST)})[photos[0]]
    faces.replace_faces(session, {photos[0]: found()})
    assert faces.replace_faces(session, {photos[0]: found(FIRST)})[photos[0]] == [first + 1]


def test_a_face_found_again_keeps_its_row_and_person_whatever_the_order(session, photos):
    first, second = faces.replace_faces(session, {photos[0]: found(FIRST, SECOND)}, {photos[0]: pose(1, 2)})[photos[0]]
    person = people.add_person(session)
    people.replace_assignments(session, [second], [(second, person, 0.1)])
    again = faces.replace_faces(session, {photos[0]: found(200, SECOND + 2)}, {})[photos[0]]
    assert again[1] == second
    assert again[0] not in (first, second)
    assert [(row.id, row.box[0], row.yaw_deg) for row in rows(session, photos[0])] == [
        (second, SECOND + 2, 2),
        (again[0], 200, None),
    ]
    assert session.execute(select(Assignment.face_id, Assignment.person_id)).all() == [(second, person)]


def test_photos_that_are_not_named_keep_their_faces(session, photos):
    faces.replace_faces(session, dict.fromkeys(photos, found(FIRST)))
    faces.replace_faces(session, {photos[0]: found()})
    assert [len(rows(session, photo_id)) for photo_id in photos] == [0, 1]


def test_known_faces_take_columns_and_keep_the_others(session, photos):
    ids = faces.replace_faces(session, dict.fromkeys(photos, found(FIRST, SECOND)), {photos[0]: pose(1, 2)})
    quality = {"quality": np.array([0.25, 0.5], np.float32)}
    faces.update_faces(session, [(ids[photos[0]], quality), (ids[photos[1]], pose(3, 4))])
    stored = session.execute(select(Face.yaw_deg, Face.quality).order_by(Face.id)).all()
    assert stored == [(1, 0.25), (2, 0.5), (3, None), (4, None)]


def test_stored_faces_are_those_of_each_photo_and_none_where_there_is_none(session, photos):
    landmarks = np.arange(20, dtype=np.float32).reshape(2, 5, 2)
    ids = faces.replace_faces(session, {photos[0]: found(SECOND, FIRST)}, {photos[0]: {"landmarks": landmarks}})
    stored = faces.stored_faces(session, photos)
    assert stored[photos[0]].ids == ids[photos[0]]
    np.testing.assert_array_equal(stored[photos[0]].detections.boxes, found(SECOND, FIRST).boxes)
    np.testing.assert_array_equal(stored[photos[0]].landmarks, landmarks)
    assert (len(stored[photos[1]].detections), stored[photos[1]].landmarks.shape) == (0, (0, 5, 2))


def test_an_embedding_replaces_that_of_the_same_model_only(session, photos):
    ids = faces.replace_faces(session, dict.fromkeys(photos, found(FIRST)))
    both = [ids[photos[0]][0], ids[photos[1]][0]]
    for value, model in ((1, "a"), (2, "b"), (3, "a")):
        faces.replace_embeddings(session, both, model, np.full((2, 4), value, np.float32))
    vectors = session.execute(select(Embedding.model, Embedding.vector).order_by(Embedding.face_id, Embedding.model))
    assert [(model, vector[0]) for model, vector in vectors] == [("a", 3), ("b", 2)] * 2


def test_a_face_that_cannot_be_registered_any_more_loses_its_transform(session, photos):
    template = faces.put_template(session, "face", np.zeros((5, 2), np.float32))
    ids = faces.replace_faces(session, {photos[0]: found(FIRST, SECOND)})[photos[0]]
    matrices = np.ones((2, 2, 3), np.float32)
    for broken in (None, 0):
        if broken is not None:
            matrices[broken, 1, 2] = np.nan
        faces.replace_transforms(session, ids, template, matrices, np.array([0.1, 0.2], np.float32), "m")
    (transform,) = session.execute(select(Transform.face_id, Transform.residual))
    assert transform == (ids[1], pytest.approx(0.2))


def test_a_later_run_of_a_stage_replaces_the_record_of_the_earlier(session, photos):
    runs.register_key(session, "k1", "detect", {})
    runs.register_key(session, "k2", "detect", {})
    runs.record_runs(session, [runs.Run(photo_id, "detect", "k1", runs.ERROR, "why") for photo_id in photos])
    runs.record_runs(session, [runs.Run(photos[0], "detect", "k2")])
    recorded = session.execute(select(StageRun.key, StageRun.status, StageRun.reason).order_by(StageRun.photo_id)).all()
    assert recorded == [("k2", "done", None), ("k1", "error", "why")]


def test_photos_take_what_they_say_about_themselves(session, photos):
    update_photos(session, {photos[1]: {"width_px": 4, "camera": "X"}, photos[0]: {"width_px": 3, "camera": None}})
    assert session.execute(select(Photo.width_px, Photo.camera).order_by(Photo.id)).all() == [(3, None), (4, "X")]


def test_nothing_to_write_writes_nothing(session, photos):
    assert link_photos(session, []) == []
    assert faces.replace_faces(session, {}) == {}
    faces.replace_embeddings(session, [], "a", np.zeros((0, 4), np.float32))
    runs.record_runs(session, [])
    assert session.scalar(select(func.count()).select_from(Photo)) == len(photos)
