import os
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from alignimation_index.errors import UserError
from alignimation_index.store import engine
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Assignment
from alignimation_index.store.tables import Photo, Root, Setting

HOLD_THE_STORE = """
import sys, time
from pathlib import Path
from alignimation_index.store.engine import Store
from alignimation_index.store.tables import Setting

with Store.open(Path(sys.argv[1])).writing() as session:
    session.add(Setting(name="writer", value="the other process"))
    session.flush()
    print("writing", flush=True)
    time.sleep(0.5)
"""


def mode(path):
    return path.stat().st_mode & 0o777


def root_paths(session):
    return list(session.scalars(select(Root.path).order_by(Root.path)))


def test_all_files_of_the_store_are_their_owners_alone(tmp_path):
    mask = os.umask(0)
    try:
        store = Store.open(tmp_path / "new" / "store.db")
        with store.updating(lambda: None), store.writing() as session:
            session.add(Root(path="/photos"))
            session.flush()
            modes = {path.name: mode(path) for path in store.path.parent.iterdir()}
    finally:
        os.umask(mask)
    store.close()
    assert {"store.db", "store.db-wal", "store.db-shm"} < modes.keys()
    assert set(modes.values()) == {0o600}
    assert mode(store.path.parent) == 0o700


def test_a_store_that_others_could_read_is_closed_to_them(store):
    store.close()
    store.path.chmod(0o644)
    Store.open(store.path).close()
    assert mode(store.path) == 0o600


def test_the_folder_of_an_existing_store_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    Store.open(tmp_path / "store.db").close()
    assert mode(tmp_path) == 0o755


def test_without_create_a_missing_store_is_an_error_and_stays_missing(tmp_path):
    with pytest.raises(UserError, match=r"There is no store at .*alignindex update"):
        Store.open(tmp_path / "store.db", create=False)
    assert not (tmp_path / "store.db").exists()


@pytest.mark.parametrize("place", ["file/store.db", "file/deeper/store.db", "folder"])
def test_a_place_that_cannot_hold_a_store_is_an_error_with_the_next_step(tmp_path, place):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=r"Cannot open the store .*--store PATH"):
        Store.open(tmp_path / place)


def test_what_is_written_commits_together(store):
    with store.writing() as session:
        session.add_all([Root(path="/a"), Root(path="/b")])
    with store.reading() as session:
        assert root_paths(session) == ["/a", "/b"]


def test_an_exception_within_a_writing_rolls_all_of_it_back(store):
    with pytest.raises(RuntimeError), store.writing() as session:
        session.add(Root(path="/a"))
        session.flush()
        raise RuntimeError
    with store.reading() as session:
        assert root_paths(session) == []


def test_foreign_keys_are_checked(store):
    with pytest.raises(IntegrityError), store.writing() as session:
        session.add(Assignment(face_id=1, person_id=1, score=0))


def test_a_row_goes_with_its_owner(store):
    with store.writing() as session:
        session.add(Root(id=1, path="/a"))
        session.flush()
        session.connection().exec_driver_sql(
            "INSERT INTO file (root_id, path, size, mtime_ns, inode) VALUES (1, '/a/b.jpg', 1, 1, 1)"
        )
        session.connection().exec_driver_sql("DELETE FROM root")
        assert session.connection().exec_driver_sql("SELECT count(*) FROM file").scalar() == 0


def test_a_writer_waits_for_a_writer_in_another_process(store):
    command = [sys.executable, "-c", HOLD_THE_STORE, str(store.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "writing\n"
        begun = time.monotonic()
        with store.writing() as session:
            waited = time.monotonic() - begun
            assert session.get_one(Setting, "writer").value == "the other process"
            session.add(Root(path="/photos"))
    assert other.returncode == 0
    assert waited > 0.2
    with store.reading() as session:
        assert root_paths(session) == ["/photos"]


def test_no_write_of_many_threads_is_lost(store):
    with store.writing() as session:
        session.add(Setting(name="count", value="0"))

    def count_up():
        for _ in range(10):
            with store.writing() as session:
                row = session.get_one(Setting, "count")
                row.value = str(int(row.value) + 1)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as session:
        assert session.get_one(Setting, "count").value == "40"


def test_a_writer_that_waited_too_long_says_that_nothing_was_kept(store, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    impatient = Store.open(store.path)
    with (
        store.writing(),
        pytest.raises(UserError, match=r"Cannot write to the store .*locked.*Nothing of this step was kept"),
        impatient.writing(),
    ):
        pass
    impatient.close()


def test_a_reader_does_not_wait_for_a_writer_and_sees_one_moment(store, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    reader = Store.open(store.path)
    with reader.reading() as reading:
        assert reading.scalar(select(func.count(Photo.id))) == 0
        with store.writing() as session:
            session.add(Photo(content_hash="aa"))
            session.flush()
            with reader.reading() as another:
                assert another.scalar(select(func.count(Photo.id))) == 0
        assert reading.scalar(select(func.count(Photo.id))) == 0
    with reader.reading() as reading:
        assert reading.scalar(select(func.count(Photo.id))) == 1
    reader.close()


def test_the_second_to_update_is_told_and_waits_for_the_first(store):
    order = []
    told = threading.Event()

    def second():
        with Store.open(store.path).updating(told.set):
            order.append("second")

    with store.updating(lambda: order.append("waited")):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(5)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
