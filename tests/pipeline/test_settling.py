import os
import time

from alignimation_index.pipeline.settling import Settling


def test_a_file_settles_once_it_has_not_changed_for_so_long(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    settling = Settling(0.3)
    assert not settling.is_settled(str(path))
    assert (settling.due(), settling.is_waiting()) == ([], True)
    time.sleep(0.35)
    assert settling.due() == [str(path)]
    assert settling.is_settled(str(path))
    settling.forget([str(path)])
    assert not settling.is_waiting()


def test_an_old_time_of_modification_does_not_make_a_growing_file_old(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    os.utime(path, (10**9, 10**9))
    assert not Settling(60).is_settled(str(path))


def test_a_photo_from_the_future_settles_too_and_starts_anew_when_it_changes(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    os.utime(path, (4 * 10**9, 4 * 10**9))
    settling = Settling(0.3)
    assert not settling.is_settled(str(path))
    time.sleep(0.35)
    assert settling.is_settled(str(path))
    path.write_bytes(b"12")
    os.utime(path, (4 * 10**9, 4 * 10**9))
    assert not settling.is_settled(str(path))
    settling.forget([str(path)])
    assert settling.is_waiting()


def test_what_is_not_there_or_no_file_is_not_waited_for(tmp_path):
    settling = Settling(60)
    assert settling.is_settled(str(tmp_path / "gone.jpg"))
    assert settling.is_settled(str(tmp_path))
    assert not settling.is_waiting()
