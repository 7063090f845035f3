"""Scanning some folders of a root costs only these, and finds in them what scanning everything would."""

import shutil
import zipfile

import pytest
from fakes import draw_photo, held, index

from alignimation_index.pipeline.progress import UpdateReport
from alignimation_index.pipeline.scan import scan
from alignimation_index.pipeline.scope import Scope
from alignimation_index.pipeline.update import update
from alignimation_index.pipeline.vanished import MANY


@pytest.fixture
def indexed(store, fakes, photos):
    """Photos in three folders, indexed."""
    for shade, name in enumerate(("a.jpg", "2001/b.jpg", "2001/may/c.jpg", "2001 more/d.jpg", "2002/e.jpg")):
        draw_photo(photos / name, "red", shade=100 + shade)
    index(store, fakes, photos)
    return photos


def scan_parts(store, *, folders=(), trees=(), **options):
    report = UpdateReport()
    scope = Scope(frozenset(map(str, folders)), frozenset(map(str, trees)), **options)
    scan(store, report, lambda *_: None, scope)
    return report


def counts(report):
    return report.files_seen, report.files_changed, report.files_missing


def test_only_the_files_directly_in_a_folder_are_looked_at(store, indexed):
    draw_photo(indexed / "2001" / "new.jpg", shade=1)
    draw_photo(indexed / "2001" / "may" / "new.jpg", shade=2)
    (indexed / "2001" / "b.jpg").unlink()
    (indexed / "2001" / "may" / "c.jpg").unlink()
    assert counts(scan_parts(store, folders=[indexed / "2001"])) == (1, 1, 1)
    assert counts(scan_parts(store, folders=[indexed])) == (1, 0, 0)
    assert counts(scan_parts(store, trees=[indexed / "2001"])) == (2, 1, 1)


def test_a_folder_within_another_is_looked_at_once(store, indexed):
    parts = scan_parts(store, folders=[indexed / "2001" / "may"], trees=[indexed / "2001", indexed / "2001" / "may"])
    assert counts(parts) == (2, 0, 0)


def test_a_folder_of_a_similar_name_is_another(store, indexed):
    shutil.rmtree(indexed / "2001")
    assert counts(scan_parts(store, trees=[indexed / "2001"])) == (0, 0, 2)
    assert str(indexed / "2001 more" / "d.jpg") in held(store).files


def test_a_folder_that_is_gone_takes_its_files_with_it(store, indexed):
    shutil.rmtree(indexed / "2001" / "may")
    assert counts(scan_parts(store, folders=[indexed / "2001" / "may"])) == (0, 0, 1)


def test_folders_outside_of_every_root_do_not_matter(store, indexed, tmp_path):
    draw_photo(tmp_path / "elsewhere" / "new.jpg")
    report = scan_parts(store, folders=[tmp_path, tmp_path / "elsewhere"], trees=[tmp_path / "elsewhere"])
    assert counts(report) == (0, 0, 0)
    assert indexed.exists()


def test_a_root_among_the_trees_is_looked_at_as_a_whole(store, indexed):
    assert counts(scan_parts(store, trees=[indexed])) == (5, 0, 0)


def empty(folder):
    for path in list(folder.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_where_nothing_is_left_of_a_root_its_many_photos_are_kept(store, fakes, indexed):
    for shade in range(MANY):
        draw_photo(indexed / "2003" / f"{shade}.jpg", "red", shade=150 + shade)
    index(store, fakes, indexed)
    empty(indexed)
    report = scan_parts(store, folders=[indexed], trees=[indexed / "2001"])
    assert report.files_missing == 0
    assert "held 15 photos and is empty now" in report.problems[0]


def test_where_nothing_is_left_of_a_root_its_few_photos_were_deleted(store, indexed):
    empty(indexed)
    assert scan_parts(store, folders=[indexed]).files_missing == 5


def test_a_folder_that_is_there_and_empty_may_be_away_and_one_that_is_gone_was_deleted(store, fakes, indexed):
    for shade in range(MANY):
        draw_photo(indexed / "2003" / f"{shade}.jpg", "red", shade=150 + shade)
    index(store, fakes, indexed)
    empty(indexed / "2003")
    report = scan_parts(store, folders=[indexed / "2003"])
    assert report.files_missing == 0
    assert f"{indexed / '2003'} held {MANY} photos and is empty now" in report.problems[0]
    (indexed / "2003").rmdir()
    assert counts(scan_parts(store, folders=[indexed], trees=[indexed / "2003"])) == (1, 0, MANY)


def test_a_file_that_moved_into_another_folder_is_followed(store, indexed):
    (indexed / "a.jpg").rename(indexed / "2001" / "a.jpg")
    report = scan_parts(store, folders=[indexed, indexed / "2001"])
    assert (report.files_moved, report.files_missing) == (1, 0)


def test_a_link_makes_it_the_whole_root_so_that_nothing_is_found_twice(store, indexed):
    (indexed / "2002" / "link").symlink_to(indexed / "2001")
    draw_photo(indexed / "new.jpg", shade=1)
    assert counts(scan_parts(store, folders=[indexed / "2002"])) == (6, 1, 0)
    assert counts(scan_parts(store, trees=[indexed / "2002"])) == (6, 0, 0)


def test_an_archive_is_looked_into_with_the_folder_that_holds_it(store, fakes, indexed):
    with zipfile.ZipFile(indexed / "2002" / "takeout.zip", "w") as archive:
        archive.write(indexed / "a.jpg", "deep/in/it/f.jpg")
    assert counts(scan_parts(store, folders=[indexed / "2002"])) == (2, 1, 0)
    index(store, fakes)
    (indexed / "2002" / "takeout.zip").unlink()
    assert counts(scan_parts(store, folders=[indexed / "2002"])) == (1, 0, 1)


def test_a_file_that_has_not_settled_stays_as_it_was_known(store, indexed):
    before = held(store)
    draw_photo(indexed / "2002" / "e.jpg", "blue", shade=1)
    draw_photo(indexed / "2002" / "new.jpg", shade=2)
    report = scan_parts(store, folders=[indexed / "2002"], is_settled=lambda _: False)
    assert counts(report) == (2, 0, 0)
    assert held(store) == before


def test_an_archive_that_has_not_settled_is_no_problem_yet(store, indexed):
    (indexed / "2002" / "takeout.zip").write_bytes(b"PK half of it")
    assert scan_parts(store, folders=[indexed / "2002"], is_settled=lambda _: False).problems == []
    assert len(scan_parts(store, folders=[indexed / "2002"]).problems) == 1


def test_where_nothing_changed_no_stage_runs(store, fakes, indexed):
    report = update(store, fakes.source(), lambda *_: None, scope=Scope(frozenset({str(indexed)})))
    assert report.profile.seconds.keys() == {"scan", "sidecars"}
