"""Variants among photos as they come and go: found once, again when something changes, and the same as from scratch."""

import shutil
from contextlib import contextmanager
from datetime import datetime

import pytest
from fakes import FakeModels, draw_photo, index
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from raw_files import make_dng
from sidecars import listed
from skimage import data
from sqlalchemy import select

from alignimation_index.library import formats
from alignimation_index.library.variants import similar
from alignimation_index.pipeline.answers import set_dates
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.stages import VARIANTS, stage_keys
from alignimation_index.pipeline.status import store_status
from alignimation_index.pipeline.update import update
from alignimation_index.pipeline.variants import group_variants
from alignimation_index.query.choosing.choose import choose_frames
from alignimation_index.query.frames import select_frames
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.store.engine import Store
from alignimation_index.store.tables import File, Photo, Variant

NOON = datetime(2012, 5, 1, 12)


def groups(store):
    """For each photo by its first path: the group's kind, its role, and whether it is the best."""
    return {photo.paths[0].rsplit("/", 1)[1]: photo.group and photo.group[1:] for photo in listed(store)}


def best(store, **wanted):
    with store.reading() as session:
        found = select_frames(session, FrameFilter(all_variants=False, **wanted))
    return [frame.path.rsplit("/", 1)[1] for frame in found]


def draw_edited(path, *people):
    """A photo, and its edited copy, which is a little darker."""
    people = people or ("red", "green")
    draw_photo(path, *people, taken_at=NOON)
    draw_photo(path.with_stem(f"{path.stem}-edited"), *people, shade=90, taken_at=NOON)


def draw_copy(source, path):
    Image.open(source).save(path, quality=60)


def test_an_edited_copy_stands_for_its_original(store, fakes, photos):
    draw_edited(photos / "a.jpg")
    index(store, fakes, photos)
    assert groups(store) == {
        "a.jpg": ("edited", "original", False),
        "a-edited.jpg": ("edited", "edited", True),
    }
    assert best(store) == ["a-edited.jpg"] * 2
    assert store_status(store.path)["groups"] == {"edited": 1}


def test_a_second_update_finds_nothing_anew_and_a_change_does(store, fakes, photos):
    draw_edited(photos / "a.jpg")
    assert "variants" in index(store, fakes, photos).profile.seconds
    with store.writing() as session:
        session.get(Variant, 1).role = "touched"
    index(store, fakes)
    with store.reading() as session:
        assert session.get(Variant, 1).role == "touched"
    draw_photo(photos / "b.jpg", "blue")
    index(store, fakes)
    with store.reading() as session:
        assert session.get(Variant, 1).role != "touched"


def test_when_the_best_goes_the_next_takes_its_place_until_it_is_back(store, fakes, photos):
    draw_edited(photos / "a.jpg")
    index(store, fakes, photos)
    shutil.move(photos / "a-edited.jpg", photos.parent / "away.jpg")
    index(store, fakes)
    assert (groups(store), best(store)) == ({"a.jpg": None}, ["a.jpg"] * 2)
    shutil.move(photos.parent / "away.jpg", photos / "a-edited.jpg")
    index(store, fakes)
    assert best(store) == ["a-edited.jpg"] * 2
    assert fakes.images["detector"] == 2


def test_a_hidden_best_is_replaced_by_the_next(store, fakes, photos):
    draw_edited(photos / "a.jpg")
    index(store, fakes, photos)
    with store.writing() as session:
        hashes = select(Photo).join(File).where(File.path.endswith("edited.jpg"))
        session.scalars(hashes).one().trashed = True
    assert best(store) == ["a.jpg"] * 2
    assert best(store, include_trashed=True) == ["a-edited.jpg"] * 2
    assert groups(store)["a.jpg"] == ("edited", "original", True)


def test_a_copy_that_is_smaller_stands_behind(store, fakes, photos):
    original = Image.fromarray(data.coffee())
    original.save(photos / "b.png")
    original.resize((300, 200)).save(photos / "a.png")
    index(store, fakes, photos)
    assert groups(store) == {"a.png": ("duplicate", "duplicate", False), "b.png": ("duplicate", "duplicate", True)}


def test_a_person_who_is_not_on_the_best_photo_is_taken_from_the_next(store, fakes, photos):
    draw_photo(photos / "a.jpg", "red", "green", taken_at=NOON)
    draw_photo(photos / "a-edited.jpg", "red", taken_at=NOON)
    for i, shade in enumerate((60, 90, 200)):  # so that both are people
        draw_photo(photos / f"{i}.jpg", "red", "green", shade=shade, taken_at=datetime(2000 + i, 1, 1))
    index(store, fakes, photos)
    assert sorted(path for path in best(store) if path.startswith("a")) == ["a-edited.jpg", "a.jpg"]


def test_an_animation_takes_the_best_and_tells_how_many_it_left_out(store, fakes, photos):
    draw_edited(photos / "a.jpg")
    for i, shade in enumerate((60, 200)):
        draw_photo(photos / f"{i}.jpg", "red", "green", shade=shade, taken_at=datetime(2000 + i, 1, 1))
    index(store, fakes, photos)
    with store.reading() as session:
        chosen = choose_frames(session, FrameFilter(all_variants=False))
        everything = choose_frames(session, FrameFilter())
    assert chosen.reasons == {"variants of another photo (--all-variants keeps them)": 1}
    assert (len(chosen.frames), len(everything.frames), everything.reasons) == (3, 4, {})


@pytest.mark.parametrize("together", [True, False])
def test_a_video_is_the_moving_half_of_its_still(store, fakes, photos, together):
    still = draw_photo(photos / "IMG_1.jpg", "red")
    if not together:
        index(store, fakes, photos)
    (photos / "IMG_1.MOV").write_bytes(b"video")
    (photos / "trip.mp4").write_bytes(b"video")
    index(store, fakes, photos)
    (photo,) = listed(store)
    assert (photo.group[1:], photo.videos) == (("live", "still", True), [str(still.with_suffix(".MOV"))])
    status = store_status(store.path)
    assert (status["groups"], status["videos"]) == ({"live": 1}, 2)
    assert status["some_videos"] == [str(photos / "trip.mp4"), str(photos / "IMG_1.MOV")]
    (photos / "IMG_1.MOV").unlink()
    index(store, fakes)
    assert store_status(store.path)["groups"] == {}


def test_an_answered_date_undoes_a_burst(store, fakes, photos, monkeypatch):
    monkeypatch.setattr(similar, "COPY_BITS", -1)
    for i in range(2):
        draw_photo(photos / f"{i}.jpg", "red", shade=120 + i, taken_at=NOON.replace(second=i))
    index(store, fakes, photos)
    assert groups(store)["0.jpg"][0] == "burst"
    set_dates(store, [str(photos / "0.jpg")], datetime(2011, 1, 1))
    index(store, fakes)
    assert set(groups(store).values()) == {None}


def test_a_changed_parameter_finds_them_anew_and_the_status_says_why(store, fakes, photos, monkeypatch):
    draw_edited(photos / "a.jpg")
    index(store, fakes, photos)
    monkeypatch.setattr(similar, "BURST_BITS", 1)
    (stale,) = store_status(store.path)["stale"]
    assert stale == {"stage": "variants", "photos": 2, "why": "burst [3.0, 14, 20.0] → [3.0, 1, 20.0]"}
    assert index(store, fakes).photos_computed == 0
    assert store_status(store.path)["stale"] == []


def save_raw(path):
    preview = draw_photo(path.with_suffix(".jpg"), "red", taken_at=NOON)
    path.write_bytes(make_dng(Image.open(preview), NOON.strftime("%Y:%m:%d %H:%M:%S")))


def test_a_raw_file_is_a_photo_and_stands_behind_what_it_became(store, fakes, photos):
    save_raw(photos / "DSC_1.dng")
    index(store, fakes, photos)
    assert groups(store) == {"DSC_1.dng": ("raw", "raw", False), "DSC_1.jpg": ("raw", "developed", True)}
    assert best(store) == ["DSC_1.jpg"]


def test_raw_files_wait_for_the_extra_and_are_no_errors(store, fakes, photos, monkeypatch):
    save_raw(photos / "DSC_1.dng")
    with monkeypatch.context() as without:
        without.setattr(formats, "find_spec", lambda _name: None)
        for _ in range(2):
            index(store, fakes, photos)
        status = store_status(store.path)
        assert (status["photos"], status["errors"], status["raw_not_indexed"]) == (1, 0, 1)
    assert index(store, fakes).photos_computed == 1
    status = store_status(store.path)
    assert (status["photos"], status["errors"], status["raw_not_indexed"]) == (2, 0, 0)


PHOTOS = ("a.jpg", "a-edited.jpg", "copy.jpg", "b0.jpg", "b1.jpg", "c.jpg", "a.dng")
paths = st.sampled_from([*PHOTOS, "a.mp4"])
steps = st.one_of(
    st.tuples(st.just("put"), paths), st.tuples(st.just("delete"), paths), st.tuples(st.just("update"), st.none())
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_edited(folder / "a.jpg")
    draw_copy(folder / "a.jpg", folder / "copy.jpg")
    for i in range(2):
        image = Image.open(draw_photo(folder / f"b{i}.jpg", "blue", taken_at=NOON.replace(second=20 + i)))
        exif = image.getexif()
        ImageDraw.Draw(image).rectangle((100 + i, 20, 140, 30), "white")
        image.save(folder / f"b{i}.jpg", exif=exif)
    draw_photo(folder / "c.jpg", "green", "yellow")
    (folder / "a.dng").write_bytes(make_dng(Image.open(folder / "a.jpg"), NOON.strftime("%Y:%m:%d %H:%M:%S")))
    (folder / "a.mp4").write_bytes(b"video")
    return folder


@settings(max_examples=10, deadline=None, phases=[Phase.generate, Phase.shrink])
@given(st.lists(steps, min_size=3, max_size=14))
def test_any_history_leads_to_the_groups_that_one_update_finds(tmp_path_factory, new_store, drawn, taken):
    top = tmp_path_factory.mktemp("history")
    root = top / "photos"
    root.mkdir()
    stores = [Store.open(shutil.copy(new_store, top / name)) for name in ("grown.db", "fresh.db")]
    draw_photo(root / "always.jpg", "green")
    for step, name in taken:
        if step == "put":
            shutil.copy2(drawn / name, root / name)
        elif step == "delete":
            (root / name).unlink(missing_ok=True)
        else:
            index(stores[0], FakeModels(), root)
    for store in stores:
        index(store, FakeModels(), root)
    assert groups(stores[0]) == groups(stores[1])
    grown, fresh = (store_status(store.path)["groups"] for store in stores)
    assert grown == fresh
    for store in stores:
        store.close()


class WrittenMeanwhile:
    """A store to which somebody else writes once it was read for the second time: all that variants are found from."""

    def __init__(self, store, write):
        self._store, self._write, self._times = store, write, 0
        self.writing = store.writing

    @contextmanager
    def reading(self):
        with self._store.reading() as session:
            yield session
        self._times += 1
        if self._times == 2:
            self._write()


def test_what_changes_while_variants_are_looked_for_is_not_missed(store, fakes, photos):
    def add_edited(name, person):
        draw_edited(photos / name, person)
        update(store, fakes.source(), lambda *_: None, stages=["describe"])

    add_roots(store, [photos])
    add_edited("a.jpg", "red")
    key = stage_keys(fakes.source().ids)[VARIANTS]
    assert group_variants(WrittenMeanwhile(store, lambda: add_edited("b.jpg", "blue")), key)
    assert {name: group[1] for name, group in groups(store).items()} == {
        "a.jpg": "original",
        "a-edited.jpg": "edited",
        "b.jpg": "original",
        "b-edited.jpg": "edited",
    }
    assert not group_variants(store, key)


def test_stages_without_variants_leave_them_for_the_next_update(store, fakes, photos):
    draw_edited(photos / "a.jpg")
    add_roots(store, [photos])
    update(store, fakes.source(), lambda *_: None, stages=["describe"])
    assert set(groups(store).values()) == {None}
    index(store, fakes)
    assert groups(store)["a.jpg"][0] == "edited"
