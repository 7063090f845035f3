"""What speaks of photos beside their pixels: it is read once, paired, and resolved again when it changes."""

import shutil
import zipfile
from datetime import datetime

import pytest
from fakes import contents, draw_photo, frames, index
from sidecars import album, google, listed, only, picasa, put, xmp
from sqlalchemy import func, select

from alignimation_index.pipeline import describe, sidecars, update
from alignimation_index.pipeline.answers import set_dates, unset_dates
from alignimation_index.pipeline.listing import update_listing
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.stages import DESCRIBE, STAGES
from alignimation_index.pipeline.status import store_status
from alignimation_index.query.people import summaries
from alignimation_index.store import runs
from alignimation_index.store.face_tables import Answer
from alignimation_index.store.tables import StageRun, utc_now

IN_2004, IN_2010 = 1_100_000_000, 1_280_000_000  # seconds since 1970


@pytest.fixture
def export(photos):
    """One photo without EXIF in a year folder and in an album, each copy with its sidecar."""
    year, trip = photos / "Takeout" / "Photos from 2004", photos / "Takeout" / "Trip"
    draw_photo(year / "a.jpg", "red")
    trip.mkdir()
    shutil.copy(year / "a.jpg", trip / "a.jpg")
    put(year / "a.jpg.supplemental-metadata.json", google("a.jpg", IN_2004, ("Ada", "Bob"), favorited=True))
    put(trip / "a.jpg.supplemental-metadata.json", google("a.jpg", IN_2004, ("Ada", "Bob"), favorited=True))
    put(trip / "metadata.json", album("Trip to Rome"))
    return photos


def errors(store):
    with store.reading() as session:
        return runs.errors(session, STAGES)


def described(store):
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(StageRun).where(StageRun.stage == DESCRIBE))


def sidecar_of(photos, name="a.jpg"):
    return photos / "Takeout" / "Photos from 2004" / f"{name}.supplemental-metadata.json"


def test_an_export_says_date_people_album_and_star(store, fakes, export):
    report = index(store, fakes, export)
    photo = only(store)
    assert report.sidecars_read == 3
    assert (photo.taken_at.year, photo.taken_at_source) == (2004, "sidecar")
    assert (photo.albums, photo.google_people) == (["Trip to Rome"], ["Ada", "Bob"])
    assert (photo.favourite, photo.archived, photo.trashed) == (True, False, False)
    assert {(sidecar.path.rsplit("/", 1)[1], sidecar.rule) for sidecar in photo.sidecars} == {
        ("a.jpg.supplemental-metadata.json", "same name"),
        ("metadata.json", "album of the folder"),
    }


def test_a_second_update_reads_and_describes_nothing(store, fakes, export):
    index(store, fakes, export)
    before = contents(store)
    report = index(store, fakes)
    assert (report.sidecars_read, report.photos_computed) == (0, 0)
    assert contents(store) == before


def test_folders_outside_of_an_export_are_no_albums(store, fakes, photos):
    draw_photo(photos / "Trip" / "a.jpg", "red")
    index(store, fakes, photos)
    assert only(store).albums == []


def test_photo_and_sidecar_in_two_archives_of_an_export_belong_together(store, fakes, tmp_path, photos):
    drawn = draw_photo(tmp_path / "drawn.jpg", "red")
    folder = "Takeout/Google Photos/Photos from 2004"
    with zipfile.ZipFile(photos / "takeout-20240101T000000Z-001.zip", "w") as archive:
        archive.write(drawn, f"{folder}/a.jpg")
    with zipfile.ZipFile(photos / "takeout-20240101T000000Z-002.zip", "w") as archive:
        archive.writestr(f"{folder}/a.jpg.supplemental-metadata.json", google("a.jpg", IN_2004, ("Ada",)))
    index(store, fakes, photos)
    assert (only(store).taken_at_source, only(store).google_people) == ("sidecar", ["Ada"])


@pytest.mark.parametrize("earlier", [None, google("a.jpg", IN_2010), b"{", b'{"other": 1}'])
def test_a_sidecar_that_comes_or_changes_later_is_as_one_that_was_there(store, fakes, photos, earlier):
    draw_photo(photos / "Takeout" / "Photos from 2004" / "a.jpg", "red")
    if earlier is not None:
        put(sidecar_of(photos), earlier)
    index(store, fakes, photos)
    looked = dict(fakes.images)
    put(sidecar_of(photos), google("a.jpg", IN_2004, ("Ada",)))
    report = index(store, fakes)
    assert (report.sidecars_read, report.photos_computed, fakes.images) == (1, 0, looked)
    assert (only(store).taken_at.year, only(store).google_people) == (2004, ["Ada"])


def test_a_sidecar_that_is_gone_says_nothing_any_more(store, fakes, export):
    index(store, fakes, export)
    for path in export.rglob("*.json"):
        path.unlink()
    index(store, fakes)
    photo = only(store)
    assert (photo.taken_at_source, photo.albums, photo.google_people, photo.sidecars) == ("folder-year", [], [], [])


def test_only_photos_that_a_change_concerns_are_described_again(store, fakes, export, monkeypatch):
    draw_photo(export / "Takeout" / "Photos from 2004" / "b.jpg", "green")
    draw_photo(export / "other" / "c.jpg", "blue")
    index(store, fakes, export)
    put(sidecar_of(export, "b.jpg"), google("b.jpg"))
    resolved, describe_sources = [], describe.describe_sources
    monkeypatch.setattr(describe, "describe_sources", lambda about: resolved.append(about) or describe_sources(about))
    index(store, fakes)
    assert [about.files[0].path.rsplit("/", 1)[1] for about in resolved] == ["b.jpg"]


def test_a_broken_sidecar_is_one_error_until_it_changes(store, fakes, export):
    put(sidecar_of(export), b'{"title": ')
    put(export / "a.xmp", b"<x:xmpmeta")
    index(store, fakes, export)
    found = {path.rsplit("/", 1)[1]: (stage, reason) for path, stage, reason in errors(store)}
    assert found.keys() == {"a.jpg.supplemental-metadata.json", "a.xmp"}
    assert found["a.xmp"][0] == "scan"
    assert "the XMP is broken" in found["a.xmp"][1]
    assert store_status(store.path)["errors"] == 2
    assert index(store, fakes).sidecars_read == 0
    put(sidecar_of(export), google("a.jpg"))
    (export / "a.xmp").unlink()
    index(store, fakes)
    assert errors(store) == []


def test_json_of_other_programs_is_no_error(store, fakes, photos):
    draw_photo(photos / "a.jpg", "red")
    put(photos / "package.json", b'{"name": "x", "title": "no album"}')
    put(photos / "list.json", b"[1, 2]")
    index(store, fakes, photos)
    assert (errors(store), only(store).sidecars, store_status(store.path)["sidecars"]) == ([], [], 0)


def test_videos_are_counted_and_are_no_errors(store, fakes, photos):
    draw_photo(photos / "a.jpg", "red")
    put(photos / "film.mp4", b"a film")
    report = index(store, fakes, photos)
    status = store_status(store.path)
    assert (report.files_seen, report.videos_seen) == (1, 1)
    assert (status["files"], status["videos"], status["errors"]) == (1, 1, 0)


def test_xmp_beside_a_photo_gives_date_rating_and_faces(store, fakes, photos):
    draw_photo(photos / "a.jpg", "red")
    put(photos / "a.jpg.xmp", xmp(name="Ada", rating=4))
    index(store, fakes, photos)
    photo = only(store)
    assert (photo.taken_at, photo.taken_at_source, photo.rating) == (datetime(1999, 5, 6, 7, 8, 9), "xmp", 4)
    assert [(one.name, one.box.tolist()) for one in photo.regions] == [("Ada", [59.5, 29.5, 99.5, 89.5])]


def test_picasa_names_faces_of_its_folder(store, fakes, photos):
    draw_photo(photos / "a.jpg", "red")
    put(photos / ".picasa.ini", picasa("A.JPG", "Ada"))
    index(store, fakes, photos)
    (region,) = only(store).regions
    assert region.name == "Ada"
    assert region.box.tolist() == pytest.approx([39.5, 29.5, 79.5, 59.5], abs=0.01)


def region_names(store):
    return [region.name for region in only(store).regions]


def test_a_region_read_again_replaces_its_own_answers_and_no_others(store, fakes, photos):
    draw_photo(photos / "a.jpg", "red")
    put(photos / "a.xmp", xmp(name="Ada"))
    index(store, fakes, photos)
    with store.writing() as session:
        own = Answer(kind="region", content_hash=only(store).content_hash, box=[0, 0, 9, 9], value="Zoe")
        session.add(own)
    put(photos / "a.xmp", xmp(name="Adele"))
    index(store, fakes)
    assert region_names(store) == ["Adele", "Zoe"]


def test_a_region_that_was_undone_stays_undone(store, fakes, photos):
    draw_photo(photos / "a.jpg", "red")
    put(photos / "a.xmp", xmp(name="Ada"))
    index(store, fakes, photos)
    with store.writing() as session:
        session.scalars(select(Answer).where(Answer.kind == "region")).one().undone_at_utc = utc_now()
    for rating in (1, 2):
        (photos / "a.xmp").unlink()
        index(store, fakes)
        put(photos / "a.xmp", xmp(name="Ada", rating=rating))
        index(store, fakes)
    assert (only(store).rating, region_names(store)) == (2, [])


def test_trashed_and_archived_photos_are_hidden_unless_asked_for(store, fakes, photos):
    folder = photos / "Takeout" / "Photos from 2004"
    for name, flags in (("a", {}), ("b", {"trashed": True}), ("c", {"archived": True})):
        draw_photo(folder / f"{name}.jpg", "red", shade=ord(name))
        put(folder / f"{name}.jpg.json", google(f"{name}.jpg", 1_100_000_000 + 86_400 * ord(name), **flags))
    index(store, fakes, photos)
    status = store_status(store.path)
    assert (status["photos"], status["trashed"], status["archived"]) == (3, 1, 1)
    assert len(listed(store)) == 3
    shown = listed(store, include_trashed=False, include_archived=False)
    assert [photo.paths[0].rsplit("/", 1)[1] for photo in shown] == ["a.jpg"]
    assert [frame.path for frame in frames(store)] == shown[0].paths
    with store.reading() as session:
        assert [one.photo_count for one in summaries(session)] == [1]
        assert [one.photo_count for one in summaries(session, include_trashed=True)] == [2]


def test_a_photo_in_the_bin_and_in_an_album_is_not_hidden(store, fakes, export):
    for path in export.rglob("Photos from 2004/*.json"):
        path.write_bytes(google("a.jpg", trashed=True))
    index(store, fakes, export)
    assert only(store).trashed is False
    for path in export.rglob("Trip/a.jpg*.json"):
        path.write_bytes(google("a.jpg", trashed=True))
    index(store, fakes)
    assert only(store).trashed is True


def test_the_bin_of_an_export_hides_photos_whose_sidecars_do_not_say_so(store, fakes, photos):
    draw_photo(photos / "Takeout" / "Papierkorb" / "a.jpg", "red")
    put(photos / "Takeout" / "Papierkorb" / "a.jpg.json", google("a.jpg"))
    draw_photo(photos / "Bin" / "b.jpg", "red", shade=3)
    index(store, fakes, photos)
    assert [photo.trashed for photo in listed(store)] == [False, True]


def test_an_answered_date_stands_until_it_is_taken_back(store, fakes, export):
    index(store, fakes, export)
    path = only(store).paths[0]
    set_dates(store, [path], datetime(1950, 1, 2))
    set_dates(store, [only(store).content_hash], datetime(1951, 1, 2))
    (export / "Takeout" / "Trip").rename(export / "Takeout" / "Journey")
    put(sidecar_of(export), google("a.jpg", IN_2010))
    index(store, fakes)
    assert (only(store).taken_at, only(store).taken_at_source) == (datetime(1951, 1, 2), "answer")
    unset_dates(store, [path])
    assert only(store).taken_at_source == "sidecar"


def rename_photos(export):
    for path in export.rglob("a.jpg*"):
        path.rename(path.with_name(path.name.replace("a.jpg", "A.JPG")))


def export_again(export):
    (export / "Takeout").rename(export / "Takeout 2")


@pytest.mark.parametrize("change", [rename_photos, export_again])
def test_a_photo_renamed_with_its_sidecar_recomputes_nothing(store, fakes, export, change):
    index(store, fakes, export)
    looked, before = dict(fakes.images), only(store)
    change(export)
    report = index(store, fakes)
    after = only(store)
    assert (report.photos_computed, report.files_changed, fakes.images) == (0, 2, looked)
    assert (after.taken_at, after.albums, after.google_people) == (before.taken_at, before.albums, before.google_people)


def test_a_copy_speaks_of_its_photo_while_it_holds_it(store, fakes, photos, tmp_path):
    """By its name, here: it comes, goes, comes back, and is written over."""
    first, copy = draw_photo(photos / "a.jpg", "red"), photos / "b IMG_20030405_060708.jpg"
    away = tmp_path / "away.jpg"
    index(store, fakes, photos)
    seen = []
    for change in (
        lambda: shutil.copy(first, copy),
        lambda: copy.rename(away),
        lambda: away.rename(copy),
        lambda: draw_photo(copy, "green"),
    ):
        change()
        index(store, fakes)
        seen.append(listed(store)[0].taken_at_source)
    assert seen == ["name", "mtime", "name", "mtime"]


class Death(Exception):  # noqa: N818 - of the program
    pass


def die(*_):
    raise Death


@pytest.mark.parametrize(
    ("module", "function"),
    [(sidecars, "read_sidecars"), (sidecars, "pair_folders"), (sidecars, "pair_folder"), (update, "describe_photos")],
)
def test_an_update_that_dies_between_two_passes_goes_on_where_it_was(
    store, other_store, fakes, export, monkeypatch, module, function
):
    index(store, fakes, export)
    put(sidecar_of(export), google("a.jpg", IN_2010, ("Eve",)))
    draw_photo(export / "Takeout" / "Trip" / "b.jpg", "green")
    with monkeypatch.context() as patch, pytest.raises(Death):
        patch.setattr(module, function, die)
        index(store, fakes)
    index(store, fakes)
    index(other_store, fakes, export)
    assert listed(store) == listed(other_store)
    assert described(store) == 2


def test_an_update_of_the_listing_opens_no_photo_and_reads_sidecars(store, fakes, export):
    index(store, fakes, export)
    put(sidecar_of(export), google("a.jpg", IN_2010))
    draw_photo(export / "b.jpg", "green")
    report = update_listing(store, lambda *_: None)
    assert (report.files_changed, report.sidecars_read, report.photos_computed) == (1, 1, 0)


def test_chosen_stages_run_with_those_that_they_build_on_and_no_network(store, fakes, export):
    add_roots(store, [export])
    update.update(store, fakes.source(), lambda *_: None, stages=[DESCRIBE])
    assert (only(store).taken_at.year, fakes.loads) == (2004, 0)
