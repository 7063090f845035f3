"""Folders that are listed, removed and moved: what the store knows comes along."""

import os
import zipfile

import pytest
from fakes import draw_photo, frames, index
from sqlalchemy import select

from alignimation_index.errors import UserError
from alignimation_index.pipeline.roots import EMPTY, NOT_THERE, OK, UNREADABLE, list_roots, move_root, remove_root
from alignimation_index.pipeline.status import store_status
from alignimation_index.store.roots import move_paths
from alignimation_index.store.tables import File, Photo, Root


@pytest.fixture
def trips(photos):
    """Three photos: one in the folder, two in a folder of it whose name has every trap for text matching."""
    draw_photo(photos / "a.jpg", "red", shade=100)
    for i in range(2):
        draw_photo(photos / "trip%_é" / f"{i}.jpg", "red", shade=110 + i)
    return photos


def paths(store):
    with store.reading() as session:
        return list(session.scalars(select(File.path).where(File.missing_since_utc.is_(None)).order_by(File.path)))


def roots_of_files(store):
    """Root path → paths of its files."""
    found = {}
    with store.reading() as session:
        for root, path in session.execute(select(Root.path, File.path).outerjoin(File).order_by(File.path)):
            found.setdefault(root, []).append(path)
    return found


def below(folder):
    return sorted(str(path) for path in folder.rglob("*.jpg"))


def photo_ids(store):
    with store.reading() as session:
        return dict(session.execute(select(Photo.content_hash, Photo.id)).all())


@pytest.fixture
def unchanged(store, fakes):
    """Call to make sure that nothing was computed, or even read, since the fixture was first called."""
    seen = []

    def check():
        report = index(store, fakes)
        now = (dict(fakes.images), photo_ids(store))
        seen.append(now)
        assert now == seen[0]
        return report

    return check


def states(store):
    return {root.path: state for root, state in list_roots(store)}


def test_roots_are_listed_with_what_they_hold(store, fakes, trips):
    index(store, fakes, trips)
    (trips / "a.jpg").unlink()
    index(store, fakes)
    ((root, state),) = list_roots(store)
    assert (root.path, root.files, root.photos, root.missing, state) == (str(trips), 2, 2, 1, OK)


def test_the_state_of_a_root_says_what_is_wrong(store, fakes, trips, tmp_path):
    draw_photo(tmp_path / "away" / "b.jpg", shade=7)
    draw_photo(tmp_path / "emptied" / "b.jpg", shade=8)
    (tmp_path / "still empty").mkdir()
    with zipfile.ZipFile(tmp_path / "cut.zip", "w") as archive:
        archive.write(trips / "a.jpg", "a.jpg")
    index(store, fakes, trips, *(tmp_path / name for name in ("away", "emptied", "still empty", "cut.zip")))
    (tmp_path / "away").rename(tmp_path / "elsewhere")
    (tmp_path / "emptied" / "b.jpg").unlink()
    (tmp_path / "cut.zip").write_bytes(b"PK")
    expected = {"photos": OK, "away": NOT_THERE, "emptied": EMPTY, "still empty": OK, "cut.zip": UNREADABLE}
    assert states(store) == {str(tmp_path / name): state for name, state in expected.items()}


def test_a_removed_root_leaves_the_index_and_comes_back_without_computing(store, fakes, trips):
    index(store, fakes, trips)
    before, looked = frames(store), dict(fakes.images)
    removed = remove_root(store, trips)
    assert (removed.files, removed.photos) == (3, 3)
    assert (frames(store), paths(store), store_status(store.path)["roots"]) == ([], [], [])
    report = index(store, fakes, trips)
    assert (report.photos_computed, fakes.images) == (0, looked)
    assert [frame.face_id for frame in frames(store)] == [frame.face_id for frame in before]


def test_photos_that_another_root_holds_too_stay_when_one_is_removed(store, fakes, trips, tmp_path):
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "a.jpg").write_bytes((trips / "a.jpg").read_bytes())
    index(store, fakes, trips, tmp_path / "copies")
    assert remove_root(store, trips).photos == 2
    assert [frame.path for frame in frames(store)] == [str(tmp_path / "copies" / "a.jpg")]


@pytest.mark.parametrize(("below_root", "message"), [("trip%_é", "as a part of"), ("../other", "roots list")])
def test_only_a_root_can_be_removed(store, fakes, trips, below_root, message):
    index(store, fakes, trips)
    with pytest.raises(UserError, match=message):
        remove_root(store, trips / below_root)
    assert len(paths(store)) == 3


def test_a_root_that_moved_is_known_at_its_new_place(store, fakes, trips, unchanged):
    index(store, fakes, trips)
    unchanged()
    new = trips.rename(trips.with_name("Fotos"))
    assert move_root(store, trips, new) == 3
    assert roots_of_files(store) == {str(new): below(new)}
    report = unchanged()
    assert (report.files_changed, report.files_missing, report.problems) == (0, 0, [])
    assert "read" not in report.profile.seconds


def test_a_folder_below_a_root_moves_within_it(store, fakes, trips, unchanged):
    draw_photo(trips / "trip%_é2" / "0.jpg", shade=9)  # its name begins alike
    draw_photo(trips / "tripXXé" / "0.jpg", shade=10)  # so it does to LIKE
    index(store, fakes, trips)
    unchanged()
    (trips / "trip%_é").rename(trips / "journey")
    assert move_root(store, trips / "trip%_é", trips / "journey") == 2
    assert paths(store) == below(trips)
    assert unchanged().files_changed == 0


def test_a_folder_that_leaves_its_root_becomes_one(store, fakes, trips, tmp_path, unchanged):
    index(store, fakes, trips)
    unchanged()
    new = (trips / "trip%_é").rename(tmp_path / "drive")
    move_root(store, trips / "trip%_é", new)
    assert roots_of_files(store) == {str(new): below(new), str(trips): below(trips)}
    assert unchanged().files_changed == 0


def test_a_root_that_moves_into_another_becomes_part_of_it(store, fakes, trips, tmp_path, unchanged):
    draw_photo(tmp_path / "old" / "b.jpg", shade=7)
    index(store, fakes, trips, tmp_path / "old")
    unchanged()
    (tmp_path / "old").rename(trips / "old")
    move_root(store, tmp_path / "old", trips / "old")
    assert roots_of_files(store) == {str(trips): below(trips)}
    assert unchanged().files_changed == 0


def test_roots_below_a_folder_that_moves_come_along(store, fakes, trips, tmp_path, unchanged):
    draw_photo(tmp_path / "drive" / "x" / "b.jpg", shade=7)
    draw_photo(tmp_path / "drive" / "y" / "c.jpg", shade=8)
    index(store, fakes, trips, tmp_path / "drive" / "x", tmp_path / "drive" / "y")
    unchanged()
    new = (tmp_path / "drive").rename(tmp_path / "disk")
    move_root(store, tmp_path / "drive", new)
    expected = {str(one): below(one) for one in (new / "x", new / "y", trips)}
    assert roots_of_files(store) == expected
    assert unchanged().files_changed == 0


def test_a_root_that_was_added_at_its_new_place_already_is_one_with_the_old(store, fakes, trips, unchanged):
    index(store, fakes, trips)
    unchanged()
    new = trips.rename(trips.with_name("Fotos"))
    index(store, fakes, new)
    draw_photo(new / "new.jpg", shade=3)
    index(store, fakes)
    move_root(store, trips, new)
    assert roots_of_files(store) == {str(new): below(new)}
    assert index(store, fakes).files_changed == 0


@pytest.mark.parametrize(("old", "new"), [("photos", "photos/trip%_é"), ("photos/trip%_é", "photos")])
def test_a_folder_may_move_into_or_out_of_itself(store, fakes, trips, tmp_path, old, new):
    draw_photo(trips / "trip%_é" / "a.jpg", shade=3)
    index(store, fakes, trips)
    before = paths(store)
    with store.writing() as session:
        move_paths(session, str(tmp_path / old), str(tmp_path / new), os.path.dirname)
    moved = {path.replace(str(tmp_path / old), str(tmp_path / new), 1) if old in path else path for path in before}
    assert set(paths(store)) == moved
    assert [path for of_root in roots_of_files(store).values() for path in of_root] == sorted(moved)


def test_an_archive_moves_with_its_members(store, fakes, trips, tmp_path, unchanged):
    old, new = tmp_path / "takeout.zip", tmp_path / "export.zip"
    with zipfile.ZipFile(old, "w") as archive:
        archive.write(trips / "a.jpg", "Takeout/a.jpg")
    index(store, fakes, old)
    unchanged()
    old.rename(new)
    assert move_root(store, old, new) == 1
    assert roots_of_files(store) == {str(new): [f"{new}!/Takeout/a.jpg"]}
    report = unchanged()
    assert (report.files_changed, report.problems) == (0, [])


def test_a_move_to_where_there_is_nothing_alike_is_refused_unless_forced(store, fakes, trips, tmp_path):
    index(store, fakes, trips)
    before = roots_of_files(store)
    draw_photo(tmp_path / "other" / "a.jpg", "green", "red", shade=1)
    with pytest.raises(UserError, match="nowhere does not exist"):
        move_root(store, trips, tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"of 3 files looked for, 0 are there in the same size.*--force"):
        move_root(store, trips, tmp_path / "other")
    with pytest.raises(UserError, match="Nothing is known below"):
        move_root(store, tmp_path / "other", trips)
    assert roots_of_files(store) == before
    move_root(store, trips, tmp_path / "other", force=True)
    assert list(roots_of_files(store)) == [str(tmp_path / "other")]


def test_a_folder_that_an_update_missed_first_comes_back_by_moving(store, fakes, trips, tmp_path, unchanged):
    index(store, fakes, trips)
    unchanged()
    new = (trips / "trip%_é").rename(tmp_path / "elsewhere")
    assert unchanged().files_missing == 2
    assert move_root(store, trips / "trip%_é", new) == 2
    unchanged()
    assert roots_of_files(store) == {str(new): below(new), str(trips): below(trips)}


def test_a_missing_file_does_not_take_the_place_of_one_that_is_there(store, fakes, trips):
    for name in ("0.jpg", "1.jpg"):
        draw_photo(trips / "journey" / name, shade=77)
    index(store, fakes, trips)
    (trips / "trip%_é" / "1.jpg").unlink()
    index(store, fakes)
    move_root(store, trips / "trip%_é", trips / "journey", force=True)
    assert paths(store) == [str(trips / "a.jpg"), str(trips / "journey" / "0.jpg"), str(trips / "journey" / "1.jpg")]
