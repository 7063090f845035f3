"""`alignindex watch` as it is called: with the program's own networks, in a process of its own."""

import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches with inotify")


def start(library, *options):
    command = [sys.executable, "-m", "alignimation_index", "--store", library.store, "watch", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def watched(library, tmp_path):
    """A folder of one photo and a store that knows neither."""
    own = type(library)(tmp_path / "photos", tmp_path / "store.db")
    own.photos.mkdir()
    (own.photos / "2003.jpg").write_bytes(library.path(2003).read_bytes())
    return own


def test_new_photos_are_indexed_and_status_tells_of_the_watch(library, watched):
    assert watched.run("update", "--embedder", "dlib-resnet").code == 0
    assert watched.run("status", "--json").json["watch"] is None
    process = start(watched, watched.photos, "--settle", "0.2", "--embedder", "dlib-resnet")
    assert process.stdout.readline() == f"Watching {watched.photos} (inotify)\n"
    assert process.stdout.readline().startswith("1 files new or changed, 0 gone; 1 photos computed, 1 faces found in ")
    (watched.photos / "2008.jpg").write_bytes(library.path(2008).read_bytes())
    assert process.stdout.readline().startswith("1 files new or changed, 0 gone; 1 photos computed, 1 faces found in ")
    status = watched.run("status", "--json").json["watch"]
    assert (status["running"], status["pid"]) == (True, process.pid)
    assert (status["modes"], status["last_error"]) == ({str(watched.photos): "inotify"}, None)
    assert "watch: running since 20" in watched.run("status").out
    second = watched.run("watch")
    assert second.code == 1
    assert f"is being watched by process {process.pid} on " in second.err
    process.terminate()
    assert (process.wait(5), process.stdout.read(), process.stderr.read()) == (0, "", "")
    assert "watch: not running (last seen 20" in watched.run("status").out


def test_a_signal_while_networks_are_loaded_ends_it_within_five_seconds(watched):
    process = start(watched, watched.photos)
    process.stdout.readline()
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert time.monotonic() - started < 5


def test_once_brings_the_index_up_to_date_and_ends(watched):
    done = watched.run("watch", watched.photos, "--once", "--settle", "0.2", "--embedder", "dlib-resnet")
    assert (done.code, done.err) == (0, "")
    assert len(watched.run("faces", "--json").json) == 1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_folder_that_never_was_is_refused(watched, tmp_path):
    refused = watched.run("watch", tmp_path / "nowhere")
    assert refused.code == 1
    assert "nowhere does not exist" in refused.err
