"""Forgetting a person: nothing is left in any file, and nothing comes back."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from answering import draw_people, face, index_people, people, who
from fakes import FakeModels, draw_photo, frames, index
from sqlalchemy import select

from alignimation_index.errors import UserError
from alignimation_index.people.forgotten_names import ForgottenNames, digests
from alignimation_index.pipeline import person_answers as answer
from alignimation_index.pipeline.forget import finish, forget, is_unfinished, preview
from alignimation_index.store import answer_log, engine, schema
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Answer, Embedding, Face, Person
from alignimation_index.store.people import replace_suggestions
from alignimation_index.store.tables import File, Photo, PhotoGooglePerson
from alignimation_index.store.tombstones import tombstones

TESTS = Path(__file__).parents[1]
NAME = "Quetzalcoatlia Vongole"
VECTOR = np.linspace(0.123, 4.567, 128, dtype=np.float32)
LANDMARKS = np.arange(10, dtype=np.float32).reshape(5, 2) + np.float32(0.777)


@pytest.fixture
def two_people(store, fakes, photos):
    """Red and green, each on six photos, four of which they share; red is called NAME, green Bob."""
    shown = [("red", "green")] * 4 + [("red",)] * 2 + [("green",)] * 2
    index_people(store, fakes, photos, *shown)
    answer.name_person(store, str(number_of(store, 1990, 0)), NAME)
    answer.name_person(store, str(number_of(store, 1990, 1)), "Bob")
    return store


def number_of(store, year, place):
    return who(store)[year, place][0]


def mark(store, face_id):
    """Give a face bytes that no other has."""
    with store.writing() as session:
        session.get(Embedding, (face_id, "dlib-resnet")).vector = VECTOR
        session.get(Face, face_id).landmarks = LANDMARKS


def secrets():
    return [VECTOR.tobytes(), LANDMARKS.tobytes(), NAME.encode(), json.dumps(NAME).encode()]


def files_with(folder, wanted):
    return sorted(
        path.name for path in folder.rglob("*") if path.is_file() and any(one in path.read_bytes() for one in wanted)
    )


def shown(store):
    return {key: name for key, (_, name, _) in who(store).items()}


BOB_ONLY = {
    **{(1990 + year, 1): "Bob" for year in range(4)},
    **{(1996 + year, 0): "Bob" for year in range(2)},
}


def test_nothing_of_a_forgotten_person_is_left_in_any_file(two_people, photos):
    store = two_people
    mark(store, face(store, 1990, 0))
    store.backup(schema.backup_path(store.path, "20200101-000000"))
    reader = Store.open(store.path)
    frames(reader)  # keeps the write-ahead log beside the store
    assert files_with(store.path.parent, secrets())
    done = forget(store, NAME)
    assert [path.name for path in done.rewritten] == ["store.db.backup-20200101-000000"]
    assert files_with(store.path.parent, secrets()) == []
    assert shown(store) == BOB_ONLY
    reader.close()
    backup = Store.open(done.rewritten[0])
    assert shown(backup) == BOB_ONLY
    index(backup, FakeModels(detector_id="another", shift_px=6), photos)
    assert shown(backup) == BOB_ONLY
    backup.close()


def test_the_backup_of_an_upgrade_and_one_that_was_cut_short_are_deleted(two_people):
    store = two_people
    old, part = schema.backup_path(store.path, "0002"), store.path.with_name(".store.db.backup-0001.part")
    store.backup(old)
    part.write_bytes(NAME.encode())
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
        connection.commit()
    assert set(preview(store, NAME).deleted) == {old, part}
    assert set(forget(store, NAME).deleted) == {old, part}
    assert files_with(store.path.parent, secrets()) == []


@pytest.mark.parametrize("models", [{"detector_id": "another", "shift_px": 6}, {"min_face_share": 0.05}])
def test_a_forgotten_person_does_not_come_back_when_the_same_photos_are_read_again(two_people, models):
    store = two_people
    forget(store, NAME)
    again = FakeModels(**models)
    index(store, again)
    assert again.images["detector"] == 8
    assert shown(store) == BOB_ONLY


def test_a_forgotten_person_does_not_come_back_with_a_copy_or_when_the_photo_was_away(two_people, fakes, photos):
    store = two_people
    forget(store, NAME)
    (photos / "copy.jpg").write_bytes((photos / "1990.jpg").read_bytes())
    with store.writing() as session:
        for table in (File, Photo):
            for row in session.scalars(select(table)):
                session.delete(row)
            session.flush()
    index(store, fakes)
    assert set(shown(store)) == set(BOB_ONLY)


def test_only_what_is_the_persons_goes(two_people):
    store = two_people
    red, green = number_of(store, 1990, 0), number_of(store, 1990, 1)
    split = answer.split(store, str(red), [face(store, 1994)], "Eve").person
    answer.reject(store, [face(store, 1990, 1)], str(red))
    answer.set_birthday(store, "Bob", date(1980, 1, 1))
    forget(store, NAME)
    found = shown(store)
    assert found == {**BOB_ONLY, (1994, 0): "Eve"}
    assert {person.name: person.id for person in people(store)} == {"Bob": green, "Eve": split}
    with store.reading() as session:
        assert session.get(Person, red) is None
        assert not session.scalars(select(Answer).where((Answer.person_id == red) | (Answer.other_id == red))).all()


def test_undo_brings_nobody_back(two_people):
    store = two_people
    forget(store, NAME)
    said = answer.undo(store)
    assert "Bob" in said
    with pytest.raises(UserError, match="Nothing was answered"):
        answer.undo(store)
    assert set(shown(store)) == set(BOB_ONLY)


def test_all_numbers_of_a_person_go_and_faces_that_may_be_theirs(two_people, fakes, photos):
    store = two_people
    draw_photo(photos / "blue.jpg", "blue", taken_at=datetime(2001, 5, 6))
    index(store, fakes)
    red = number_of(store, 1990, 0)
    answer.merge(store, "Bob", str(red))
    with store.writing() as session:
        replace_suggestions(session, [(face(store, 2001), red, 0.5)])
    found = preview(store, "Bob")
    assert (found.face_count, found.suggested_count, found.photo_count) == (12, 1, 9)
    assert sorted(found.names) == ["Bob", NAME]
    forget(store, "Bob")
    assert shown(store) == {}
    with store.reading() as session:
        assert session.scalars(select(Person)).all() == []


def google(folder, name, *people, **more):
    said = {"title": name, "photoTakenTime": {"timestamp": "1"}, "people": [{"name": one} for one in people], **more}
    (folder / f"{name}.supplemental-metadata.json").write_text(json.dumps(said))


def test_the_name_goes_from_what_an_export_said_and_is_not_read_again(two_people, fakes, photos):
    store = two_people
    google(photos, "1990.jpg", NAME.upper(), "Bob", description=f"with {NAME}, at sea")
    index(store, fakes)
    assert files_with(store.path.parent, [NAME.upper().encode()])
    forget(store, NAME)
    google(photos, "1991.jpg", NAME, "Bob", description=f"{NAME} again")
    google(photos, "1990.jpg", NAME.upper(), "Bob", "Zoe")
    index(store, fakes)
    with store.reading() as session:
        named = session.execute(select(PhotoGooglePerson.name)).scalars().all()
    assert sorted(named) == ["Bob", "Bob", "Zoe"]
    store.overwrite_deleted()
    assert files_with(store.path.parent, [*secrets(), NAME.upper().encode()]) == []
    assert NAME in (photos / "1991.jpg.supplemental-metadata.json").read_text()


def test_somebody_elses_name_stays(two_people):
    store = two_people
    with store.writing() as session:
        answer_log.record(session, "name", number_of(store, 1990, 0), value="bob", source=None)
    assert preview(store, str(number_of(store, 1990, 0))).names == [NAME]


def test_a_name_is_known_by_its_words_however_it_is_written():
    names = ForgottenNames("salt", digests(["Zoë van Dyck", "花子"], "salt"))
    assert "ZOE\u0308 VAN  DYCK" in names
    assert "Zoë" not in names
    assert names.are_in("At the sea, with zoë van-dyck!")
    assert names.are_in("今日は花子と海")
    assert not names.are_in("Zoë and Dyck")
    assert "Zoë van Dyck" not in ForgottenNames("other", names.digests)


def test_with_nobody_of_that_name_nothing_happens(two_people):
    with pytest.raises(UserError, match="Nobody is called Zoe"):
        forget(two_people, "Zoe")
    with two_people.reading() as session:
        assert tombstones(session).contents == []


KILLED = """
import os, signal, sys
from pathlib import Path
from alignimation_index.pipeline import forget
from alignimation_index.store import backups, engine
from alignimation_index.store.engine import Store

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

where, path, name = sys.argv[1:]
store = Store.open(Path(path))
if where == "before the commit":
    forget.rows.note_unfinished = die
if where == "before the store is overwritten":
    Store.overwrite_deleted = die
if where == "before the backups":
    backups.backups_of = die
if where == "before the end":
    forget.rows.note_finished = die
forget.forget(store, name)
"""
MOMENTS = ["before the commit", "before the store is overwritten", "before the backups", "before the end"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process")
@pytest.mark.parametrize("where", MOMENTS)
def test_a_kill_in_the_middle_and_another_run_complete_it(two_people, where):
    store = two_people
    mark(store, face(store, 1990, 0))
    store.backup(schema.backup_path(store.path, "20200101-000000"))
    command = [sys.executable, "-c", KILLED, where, str(store.path), NAME]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert is_unfinished(store) == (where != "before the commit")
    if is_unfinished(store):
        finish(store)
    else:
        forget(store, NAME)
    assert not is_unfinished(store)
    assert files_with(store.path.parent, secrets()) == []
    assert shown(store) == BOB_ONLY


def test_what_another_program_still_reads_is_overwritten_by_the_next_run(two_people, monkeypatch):
    store = two_people
    mark(store, face(store, 1990, 0))
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(store.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM face").fetchall()
        with pytest.raises(UserError, match=r"still in .*Close other programs.*run the command again"):
            forget(store, NAME)
    assert is_unfinished(store)
    finish(store)
    assert files_with(store.path.parent, secrets()) == []


def test_new_photos_of_them_are_found_as_somebody_new(two_people, fakes, photos):
    store = two_people
    before = number_of(store, 1990, 0)
    forget(store, NAME)
    draw_people(photos, ("red",), ("red",), ("red",), first_year=2005)
    index(store, fakes)
    assert {name for (year, _), name in shown(store).items() if year >= 2005} == {None}
    assert number_of(store, 2005, 0) not in (None, before)
