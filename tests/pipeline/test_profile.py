import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes import FakeModels, draw_photo, index

from alignimation_index.pipeline.profile import Profile, peak_memory_mb


def test_time_within_a_step_counts_for_the_inner_step_only():
    profile = Profile()
    started = time.perf_counter()
    with profile.measure("outer"):
        time.sleep(0.02)
        for _ in range(2):
            with profile.measure("inner"):
                time.sleep(0.02)
    elapsed = time.perf_counter() - started
    assert profile.seconds["inner"] >= 0.04
    assert 0.02 <= profile.seconds["outer"] <= elapsed - 0.04
    assert sum(profile.seconds.values()) == pytest.approx(elapsed, abs=0.002)


def test_a_second_step_of_the_same_thread_counts_in_full():
    profile = Profile()
    with profile.measure("first"):
        time.sleep(0.01)
    with profile.measure("second"):
        time.sleep(0.01)
    assert profile.seconds["second"] >= 0.01


def test_threads_add_up():
    profile = Profile()

    def work(_):
        with profile.measure("work"):
            time.sleep(0.02)

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(work, range(4)))
    assert profile.seconds["work"] >= 0.08


def test_a_step_that_fails_has_taken_its_time_too():
    profile = Profile()
    with pytest.raises(ValueError, match="no"), profile.measure("step"):
        time.sleep(0.01)
        raise ValueError("no")
    assert profile.seconds["step"] >= 0.01


def test_an_update_tells_where_its_time_went(store, photos):
    for i in range(4):
        draw_photo(photos / f"{i}.jpg", "red", shade=100 + i)
    fakes = FakeModels(before={"detector": lambda _: time.sleep(0.03), "embedder": lambda _: time.sleep(0.01)})
    report = index(store, fakes, photos, workers=1)
    seconds = report.profile.seconds
    assert {"scan", "read", "hash", "look up", "load networks", "metadata", "decode", "detect"} < seconds.keys()
    assert {"close-up decode", "landmarks", "embed", "pose", "quality", "register", "write", "people"} < seconds.keys()
    assert seconds["detect"] >= 4 * 0.03
    assert seconds["embed"] >= 4 * 0.01
    assert seconds["decode"] < 4 * 0.03
    assert 4 * 0.04 <= sum(seconds.values()) <= 3 * report.seconds  # a reader, a computer and the writer


@pytest.mark.skipif(peak_memory_mb() is None, reason="the system does not tell")
def test_peak_memory_is_in_mebibytes():
    held = bytearray(b"x" * (64 << 20))
    assert 64 <= peak_memory_mb() < 64 << 10
    del held
