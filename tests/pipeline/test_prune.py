"""Forgetting what has been missing for long: only that, together, and never an answer."""

from datetime import datetime, timedelta

import pytest
from fakes import contents, draw_photo, frames, index
from sqlalchemy import event, func, select, update

from alignimation_index.pipeline.person_answers import name_person
from alignimation_index.pipeline.prune import preview, prune
from alignimation_index.pipeline.roots import remove_root
from alignimation_index.query.people import find_person
from alignimation_index.store import schema
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Answer, Embedding, Face, Person, Transform
from alignimation_index.store.prune import Prunable
from alignimation_index.store.tables import File, Photo, Setting, StageRun, utc_now

NOTHING = Prunable(0, 0, 0, 0)
DAYS_90 = timedelta(90)


class Death(Exception):  # noqa: N818 - of the program
    pass


@pytest.fixture
def seven(store, fakes, photos):
    """Red on four photos, blue on three; blue's are deleted 100 days ago, and red's first 10 days ago."""
    for i in range(4):
        draw_photo(photos / f"red {i}.jpg", "red", shade=100 + i, taken_at=datetime(2001 + i, 5, 6))
    for i in range(3):
        draw_photo(photos / f"blue {i}.jpg", "blue", shade=120 + i, taken_at=datetime(2011 + i, 5, 6))
    index(store, fakes, photos)
    delete(store, fakes, photos, "blue *.jpg", 100)
    delete(store, fakes, photos, "red 0.jpg", 10)
    return photos


def delete(store, fakes, photos, pattern, days_ago):
    for path in photos.glob(pattern):
        path.rename(photos.parent / path.name)
    index(store, fakes)
    new = File.missing_since_utc > utc_now() - timedelta(1)
    with store.writing() as session:
        session.execute(update(File).where(new).values(missing_since_utc=utc_now() - timedelta(days_ago)))


def counts(store):
    tables = (File, Photo, Face, Embedding, Transform, Person)
    with store.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def test_only_what_was_missing_for_long_goes_with_all_that_hangs_below(store, seven):  # noqa: ARG001
    before = frames(store)
    found, _ = prune(store, DAYS_90)
    assert found == Prunable(files=3, photos=3, faces=3, people=1)
    assert counts(store) == [4, 4, 4, 4, 4, 1]
    assert [frame.face_id for frame in frames(store)] == [frame.face_id for frame in before]
    with store.reading() as session:
        assert session.scalar(select(func.count(StageRun.photo_id.distinct()))) == 4


def test_a_preview_counts_the_same_and_changes_nothing(store, seven):  # noqa: ARG001
    before = contents(store)
    assert preview(store, DAYS_90) == Prunable(files=3, photos=3, faces=3, people=1)
    assert preview(store, timedelta(5)) == Prunable(files=4, photos=4, faces=4, people=1)
    assert preview(store, timedelta(365)) == NOTHING
    assert contents(store) == before


def test_a_second_prune_does_nothing_and_keeps_the_copy_of_the_first(store, seven):  # noqa: ARG001
    _, copy = prune(store, DAYS_90)
    before, copied = contents(store), copy.read_bytes()
    assert prune(store, DAYS_90) == (NOTHING, None)
    assert contents(store) == before
    assert copy.read_bytes() == copied


def test_the_store_is_copied_first_and_only_the_newest_copy_stays(store, seven):  # noqa: ARG001
    before = contents(store)
    _, copy = prune(store, DAYS_90)
    _, again = prune(store, timedelta(5))
    assert copy == again == schema.backup_path(store.path, "prune")
    assert copy.stat().st_mode & 0o777 == 0o600
    copied = Store.open(copy)
    assert len(contents(copied)["photo"]) == 4
    copied.close()
    assert len(before["photo"]) == 7


def test_without_a_backup_none_is_made(store, seven):  # noqa: ARG001
    found, copy = prune(store, DAYS_90, backup=False)
    assert (found.photos, copy, list(store.path.parent.glob("*backup*"))) == (3, None, [])


@pytest.mark.parametrize("table", ["file", "photo", "person"])
def test_a_prune_that_is_cut_short_has_not_happened_and_the_next_does_it_all(store, seven, table):  # noqa: ARG001
    before = contents(store)

    def cut(connection, cursor, statement, *_):  # noqa: ARG001
        if statement.startswith(f"DELETE FROM {table}"):
            raise Death

    event.listen(store._engine, "before_cursor_execute", cut)
    with pytest.raises(Death):
        prune(store, DAYS_90)
    event.remove(store._engine, "before_cursor_execute", cut)
    assert contents(store) == before
    assert prune(store, DAYS_90)[0].photos == 3


def test_a_photo_that_another_file_holds_stays(store, fakes, seven):
    (seven / "blue copy.jpg").write_bytes((seven.parent / "blue 0.jpg").read_bytes())
    index(store, fakes)
    assert prune(store, DAYS_90)[0] == Prunable(files=3, photos=2, faces=2, people=0)
    assert [frame.person_id for frame in frames(store)] == [1, 1, 1, 2]


def test_a_photo_that_a_younger_missing_file_holds_stays(store, fakes, seven):
    (seven / "blue copy.jpg").write_bytes((seven.parent / "blue 0.jpg").read_bytes())
    index(store, fakes)
    delete(store, fakes, seven, "blue copy.jpg", 10)
    assert prune(store, DAYS_90)[0].photos == 2


def test_answers_stay_and_those_they_speak_of(store, seven):  # noqa: ARG001
    name_person(store, "2", "Blue")
    with store.writing() as session:
        face = session.scalars(select(Face).join(Photo).where(Photo.taken_at > datetime(2010, 1, 1))).first()
        content_hash = session.get(Photo, face.photo_id).content_hash
        session.add(Answer(kind="confirm", person_id=2, content_hash=content_hash, box=face.box))
    before = contents(store)["answer"]
    assert prune(store, DAYS_90)[0].people == 0
    assert contents(store)["answer"] == before
    assert len(before) == 2
    with store.reading() as session:
        assert find_person(session, "blue") == 2


def test_a_photo_that_comes_back_after_a_prune_is_new_and_its_answers_fit_it(store, fakes, seven):
    with store.writing() as session:
        face = session.scalars(select(Face).join(Photo).where(Photo.taken_at > datetime(2010, 1, 1))).first()
        content_hash, box = session.get(Photo, face.photo_id).content_hash, face.box.tolist()
        session.add(Answer(kind="confirm", person_id=2, content_hash=content_hash, box=box))
    prune(store, DAYS_90)
    looked = fakes.images["detector"]
    for path in seven.parent.glob("blue *.jpg"):
        path.rename(seven / path.name)
    assert index(store, fakes).photos_computed == 3
    assert fakes.images["detector"] == looked + 3
    with store.reading() as session:
        answer = session.scalars(select(Answer)).one()
        again = session.scalars(select(Face).join(Photo).where(Photo.content_hash == answer.content_hash)).one()
    assert again.box.tolist() == answer.box.tolist() == box


def test_what_a_removed_root_left_goes_once_it_was_removed_for_long(store, fakes, seven):
    remove_root(store, seven)
    before = counts(store)
    assert prune(store, DAYS_90)[0] == NOTHING
    assert counts(store) == before
    with store.writing() as session:
        removed_at = (utc_now() - timedelta(91)).isoformat()
        session.execute(update(Setting).where(Setting.name == schema.REMOVAL_SETTING).values(value=removed_at))
    assert prune(store, DAYS_90)[0] == Prunable(files=0, photos=7, faces=7, people=2)
    assert counts(store) == [0] * 6
    assert index(store, fakes).files_seen == 0


def test_space_is_given_back_where_it_is_a_good_share(store):
    empty = store.path.stat().st_size
    with store.writing() as session:
        session.add_all(Photo(content_hash=f"{i:064}") for i in range(5000))
    assert store.compact() == 0
    with store.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM photo")
    freed = store.compact()
    assert freed > 100_000
    assert store.path.stat().st_size < empty + 20_000
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.compact() == 0
