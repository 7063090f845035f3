import json
import os
import socket
import stat
from datetime import datetime, timedelta

import pytest

from alignimation_index.errors import UserError
from alignimation_index.store.watcher import SILENT_AFTER_S, WatchRecord, read_record, watching


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


def ago(seconds):
    return (datetime.now().astimezone() - timedelta(seconds=seconds)).isoformat()


def test_whoever_watches_is_known_while_and_after(path):
    assert read_record(path) is None
    with watching(path) as heartbeat:
        heartbeat.record.modes = {"/photos": "inotify"}
        heartbeat.beat()
        record = read_record(path)
        assert (record.pid, record.host, record.modes) == (os.getpid(), socket.gethostname(), {"/photos": "inotify"})
        assert record.is_running()
        files = [stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()]
        assert set(files) == {0o600}
    assert not read_record(path).is_running()


def test_a_second_is_told_of_the_first(path):
    with watching(path), pytest.raises(UserError, match=rf"process {os.getpid()} on .* since 20.*kill {os.getpid()}"):
        watching(path).__enter__()
    with watching(path):
        pass


def test_the_last_error_outlives_the_process(path):
    with watching(path) as heartbeat:
        heartbeat.record.fail("the disk was full")
    with watching(path) as heartbeat:
        assert heartbeat.record.last_error == "the disk was full"


@pytest.mark.parametrize(
    ("said", "running"),
    [
        ({}, True),
        ({"pid": None}, False),
        ({"pid": 2**22 + 1}, False),
        ({"pid": 2**22 + 1, "host": "another machine"}, True),
    ],
)
def test_it_runs_if_its_process_is_there(said, running):
    assert WatchRecord(**said).is_running() == running


def test_one_not_heard_of_for_long_does_not_run():
    assert not WatchRecord(heartbeat=ago(SILENT_AFTER_S + 5)).is_running()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"colour": "red"}', json.dumps("x")])
def test_a_record_that_is_none_is_as_good_as_missing(path, text):
    path.with_name("store.db.watch.json").write_text(text)
    assert read_record(path) is None
