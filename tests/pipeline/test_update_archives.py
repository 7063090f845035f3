"""Updates over zip archives: what is in them counts as files do."""

import zipfile
from datetime import datetime

import pytest
from fakes import contents, draw_photo, frames, index

from alignimation_index.library.archive import member_path
from alignimation_index.pipeline.stages import STAGES
from alignimation_index.pipeline.status import store_status
from alignimation_index.store import runs


def write_zip(path, **photos):
    """Write an archive of files: name=path."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, photo in photos.items():
            archive.write(photo, f"Takeout/{name}.jpg")
    return path


@pytest.fixture
def drawn(tmp_path):
    """Photos to be packed, outside of every root."""
    return {
        name: draw_photo(tmp_path / "drawn" / f"{name}.jpg", "red", shade=shade, taken_at=datetime(2000 + shade, 1, 1))
        for shade, name in enumerate(("a", "b", "c"))
    }


@pytest.fixture
def export(tmp_path, drawn):
    """An archive of the photos a and b."""
    return write_zip(tmp_path / "takeout-001.zip", a=drawn["a"], b=drawn["b"])


def paths(store):
    return [frame.path for frame in frames(store)]


def members(archive, *names):
    return [member_path(str(archive), f"Takeout/{name}.jpg") for name in names]


def test_photos_in_an_archive_become_frames(store, fakes, export):
    report = index(store, fakes, export)
    assert (report.files_seen, report.photos_computed, report.photos_failed, report.faces_found) == (2, 2, 0, 2)
    assert paths(store) == members(export, "a", "b")


def test_a_second_update_computes_nothing(store, fakes, export):
    index(store, fakes, export)
    before, looked = contents(store), dict(fakes.images)
    report = index(store, fakes)
    assert (report.files_seen, report.files_changed, fakes.images) == (2, 0, looked)
    assert "read" not in report.profile.seconds
    assert contents(store) == before


def test_a_photo_in_an_archive_and_in_a_folder_is_one(store, fakes, export, drawn, photos):
    (photos / "a.jpg").write_bytes(drawn["a"].read_bytes())
    index(store, fakes, export, photos)
    status = store_status(store.path)
    assert (status["files"], status["photos"], status["duplicates"], fakes.images["detector"]) == (3, 2, 1, 2)


def test_an_archive_in_a_folder_that_was_a_root_before_it_recomputes_nothing(store, fakes, export):
    index(store, fakes, export)
    before = frames(store)
    report = index(store, fakes, export.parent / "drawn" / "..")
    assert (report.files_changed, report.files_missing, report.photos_computed) == (3, 0, 1)
    assert [frame.face_id for frame in frames(store)][:2] == [frame.face_id for frame in before]
    assert store_status(store.path)["roots"] == [str(export.parent)]


def test_an_archive_that_is_away_is_reported_and_its_photos_are_kept(store, fakes, export):
    index(store, fakes, export)
    before = contents(store)
    export.unlink()
    report = index(store, fakes)
    assert len(report.problems) == 1
    assert str(export) in report.problems[0]
    assert contents(store) == before


def test_an_archive_gone_from_its_folder_counts_as_missing_files(store, fakes, export, drawn):
    folder = export.parent
    index(store, fakes, folder)
    export.unlink()
    report = index(store, fakes)
    assert (report.files_missing, report.problems) == (2, [])
    assert paths(store) == [str(drawn[name]) for name in ("a", "b", "c")]


@pytest.mark.parametrize("as_root", [True, False])
def test_an_archive_that_is_damaged_is_reported_and_its_photos_are_kept(store, fakes, export, as_root):
    index(store, fakes, export if as_root else export.parent)
    before = contents(store)
    export.write_bytes(export.read_bytes()[:-30])
    report = index(store, fakes)
    (problem,) = report.problems
    assert problem.startswith(str(export))
    assert "not a complete zip archive; download it again" in problem
    assert problem.endswith("What it held is kept as it was.")
    assert (report.files_missing, contents(store)) == (0, before)


def test_of_a_replaced_archive_only_the_changed_member_is_computed(store, fakes, export, drawn):
    index(store, fakes, export)
    before = {frame.path: frame.content_hash for frame in frames(store)}
    write_zip(export, a=drawn["a"], b=drawn["c"])
    report = index(store, fakes)
    assert (report.files_changed, report.photos_computed, report.files_missing) == (1, 1, 0)
    after = {frame.path: frame.content_hash for frame in frames(store)}
    assert {path for path in after if after[path] != before[path]} == set(members(export, "b"))


def test_a_renamed_archive_recomputes_nothing(store, fakes, export):
    index(store, fakes, export)
    renamed = export.rename(export.with_name("takeout-002.zip"))
    report = index(store, fakes, renamed)
    assert (report.photos_computed, fakes.images["detector"]) == (0, 2)


def test_a_bad_member_is_one_error_and_the_others_are_done(store, fakes, export, drawn):
    with zipfile.ZipFile(export, "a") as archive:
        archive.write(drawn["c"], "Takeout/c.jpg")
        archive.getinfo("Takeout/c.jpg").flag_bits |= 1
    index(store, fakes, export)
    assert paths(store) == members(export, "a", "b")
    with store.reading() as session:
        assert runs.errors(session, STAGES) == [
            (*members(export, "c"), "scan", "it is encrypted; pack it again without a password")
        ]


def test_a_member_whose_name_leads_out_is_reported_and_not_stored(store, fakes, export, drawn):
    with zipfile.ZipFile(export, "a") as archive:
        archive.write(drawn["c"], "../c.jpg")
    report = index(store, fakes, export)
    assert (report.files_seen, len(report.problems)) == (2, 1)
    assert report.problems[0].startswith(f"{export}!/../c.jpg: its name leads out of the archive")
