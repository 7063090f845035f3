import errno
import os
import shutil
from multiprocessing.process import BaseProcess

import pytest
from fakes import contents, draw_photo, frames, index
from sqlalchemy import select

from alignimation_index.errors import UserError
from alignimation_index.models.faces import FaceModelSource
from alignimation_index.pipeline.scan import add_roots, scan
from alignimation_index.pipeline.stages import STAGES
from alignimation_index.pipeline.status import store_status
from alignimation_index.pipeline.update import update
from alignimation_index.render.stills.take import render_frame
from alignimation_index.stages import close_up, pose
from alignimation_index.store import runs
from alignimation_index.store.tables import File, Photo, StageRun

BAD_SHADE = 13


@pytest.fixture
def four_photos(photos):
    for i in range(4):
        draw_photo(photos / f"{i}.png", "red", shade=100 + i)
    return photos


@pytest.fixture
def with_bad(four_photos):
    """Four photos and a fifth, `bad.png`, at which models can be made to fail."""
    draw_photo(four_photos / "bad.png", "red", shade=BAD_SHADE)
    return four_photos


def fail_at_bad(image):
    if image[0, 0, 0] == BAD_SHADE:
        raise ValueError("the network does not like it")


def errors(store):
    with store.reading() as session:
        return runs.errors(session, STAGES)


def names_of_errors(store):
    return [(os.path.basename(path), stage) for path, stage, _ in errors(store)]  # noqa: PTH119


def statuses(store, path):
    with store.reading() as session:
        rows = select(StageRun.stage, StageRun.status).join(File, File.photo_id == StageRun.photo_id)
        return dict(session.execute(rows.where(File.path == str(path))).all())


@pytest.mark.parametrize(
    ("model", "stage", "skipped"),
    [
        ("detector", "detect", {"landmarks", "embed", "pose", "quality", "register"}),
        ("refiner", "landmarks", {"embed", "pose", "quality", "register"}),
        ("embedder", "embed", set()),
    ],
)
def test_a_stage_that_fails_on_one_photo_is_one_error_and_the_others_are_done(
    store, fakes, with_bad, model, stage, skipped
):
    fakes.before[model] = fail_at_bad
    report = index(store, fakes, with_bad)
    assert (report.photos_computed, report.photos_failed) == (5, 1)
    assert errors(store) == [(str(with_bad / "bad.png"), stage, "ValueError: the network does not like it")]
    assert {name for name, status in statuses(store, with_bad / "bad.png").items() if status == "skipped"} == skipped
    assert statuses(store, with_bad / "bad.png")[stage] == "error"
    assert set(statuses(store, with_bad / "0.png").values()) == {"done"}
    assert len([frame for frame in frames(store) if frame.path != str(with_bad / "bad.png")]) == 4


def test_a_failure_is_not_tried_again_until_something_changes(store, fakes, with_bad):
    fakes.before["detector"] = fail_at_bad
    index(store, fakes, with_bad)
    looked = dict(fakes.images)
    index(store, fakes)
    assert fakes.images == looked
    assert store_status(store.path)["stale"] == []


def test_once_the_fault_is_mended_the_skipped_stages_run_too(store, fakes, with_bad, monkeypatch):
    fakes.before["refiner"] = fail_at_bad
    index(store, fakes, with_bad)
    fakes.before.clear()
    monkeypatch.setattr(close_up, "FACE_DETAIL_PX", 80)
    index(store, fakes)
    assert errors(store) == []
    assert set(statuses(store, with_bad / "bad.png").values()) == {"done"}
    assert len(frames(store)) == 5


@pytest.mark.parametrize("model", ["detector", "refiner"])
def test_a_stage_below_an_earlier_failure_stays_skipped_when_it_changes_alone(
    store, fakes, with_bad, monkeypatch, model
):
    fakes.before[model] = fail_at_bad
    index(store, fakes, with_bad)
    monkeypatch.setattr(pose, "FRONTAL_MAX_YAW_DEG", 10.0)
    report = index(store, fakes)
    assert report.photos_failed == 0
    assert statuses(store, with_bad / "bad.png")["pose"] == "skipped"
    assert len(errors(store)) == 1
    assert store_status(store.path)["stale"] == []


def test_files_that_are_no_photos_are_errors_with_their_reason(store, fakes, four_photos):
    (four_photos / "empty.jpg").touch()
    (four_photos / "text.jpg").write_text("not a picture at all")
    (four_photos / "drawing.psd").write_bytes(b"II*\0")
    whole = (four_photos / "0.png").read_bytes()
    (four_photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    report = index(store, fakes, four_photos)
    assert len(frames(store)) == 4
    assert report.photos_failed == 3
    reasons = {os.path.basename(path): (stage, reason) for path, stage, reason in errors(store)}  # noqa: PTH119
    assert reasons["empty.jpg"] == ("metadata", "the file is empty")
    assert reasons["text.jpg"] == ("metadata", "not a picture in a supported format")
    assert reasons["drawing.psd"] == ("scan", "PSD pictures are not supported")
    assert reasons["cut.png"][0] == "detect"
    assert reasons["cut.png"][1].startswith("truncated")
    assert len(reasons) == 4


def draw_truncated(path, *people):
    draw_photo(path, *people)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(0.85 * len(whole))])


def test_of_a_truncated_jpeg_the_faces_that_are_there_count(store, fakes, four_photos):
    draw_truncated(four_photos / "face.jpg", "red")
    draw_truncated(four_photos / "nobody.jpg")
    index(store, fakes, four_photos)
    assert names_of_errors(store) == [("nobody.jpg", "detect")]
    assert errors(store)[0][2].endswith("% of the picture is there; no face on what is there")
    assert len(frames(store)) == 5
    (truncated,) = [frame for frame in frames(store) if frame.path.endswith("face.jpg")]
    assert render_frame(truncated, 32).any()
    looked = dict(fakes.images)
    assert index(store, fakes).photos_computed == 0
    assert fakes.images == looked


def refuse(_process):
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_a_decoder_that_cannot_be_started_ends_the_run_and_counts_against_no_photo(
    store, fakes, four_photos, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(BaseProcess, "start", refuse)
        with pytest.raises(UserError, match="Cannot start a process that reads photos"):
            index(store, fakes, four_photos)
    assert errors(store) == []
    assert index(store, fakes).photos_computed == 4


def test_a_run_without_work_starts_no_decoder(store, fakes, four_photos, monkeypatch):
    index(store, fakes, four_photos)
    monkeypatch.setattr(BaseProcess, "start", refuse)
    assert index(store, fakes).photos_computed == 0


def test_a_bad_file_is_tried_again_when_it_changes(store, fakes, four_photos):
    (four_photos / "later.jpg").write_text("not yet a picture")
    index(store, fakes, four_photos)
    draw_photo(four_photos / "later.jpg", "red", shade=7)
    index(store, fakes)
    assert errors(store) == []
    assert len(frames(store)) == 5


def test_a_bad_file_that_is_gone_is_no_error_any_more(store, fakes, four_photos):
    (four_photos / "bad.jpg").touch()
    (four_photos / "drawing.psd").touch()
    index(store, fakes, four_photos)
    (four_photos / "bad.jpg").unlink()
    (four_photos / "drawing.psd").unlink()
    index(store, fakes)
    assert errors(store) == []


def unmount(photos):
    photos.rename(photos.with_name("elsewhere"))


def empty(photos):
    unmount(photos)
    photos.mkdir()


@pytest.mark.parametrize("lose", [unmount, empty])
def test_a_root_that_is_unmounted_or_empty_changes_nothing_and_is_reported(store, fakes, four_photos, lose):
    index(store, fakes, four_photos)
    before = contents(store)
    lose(four_photos)
    report = index(store, fakes)
    assert len(report.problems) == 1
    assert str(four_photos) in report.problems[0]
    assert "is kept as it was" in report.problems[0]
    assert report.files_missing == 0
    assert contents(store) == before


def test_one_root_that_is_away_does_not_keep_the_others_from_being_updated(store, fakes, four_photos, tmp_path):
    draw_photo(tmp_path / "other" / "a.png", "red")
    index(store, fakes, four_photos, tmp_path / "other")
    unmount(four_photos)
    draw_photo(tmp_path / "other" / "b.png", "red", shade=3)
    report = index(store, fakes)
    assert (len(report.problems), report.photos_computed) == (1, 1)


def test_a_root_that_does_not_exist_is_refused_with_all_that_came_with_it(store, fakes, four_photos):
    with pytest.raises(UserError, match=r"nowhere does not exist"):
        index(store, fakes, four_photos, four_photos / "nowhere")
    assert store_status(store.path)["roots"] == []


def test_a_folder_that_cannot_be_listed_keeps_its_files(store, fakes, four_photos, monkeypatch):
    draw_photo(four_photos / "locked" / "a.png", "red", shade=3)
    index(store, fakes, four_photos)
    before = contents(store)
    list_folder = os.scandir

    def refuse(path):
        if str(path) == str(four_photos / "locked"):
            raise PermissionError(13, "Permission denied")
        return list_folder(path)

    # The operating system says no, even where the tests run as root, whom no mode keeps out.
    monkeypatch.setattr(os, "scandir", refuse)
    report = index(store, fakes)
    assert report.problems == [f"{four_photos / 'locked'}: Permission denied. What it held is kept as it was."]
    assert report.files_missing == 0
    assert contents(store) == before


@pytest.fixture
def after_the_scan(monkeypatch):
    """Call something between the listing of files and their reading."""

    def arrange(happens):
        def scan_then(*arguments):
            scan(*arguments)
            happens()

        monkeypatch.setattr("alignimation_index.pipeline.listing.scan", scan_then)

    return arrange


def test_a_file_that_vanishes_before_it_is_read_is_one_error(store, fakes, four_photos, after_the_scan):
    after_the_scan(lambda: (four_photos / "2.png").unlink(missing_ok=True))
    index(store, fakes, four_photos)
    assert errors(store) == [(str(four_photos / "2.png"), "scan", "No such file or directory")]
    assert len(frames(store)) == 3
    report = index(store, fakes)
    assert report.files_missing == 1
    assert errors(store) == []


def test_a_file_that_changes_before_it_is_read_is_read_by_the_next_run(store, fakes, four_photos, after_the_scan):
    after_the_scan(lambda: draw_photo(four_photos / "2.png", "green", "red", shade=9))
    index(store, fakes, four_photos)
    assert names_of_errors(store) == [("2.png", "scan")]
    after_the_scan(lambda: None)
    index(store, fakes)
    assert errors(store) == []
    assert len(frames(store)) == 5


def test_a_photo_is_read_from_another_of_its_files_where_the_first_is_gone(store, fakes, four_photos, monkeypatch):
    shutil.copy(four_photos / "0.png", four_photos / "copy.png")
    index(store, fakes, four_photos)
    monkeypatch.setattr(close_up, "FACE_DETAIL_PX", 80)
    monkeypatch.setattr("alignimation_index.pipeline.listing.scan", lambda *_: (four_photos / "0.png").unlink())
    index(store, fakes)
    assert store_status(store.path)["stale"] == []
    assert names_of_errors(store) == [("0.png", "scan")]


def test_photos_that_failed_stay_photos(store, fakes, photos):
    (photos / "empty.jpg").touch()
    index(store, fakes, photos)
    with store.reading() as session:
        assert session.scalars(select(Photo.width_px)).all() == [None]


def test_networks_that_cannot_be_loaded_end_the_run_and_count_against_no_photo(store, fakes, four_photos):
    def load():
        raise UserError("the weights are damaged")

    add_roots(store, [four_photos])
    with pytest.raises(UserError, match="damaged"):
        update(store, FaceModelSource(fakes.source().ids, load), lambda *_: None)
    assert errors(store) == []
    assert index(store, fakes).photos_computed == 4


def test_a_stage_that_reads_only_rows_loads_no_network(store, fakes, four_photos, monkeypatch):
    index(store, fakes, four_photos)
    monkeypatch.setattr(pose, "FRONTAL_MAX_YAW_DEG", 10.0)
    loads = fakes.loads
    assert index(store, fakes).photos_computed == 4
    assert fakes.loads == loads
