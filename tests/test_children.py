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
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
from pictures import asymmetric, encode, with_orientation
from PIL import Image

from alignimation_index.children import MEMORY_LIMIT_BYTES, ChildDiedError, Children, by_itself
from alignimation_index.errors import DecodeError, UserError
from alignimation_index.library.decoding.decode import SHARED_PIXELS, decode
from alignimation_index.library.decoding.process import Decoders
from alignimation_index.library.metadata import read_facts

PICTURE = with_orientation(asymmetric(317, 211), 6)


@pytest.fixture
def children():
    with closing(Children()) as opened:
        yield opened


@pytest.fixture
def decoders(children):
    return Decoders(children)


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


def test_a_child_serves_again_after_an_error(children, decoders):
    first = children.call(60, os.getpid)
    with pytest.raises(DecodeError):
        decoders.decode(b"")
    assert children.call(60, os.getpid) == first


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ((signal.raise_signal, signal.SIGSEGV), "what reads it was ended by SIGSEGV"),
        ((signal.raise_signal, signal.SIGKILL), "what reads it was ended by SIGKILL"),
        ((os._exit, 7), "what reads it ended with exit code 7"),
    ],
)
def test_a_death_is_an_error_of_its_picture_only(children, decoders, call, reason):
    with pytest.raises(ChildDiedError, match=reason):
        children.call(60, *call)
    assert np.array_equal(decoders.decode(PICTURE).pixels, decode(PICTURE).pixels)


def test_a_child_that_hangs_is_ended(children, decoders):
    started = time.monotonic()
    with pytest.raises(DecodeError, match="what reads it took too long"):
        children.call(1, time.sleep, 600)
    assert time.monotonic() - started < 30
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory on Linux")
def test_too_much_memory_is_refused(children):
    with pytest.raises(MemoryError):
        children.call(60, bytearray, MEMORY_LIMIT_BYTES)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the children's memory in /proc")
def test_large_pictures_are_decoded_one_at_a_time(decoders):
    side = int(SHARED_PIXELS**0.5) + 1
    large = encode(Image.new("RGB", (side, side)), compress_level=1)
    sizes, done = [], threading.Event()
    others = set(below(os.getpid()))
    watcher = threading.Thread(target=note_large_children, args=(sizes, done, 3 * SHARED_PIXELS, others))
    watcher.start()
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda data: decoders.decode(data, 100), [large, large, large]))
    done.set()
    watcher.join()
    assert [photo.width_px for photo in found] == [side] * 3
    assert max(sizes) == 1


def note_large_children(counts, done, at_least_bytes, others):
    """Note again and again how many children, but for some, hold so much memory of their own."""
    while not done.is_set():
        ours = set(below(os.getpid())) - others
        counts.append(sum(own_bytes(child) >= at_least_bytes for child in ours))
        time.sleep(0.005)


def below(process):
    """The processes below one: children come from a server, which is a child itself."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            for child in map(int, task.read_text().split()):
                yield child
                yield from below(child)


def own_bytes(child):
    """Memory that it does not share with the server that it was forked from."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{child}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty"))
    return 0


def told(small, large, *, array):
    array[0] = 7  # what arrives may be written to
    return type(small), type(large), len(small), large, array


@pytest.mark.parametrize("megabytes", [0, 1, 9])
def test_what_is_large_arrives_as_it_is(children, megabytes):
    large, array = os.urandom(megabytes << 20), np.zeros((megabytes << 20) + 1, np.uint8)
    small, of_large, length, again, changed = children.call(
        60, told, by_itself(b"small"), by_itself(large), array=array
    )
    assert (small, of_large, length, again) == (bytes, bytes, 5, large)
    assert (changed[0], changed[1:].any(), array[0]) == (7, False, 0)
    changed[0] = 8


def test_no_picture_is_blamed_for_a_child_that_died_before_it(children, decoders):
    os.kill(children.call(60, os.getpid), signal.SIGKILL)
    time.sleep(0.1)
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)


def test_ctrl_c_is_left_to_the_parent(children):
    child = children.call(60, os.getpid)
    os.kill(child, signal.SIGINT)
    assert children.call(60, os.getpid) == child


def test_what_a_library_prints_is_not_taken_for_a_result(children, decoders, capfd):
    assert children.call(60, os.write, 1, b"") == 0
    assert children.call(60, os.system, "echo noise") == 0
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)
    assert "noise" not in capfd.readouterr().out


def test_threads_have_a_child_each(decoders):
    photos = [encode(asymmetric(40 + i, 30)) for i in range(40)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(decoders.decode, photos))
    assert [photo.width_px for photo in found] == list(range(40, 80))


def test_children_end_when_they_are_closed():
    with closing(Children()) as children:
        child = children.call(60, os.getpid)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs POSIX signals")
@pytest.mark.parametrize("work", ["pass", "Thread(target=children.call, args=(2, time.sleep, 600)).start()"])
def test_children_do_not_outlive_a_killed_parent(work):
    program = f"""
import os, signal, time
from threading import Thread
from alignimation_index.children import Children
children = Children()
children.call(60, os.getpid)
{work}
time.sleep(0.3)
os.kill(os.getpid(), signal.SIGKILL)
"""
    # What a child inherits is open for as long as the child lives.
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 30


def test_a_child_that_cannot_be_started_is_no_fault_of_the_picture(decoders, monkeypatch):
    def refuse(*_arguments):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(BaseProcess, "start", refuse)  # the operating system says no
    with pytest.raises(UserError, match=r"Resource temporarily unavailable. Use fewer workers") as found:
        decoders.decode(PICTURE)
    assert not isinstance(found.value, DecodeError)


def loaded_modules():
    return set(sys.modules)


def test_a_child_loads_neither_torch_nor_the_store():
    # In a process of its own, whose server of children nobody has told to import anything.
    program = "import test_children; print(test_children.Children().call(60, test_children.loaded_modules))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert not {"torch", "sqlalchemy", "click"} & eval(done.stdout)


def test_a_file_of_the_current_folder_is_not_imported(decoders, monkeypatch, tmp_path):
    (tmp_path / "pickle.py").write_text("raise SystemExit('imported from the folder of photos')")
    monkeypatch.chdir(tmp_path)
    assert decoders.read_facts(PICTURE) == read_facts(PICTURE)
