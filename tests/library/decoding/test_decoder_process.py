import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pictures import asymmetric, encode, with_orientation
from PIL import Image

from alignimation_index.errors import DecodeError, UserError
from alignimation_index.library.decoding.decode import SHARED_PIXELS, decode
from alignimation_index.library.decoding.process import MEMORY_LIMIT_BYTES, Decoders
from alignimation_index.library.metadata import read_facts

TASKS = Path("/proc/self/task")
PICTURE = with_orientation(asymmetric(317, 211), 6)


@pytest.fixture
def decoders():
    with closing(Decoders()) as opened:
        yield opened


def test_a_child_decodes_what_this_process_does(decoders):
    photo, expected = decoders.decode(PICTURE, 50), decode(PICTURE, 50)
    assert np.array_equal(photo.pixels, expected.pixels)
    assert (photo.reduction, photo.overhang_px) == (expected.reduction, expected.overhang_px)
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)


@pytest.mark.parametrize("data", [b"", b"just text", PICTURE[:300]])
def test_reasons_are_those_of_this_process(decoders, data):
    with pytest.raises(DecodeError) as expected:
        decode(data)
    with pytest.raises(DecodeError) as found:
        decoders.decode(data)
    assert str(found.value) == str(expected.value)


def test_a_child_serves_again_after_an_error(decoders):
    first = decoders.call(60, os.getpid)
    with pytest.raises(DecodeError):
        decoders.decode(b"")
    assert decoders.call(60, os.getpid) == first


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ((signal.raise_signal, signal.SIGSEGV), r"the decoder died \(SIGSEGV\)"),
        ((signal.raise_signal, signal.SIGKILL), r"the decoder died \(SIGKILL\)"),
        ((os._exit, 7), r"the decoder died \(exit code 7\)"),
    ],
)
def test_a_death_is_an_error_of_its_picture_only(decoders, call, reason):
    with pytest.raises(DecodeError, match=reason):
        decoders.call(60, *call)
    assert np.array_equal(decoders.decode(PICTURE).pixels, decode(PICTURE).pixels)


def test_a_decoder_that_hangs_is_ended(decoders):
    started = time.monotonic()
    with pytest.raises(DecodeError, match=r"decoding took longer than 1 s"):
        decoders.call(1, time.sleep, 600)
    assert time.monotonic() - started < 30
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory on Linux")
def test_too_much_memory_is_refused(decoders):
    with pytest.raises(MemoryError):
        decoders.call(60, bytearray, MEMORY_LIMIT_BYTES)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the children's memory in /proc")
def test_large_pictures_are_decoded_one_at_a_time(decoders):
    side = int(SHARED_PIXELS**0.5) + 1
    large = encode(Image.new("RGB", (side, side)), compress_level=1)
    sizes, done = [], threading.Event()
    watcher = threading.Thread(target=note_large_children, args=(sizes, done, 3 * SHARED_PIXELS))
    watcher.start()
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda data: decoders.decode(data, 100), [large, large, large]))
    done.set()
    watcher.join()
    assert [photo.width_px for photo in found] == [side] * 3
    assert max(sizes) == 1


def note_large_children(counts, done, at_least_bytes):
    """Note again and again how many children hold so much memory."""
    while not done.is_set():
        resident = [resident_bytes(child) for task in TASKS.glob("*/children") for child in task.read_text().split()]
        counts.append(sum(size >= at_least_bytes for size in resident))
        time.sleep(0.005)


def resident_bytes(child):
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{child}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    return 0


def test_no_picture_is_blamed_for_a_child_that_died_before_it(decoders):
    os.kill(decoders.call(60, os.getpid), signal.SIGKILL)
    time.sleep(0.1)
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)


def test_ctrl_c_is_left_to_the_parent(decoders):
    child = decoders.call(60, os.getpid)
    os.kill(child, signal.SIGINT)
    assert decoders.call(60, os.getpid) == child


def test_what_a_library_prints_does_not_end_up_among_the_results(decoders):
    assert decoders.call(60, os.write, 1, b"") == 0
    assert decoders.call(60, os.system, "echo noise") == 0
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)


def test_threads_have_a_child_each(decoders):
    photos = [encode(asymmetric(40 + i, 30)) for i in range(40)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(decoders.decode, photos))
    assert [photo.width_px for photo in found] == list(range(40, 80))


def test_children_end_when_they_are_closed():
    with closing(Decoders()) as decoders:
        child = decoders.call(60, os.getpid)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs POSIX signals")
@pytest.mark.parametrize("work", ["pass", "Thread(target=decoders.call, args=(2, time.sleep, 600)).start()"])
def test_children_do_not_outlive_a_killed_parent(work):
    program = f"""
import os, signal, time
from threading import Thread
from alignimation_index.library.decoding.process import Decoders
decoders = Decoders()
decoders.call(60, os.getpid)
{work}
time.sleep(0.3)
os.kill(os.getpid(), signal.SIGKILL)
"""
    # What a child inherits is open for as long as the child lives.
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 30


def test_a_child_that_cannot_be_started_is_no_fault_of_the_picture(decoders, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="Cannot start a process that decodes photos: No such file") as found:
        decoders.decode(PICTURE)
    assert not isinstance(found.value, DecodeError)


def test_a_child_that_ends_before_it_is_ready_is_no_fault_of_the_picture(decoders, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(UserError, match="it ended with exit code 1") as found:
        decoders.decode(PICTURE)
    assert not isinstance(found.value, DecodeError)


def test_the_limit_of_processes_is_told_in_words(decoders, monkeypatch):
    def refuse(*_arguments, **_options):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", refuse)  # the operating system says no
    with pytest.raises(UserError, match=r"Resource temporarily unavailable. Use fewer workers"):
        decoders.decode(PICTURE)


def test_a_child_loads_neither_torch_nor_the_store():
    program = "import sys; from alignimation_index.library.decoding import process; print({*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "sqlalchemy", "click"} & eval(done.stdout)


def test_a_file_of_the_current_folder_is_not_imported(decoders, monkeypatch, tmp_path):
    (tmp_path / "pickle.py").write_text("raise SystemExit('imported from the folder of photos')")
    monkeypatch.chdir(tmp_path)
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)
