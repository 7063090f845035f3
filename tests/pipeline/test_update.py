import os
import shutil
from datetime import datetime

import pytest
from fakes import FakeModels, contents, draw_photo, frames, index
from sqlalchemy import func, select

from alignimation_index.pipeline.stages import STAGES, VARIANTS
from alignimation_index.pipeline.status import store_status
from alignimation_index.registration import faces as registration
from alignimation_index.stages import close_up, pose
from alignimation_index.store.face_tables import Face
from alignimation_index.store.faces import pinned_embedder
from alignimation_index.store.tables import Photo, StageRun

STALE_BELOW_LANDMARKS = {"landmarks", "embed", "pose", "quality", "register", "assign", "variants"}


@pytest.fixture
def five_photos(photos):
    """Red on three photos, green beside it on the last, nobody on two more."""
    for i in range(3):
        draw_photo(
            photos / f"{i}.jpg", *("red", "green")[: 1 + i // 2], shade=100 + i, taken_at=datetime(2001 + i, 5, 6)
        )
    draw_photo(photos / "nobody.png", shade=50)
    draw_photo(photos / "trip" / "nobody.jpg", shade=60)
    return photos


def count(store, table):
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def runs_by_stage(store):
    """{stage: [(photo, key)]}: which result each photo has."""
    with store.reading() as session:
        found = session.execute(select(StageRun.stage, StageRun.photo_id, StageRun.key)).all()
    return {stage: [(photo, key) for name, photo, key in found if name == stage] for stage in STAGES}


def test_photos_become_frames_in_the_order_of_time(store, fakes, five_photos):
    report = index(store, fakes, five_photos)
    assert (report.files_seen, report.photos_computed, report.photos_failed, report.faces_found) == (5, 5, 0, 4)
    found = frames(store)
    assert [(frame.path.rsplit("/", 1)[1], frame.taken_at.year) for frame in found] == [
        ("0.jpg", 2001),
        ("1.jpg", 2002),
        ("2.jpg", 2003),
        ("2.jpg", 2003),
    ]
    assert [frame.person_id for frame in found] == [1, 1, 1, None]
    assert all(frame.frontal and frame.size_px == 40 and frame.residual < 0.05 for frame in found)
    with store.reading() as session:
        assert pinned_embedder(session) == "dlib-resnet"


def test_a_second_update_computes_nothing_and_loads_no_model(store, fakes, five_photos):
    index(store, fakes, five_photos)
    before, looked = contents(store), dict(fakes.images)
    report = index(store, fakes, five_photos)
    assert (report.files_seen, report.files_changed, report.photos_computed) == (5, 0, 0)
    assert (fakes.images, fakes.loads) == (looked, 1)
    assert contents(store) == before


def test_no_face_is_a_result_and_is_stored(store, fakes, photos):
    draw_photo(photos / "nobody.jpg")
    index(store, fakes, photos)
    index(store, fakes)
    assert fakes.images["detector"] == 1
    assert count(store, Face) == 0
    with store.reading() as session:
        runs = dict(session.execute(select(StageRun.stage, StageRun.status)).all())
    assert runs == dict.fromkeys(set(STAGES) - {VARIANTS}, "done")


def move(photos):
    (photos / "0.jpg").rename(photos / "trip" / "0.jpg")


def rename(photos):
    (photos / "0.jpg").rename(photos / "zero.jpg")


def rename_a_folder(photos):
    (photos / "trip").rename(photos / "journey")


def copy(photos):
    shutil.copy(photos / "0.jpg", photos / "a copy.jpg")


def touch(photos):
    os.utime(photos / "0.jpg", (0, 0))


@pytest.mark.parametrize("change", [move, rename, rename_a_folder, copy, touch])
def test_what_leaves_the_content_as_it_is_recomputes_nothing(store, fakes, five_photos, change):
    index(store, fakes, five_photos)
    looked, faces = dict(fakes.images), [frame.face_id for frame in frames(store)]
    change(five_photos)
    report = index(store, fakes)
    assert report.files_changed == 1
    assert report.photos_computed == 0
    assert fakes.images == looked
    assert sorted(frame.face_id for frame in frames(store)) == sorted(faces)
    assert all(os.path.exists(frame.path) for frame in frames(store))  # noqa: PTH110
    assert count(store, Photo) == 5


def test_many_files_of_one_content_are_one_photo(store, fakes, photos):
    draw_photo(photos / "b.jpg", "red")
    shutil.copy(photos / "b.jpg", photos / "a.jpg")
    shutil.copy(photos / "b.jpg", photos / "c.jpg")
    index(store, fakes, photos)
    assert fakes.images["detector"] == 1
    assert [frame.path for frame in frames(store)] == [str(photos / "a.jpg")]
    status = store_status(store.path)
    assert (status["files"], status["photos"], status["duplicates"], status["faces"]) == (3, 1, 2, 1)


def test_changed_bytes_are_another_photo_and_the_earlier_one_is_kept(store, fakes, five_photos):
    index(store, fakes, five_photos)
    before = frames(store)[0]
    draw_photo(five_photos / "0.jpg", "green", shade=99, taken_at=datetime(2001, 5, 6))
    report = index(store, fakes)
    assert (report.files_changed, report.photos_computed) == (1, 1)
    after = frames(store)[0]
    assert (after.path, after.content_hash != before.content_hash) == (before.path, True)
    assert after.face_id > before.face_id
    with store.reading() as session:
        assert session.get(Face, before.face_id) is not None


def test_a_photo_whose_files_are_gone_is_missing_and_coming_back_recomputes_nothing(store, fakes, five_photos):
    index(store, fakes, five_photos)
    before, looked = frames(store), dict(fakes.images)
    (five_photos / "0.jpg").rename(five_photos.parent / "0.jpg")
    report = index(store, fakes)
    assert (report.files_missing, len(frames(store)), store_status(store.path)["missing"]) == (1, 3, 1)
    (five_photos.parent / "0.jpg").rename(five_photos / "0.jpg")
    report = index(store, fakes)
    assert (report.files_changed, report.photos_computed, fakes.images) == (1, 0, looked)
    assert [frame.face_id for frame in frames(store)] == [frame.face_id for frame in before]


def test_a_parameter_redoes_its_stage_alone_and_the_status_says_why(store, fakes, five_photos, monkeypatch):
    index(store, fakes, five_photos)
    before, looked = runs_by_stage(store), dict(fakes.images)
    monkeypatch.setattr(pose, "FRONTAL_MAX_YAW_DEG", -1.0)
    assert store_status(store.path)["stale"] == [{"stage": "pose", "photos": 5, "why": "max_yaw_deg 20.0 → -1.0"}]
    index(store, fakes)
    after = runs_by_stage(store)
    assert {stage for stage in STAGES if before[stage] != after[stage]} == {"pose"}
    assert fakes.images == looked
    assert not any(frame.frontal for frame in frames(store))
    assert store_status(store.path)["stale"] == []


def test_a_parameter_redoes_the_stages_below_as_well(store, fakes, five_photos, monkeypatch):
    index(store, fakes, five_photos)
    before, looked = runs_by_stage(store), dict(fakes.images)
    monkeypatch.setattr(close_up, "FACE_DETAIL_PX", 80)
    why = {row["stage"]: row["why"] for row in store_status(store.path)["stale"]}
    assert why.keys() == STALE_BELOW_LANDMARKS
    assert (why["landmarks"], why["pose"]) == ("face_detail_px 40 → 80", "landmarks changed")
    index(store, fakes)
    after = runs_by_stage(store)
    assert {stage for stage in STAGES if before[stage] != after[stage]} == STALE_BELOW_LANDMARKS - {
        "variants"
    }  # one record for all
    assert fakes.images == {"detector": looked["detector"], "refiner": 10, "embedder": 10}


def test_stages_that_read_rows_only_do_not_need_the_files(store, fakes, five_photos, monkeypatch):
    index(store, fakes, five_photos)
    monkeypatch.setattr(registration, "SIGMA", 0.03)
    monkeypatch.setattr("alignimation_index.pipeline.listing.scan", lambda *_: shutil.rmtree(five_photos))
    index(store, fakes)
    assert store_status(store.path)["stale"] == []


def test_status_tells_what_was_never_run(store, fakes, five_photos):
    index(store, fakes, five_photos)
    with store.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM stage_run WHERE stage = 'quality'")
    assert store_status(store.path)["stale"] == [{"stage": "quality", "photos": 5, "why": "not run yet"}]


def test_another_embedder_is_another_key_but_not_another_detection(store, fakes, five_photos):
    index(store, fakes, five_photos)
    other = FakeModels(embedder_id="facenet-vggface2")
    index(store, other)
    assert other.images == {"detector": 0, "refiner": 0, "embedder": 5}


def test_two_folders_are_one_library(store, fakes, tmp_path):
    draw_photo(tmp_path / "a" / "1.jpg", "red", shade=1)
    draw_photo(tmp_path / "b" / "2.jpg", "red", shade=2)
    index(store, fakes, tmp_path / "a")
    index(store, fakes, tmp_path / "b")
    assert len(frames(store)) == 2
    index(store, fakes, tmp_path)
    assert fakes.images["detector"] == 2
    assert store_status(store.path)["roots"] == [str(tmp_path)]
