"""Files that are not where they were: which moved, which were deleted, and which are on a drive that is away."""

import os
import shutil
import zipfile

import pytest
from fakes import contents, draw_photo, frames, index

from alignimation_index.pipeline.roots import remove_root
from alignimation_index.pipeline.status import store_status
from alignimation_index.pipeline.vanished import MANY
from alignimation_index.query.people import summaries
from alignimation_index.query.photos import select_photos
from alignimation_index.store import runs
from alignimation_index.store.files import pending_files


@pytest.fixture
def one_and_nas(photos):
    """A photo, and a folder with MANY beside it, half of them a level deeper."""
    draw_photo(photos / "a.png", "red", shade=1)
    for i in range(MANY):
        draw_photo(photos / "nas" / ("deeper" if i % 2 else "") / f"{i}.png", "red", shade=100 + i)
    return photos


def missing(store):
    return store_status(store.path)["missing"]


def empty(folder):
    """What a mount point without its drive looks like."""
    folder.rename(folder.with_name(f"{folder.name} on the drive"))
    folder.mkdir()


def delete_files(folder):
    for path in folder.rglob("*.png"):
        path.unlink()


def test_the_last_few_photos_of_a_root_may_be_deleted(store, fakes, photos):
    for i in range(MANY - 1):
        draw_photo(photos / f"{i}.png", "red", shade=100 + i)
    index(store, fakes, photos)
    delete_files(photos)
    report = index(store, fakes)
    assert (report.problems, report.files_missing, missing(store)) == ([], MANY - 1, MANY - 1)


def test_many_photos_gone_at_once_from_a_root_are_kept_until_it_is_removed(store, fakes, one_and_nas):
    index(store, fakes, one_and_nas)
    before = contents(store)
    delete_files(one_and_nas)
    report = index(store, fakes)
    (problem,) = report.problems
    assert problem.startswith(f"{one_and_nas} held {MANY + 1} photos and is empty now. What it held is kept as it was.")
    assert f"alignindex roots remove {one_and_nas}" in problem
    assert contents(store) == before
    remove_root(store, one_and_nas)
    assert index(store, fakes).problems == []


@pytest.mark.parametrize("hidden", [False, True])
def test_a_folder_in_a_root_that_is_empty_all_at_once_is_kept_and_reported(store, fakes, one_and_nas, hidden):
    index(store, fakes, one_and_nas)
    before = contents(store)
    (one_and_nas / "nas").rename(one_and_nas.parent / "away")
    (one_and_nas / "nas").mkdir()
    if hidden:
        (one_and_nas / "nas" / ".not mounted").touch()
    for _ in range(2):
        report = index(store, fakes)
        (problem,) = report.problems
        assert problem.startswith(f"{one_and_nas / 'nas'} held {MANY} photos and is empty now.")
        assert "delete the empty folder as well" in problem
        assert (report.files_missing, contents(store)) == (0, before)


def test_a_drive_that_comes_back_is_as_it_was(store, fakes, one_and_nas):
    index(store, fakes, one_and_nas)
    before = contents(store)
    nas, away = one_and_nas / "nas", one_and_nas.parent / "away"
    nas.rename(away)
    nas.mkdir()
    index(store, fakes)
    nas.rmdir()
    away.rename(nas)
    report = index(store, fakes)
    assert (report.problems, report.files_changed, contents(store)) == ([], 0, before)


def remove_the_folder(nas):
    shutil.rmtree(nas)


def leave_another_file(nas):
    delete_files(nas)
    (nas / "notes.txt").touch()


def leave_one_photo(nas):
    for path in nas.rglob("*.png"):
        if path.name != "0.png":
            path.unlink()


@pytest.mark.parametrize("delete", [remove_the_folder, leave_another_file, delete_files, leave_one_photo])
def test_deleting_in_every_other_way_is_deleting(store, fakes, one_and_nas, delete):
    index(store, fakes, one_and_nas)
    delete(one_and_nas / "nas")
    report = index(store, fakes)
    assert report.problems == []
    assert report.files_missing == MANY - (delete is leave_one_photo)


def test_an_emptied_folder_whose_photos_are_elsewhere_is_not_reported(store, fakes, one_and_nas):
    shutil.copytree(one_and_nas / "nas", one_and_nas / "copy")
    index(store, fakes, one_and_nas)
    shutil.rmtree(one_and_nas / "nas")
    (one_and_nas / "nas").mkdir()
    report = index(store, fakes)
    assert (report.problems, report.files_missing) == ([], MANY)


def test_a_backup_drive_that_is_away_is_kept_although_its_photos_are_elsewhere(store, fakes, one_and_nas, tmp_path):
    shutil.copytree(one_and_nas, tmp_path / "backup")
    index(store, fakes, one_and_nas, tmp_path / "backup")
    before = contents(store)
    empty(tmp_path / "backup")
    report = index(store, fakes)
    assert len(report.problems) == 1
    assert contents(store) == before


def test_a_folder_emptied_into_another_root_is_not_reported(store, fakes, one_and_nas, tmp_path):
    for name in ("0 before", "z after"):
        (tmp_path / name).mkdir()
    index(store, fakes, one_and_nas, tmp_path / "0 before", tmp_path / "z after")
    for path in list(one_and_nas.rglob("*.png")):
        path.rename(tmp_path / ("z after" if path.name == "a.png" else "0 before") / path.name)
    report = index(store, fakes)
    assert (report.problems, report.files_moved, report.files_missing, missing(store)) == ([], MANY + 1, 0, 0)


def test_what_is_missing_is_hidden_wherever_photos_are_listed(store, fakes, one_and_nas):
    fakes.before["embedder"] = lambda image: 1 / 0 if image[0, 0, 0] == 1 else None
    index(store, fakes, one_and_nas)
    shutil.rmtree(one_and_nas / "nas")
    (one_and_nas / "a.png").unlink()
    draw_photo(one_and_nas / "b.png", shade=9)
    index(store, fakes)
    with store.reading() as session:
        assert [photo.paths for photo in select_photos(session)] == [[str(one_and_nas / "b.png")]]
        assert summaries(session) == []
        assert runs.errors(session, ["embed"]) == []
    assert frames(store) == []
    status = store_status(store.path)
    counts = [status[name] for name in ("files", "photos", "missing", "duplicates", "errors", "faces", "people")]
    assert counts == [1, 1, MANY + 1, 0, 0, 0, 0]


def moved(photos):
    (photos / "nas" / "0.png").rename(photos / "0.png")


def renamed(photos):
    (photos / "nas" / "0.png").rename(photos / "nas" / "zero.png")


def renamed_in_case_only(photos):
    (photos / "nas" / "0.png").rename(photos / "nas" / "0.PNG")


def folder_renamed(photos):
    (photos / "nas").rename(photos / "NAS")


def swapped_by_moving(photos):
    (photos / "nas" / "0.png").rename(photos / "nas" / "deeper" / "0.png")


@pytest.mark.parametrize("change", [moved, renamed, renamed_in_case_only, folder_renamed, swapped_by_moving])
def test_a_file_that_moved_is_not_even_read(store, fakes, one_and_nas, change):
    index(store, fakes, one_and_nas)
    before, looked = sorted(frame.face_id for frame in frames(store)), dict(fakes.images)
    change(one_and_nas)
    report = index(store, fakes)
    count = MANY if change is folder_renamed else 1
    assert (report.files_changed, report.files_moved, report.files_missing, report.problems) == (count, count, 0, [])
    assert "read" not in report.profile.seconds
    assert fakes.images == looked
    assert sorted(frame.face_id for frame in frames(store)) == before
    assert {frame.path for frame in frames(store)} == {str(path) for path in one_and_nas.rglob("*.[pP][nN][gG]")}
    assert index(store, fakes).files_changed == 0


def test_members_of_an_archive_that_was_renamed_are_not_read(store, fakes, one_and_nas):
    with zipfile.ZipFile(one_and_nas / "a.zip", "w") as archive:
        archive.write(one_and_nas / "nas" / "0.png", "Takeout/0.png")
    index(store, fakes, one_and_nas)
    (one_and_nas / "a.zip").rename(one_and_nas / "b.zip")
    report = index(store, fakes)
    assert (report.files_moved, report.files_missing) == (1, 0)
    assert "read" not in report.profile.seconds


def test_a_re_export_under_new_names_recomputes_nothing(store, fakes, one_and_nas):
    index(store, fakes, one_and_nas)
    looked = dict(fakes.images)
    for path in list((one_and_nas / "nas").rglob("*.png")):
        target = one_and_nas / "export" / f"IMG_{path.name}"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
    shutil.rmtree(one_and_nas / "nas")
    report = index(store, fakes)
    assert (report.files_moved, report.files_missing, report.photos_computed) == (0, MANY, 0)
    assert fakes.images == looked
    assert len(frames(store)) == MANY + 1


def replace_by_another(old, new, mtime_ns):
    """Let a file of the same size, inode and time, but of other content, appear as the first one vanishes."""
    other = bytes(255 - byte for byte in old.read_bytes())
    os.utime(old, ns=(mtime_ns, mtime_ns))
    yield
    old.write_bytes(other)  # in place: the inode stays
    old.rename(new)
    os.utime(new, ns=(mtime_ns, mtime_ns))
    yield


@pytest.mark.parametrize("new", ["b.png", "nas/b.png"])
def test_another_file_on_the_inode_of_a_deleted_one_is_not_taken_for_it(store, fakes, one_and_nas, new):
    """Its time, to the second, is one that a camera may give two photos of a burst."""
    steps = replace_by_another(one_and_nas / "a.png", one_and_nas / new, 1_600_000_000 * 10**9)
    next(steps)
    index(store, fakes, one_and_nas)
    next(steps)
    report = index(store, fakes)
    assert (report.files_moved, report.files_missing, report.photos_failed) == (0, 1, 1)


def test_a_hard_link_that_stays_is_not_taken_for_a_move(store, fakes, one_and_nas):
    index(store, fakes, one_and_nas)
    (one_and_nas / "nas" / "a.png").hardlink_to(one_and_nas / "a.png")
    report = index(store, fakes)
    assert (report.files_moved, report.files_missing, store_status(store.path)["duplicates"]) == (0, 0, 1)
    (one_and_nas / "a.png").rename(one_and_nas / "nas" / "deeper" / "a.png")
    report = index(store, fakes)
    assert (report.files_moved, report.files_missing, store_status(store.path)["duplicates"]) == (1, 0, 1)


def test_a_scan_that_ended_between_finding_and_following_a_move_costs_a_reading(store, fakes, one_and_nas, monkeypatch):
    index(store, fakes, one_and_nas)
    looked = dict(fakes.images)
    moved(one_and_nas)
    with monkeypatch.context() as patch:
        patch.setattr("alignimation_index.store.moves.update_rows", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            index(store, fakes)
    with store.reading() as session:
        assert len(pending_files(session, ["photo"])) == 1
    report = index(store, fakes)
    assert (report.files_moved, report.files_missing, fakes.images) == (1, 0, looked)
    assert len(frames(store)) == MANY + 1
