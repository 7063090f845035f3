"""What is told of changes of real folders."""

import errno
import sys
import time

import pytest
from watchdog.observers import Observer

from alignimation_index.library.folder_watch import FolderWatch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="events differ elsewhere")


class Told:
    """What a watch told, and waiting for it."""

    def __init__(self):
        self.changes = set()
        self.events = self.losses = 0

    def count(self):
        self.events += 1

    def lose(self):
        self.losses += 1

    def note(self, folder, tree):
        self.changes.add((folder, tree))

    def until(self, *changes):
        deadline = time.monotonic() + 30
        while not self.changes.issuperset({(str(folder), tree) for folder, tree in changes}):
            assert time.monotonic() < deadline, self.changes
            time.sleep(0.02)
        self.changes.clear()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def watch(told, tmp_path):
    watch = FolderWatch(told.count, told.lose, told.note)
    (tmp_path / "top" / "sub").mkdir(parents=True)
    watch.add_tree(str(tmp_path / "top"))
    yield watch
    watch.close()


@pytest.mark.usefixtures("watch")
def test_changes_of_files_are_those_of_their_folder(told, tmp_path):
    top = tmp_path / "top"
    (top / "a.jpg").write_bytes(b"1")
    told.until((top, False))
    (top / "a.jpg").rename(top / "sub" / "b.jpg")
    told.until((top, False), (top / "sub", False))
    (top / "sub" / "b.jpg").write_bytes(b"2")
    told.until((top / "sub", False))
    (top / "sub" / "b.jpg").unlink()
    told.until((top / "sub", False))


@pytest.mark.usefixtures("watch")
def test_folders_that_come_go_and_are_renamed_are_told_with_all_below_them(told, tmp_path):
    top = tmp_path / "top"
    (top / "new" / "deep").mkdir(parents=True)
    told.until((top / "new", True))
    time.sleep(0.2)  # until the folder is watched, what happens in it is told as a change of the folder above
    (top / "new" / "deep" / "a.jpg").write_bytes(b"1")
    told.until((top / "new" / "deep", False))
    (top / "new").rename(top / "newer")
    told.until((top / "new", True), (top / "newer", True))
    (top / "newer" / "deep" / "b.jpg").write_bytes(b"1")
    told.until((top / "newer" / "deep", False))
    (top / "newer").rename(tmp_path / "out")
    told.until((top / "newer", True))


@pytest.mark.usefixtures("watch")
def test_hidden_names_are_not_told(told, tmp_path):
    top = tmp_path / "top"
    (top / ".thumbnails").mkdir()
    (top / ".thumbnails" / "a.jpg").write_bytes(b"1")
    (top / ".a.jpg.Xy12Zq").write_bytes(b"1")
    (top / "sub" / "last.jpg").write_bytes(b"1")
    deadline = time.monotonic() + 30
    while not told.changes and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told.changes == {(str(top / "sub"), False)}


def test_a_folder_is_told_of_no_longer_once_it_is_removed(watch, told, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    watch.add_tree(str(other))
    watch.remove_tree(str(tmp_path / "top"))
    (tmp_path / "top" / "a.jpg").write_bytes(b"1")
    (other / "a.jpg").write_bytes(b"1")
    deadline = time.monotonic() + 30
    while not told.changes and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told.changes == {(str(other), False)}


def test_links_are_not_followed_and_loops_do_no_harm(told, tmp_path):
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "loop").symlink_to(tmp_path)
    watch = FolderWatch(told.count, told.lose, told.note)
    watch.add_tree(str(tmp_path / "top"))
    (tmp_path / "beside.jpg").write_bytes(b"1")
    (tmp_path / "top" / "a.jpg").write_bytes(b"1")
    told.until((tmp_path / "top", False))
    watch.close()


def test_a_link_is_watched_where_it_leads_and_told_of_where_it_is(watch, told, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(tmp_path / "top")
        watch.add_tree(str(tmp_path / name))
    (tmp_path / "top" / "a.jpg").write_bytes(b"1")
    told.until((tmp_path / "one", False), (tmp_path / "two", False))
    watch.remove_tree(str(tmp_path / "one"))
    (tmp_path / "top" / "sub" / "a.jpg").write_bytes(b"1")
    told.until((tmp_path / "two" / "sub", False))


@pytest.mark.usefixtures("watch")
def test_events_that_tell_of_no_change_are_counted_and_reading_is_none(told, tmp_path):
    (tmp_path / "top" / "a.jpg").write_bytes(b"1")
    told.until((tmp_path / "top", False))
    time.sleep(0.3)  # a write is several events
    told.changes.clear()
    (tmp_path / "top" / ".hidden").write_bytes(b"1")
    time.sleep(0.3)
    before = told.events
    (tmp_path / "top" / "a.jpg").read_bytes()
    list((tmp_path / "top").iterdir())
    time.sleep(0.3)
    assert told.events == before > 4
    assert not told.changes


def test_where_the_system_watches_no_more_nothing_is_watched_in_part(told, tmp_path):
    class Limited(Observer):
        def schedule(self, event_handler, path, *, recursive=False, **options):
            if not recursive:
                raise OSError(errno.ENOSPC, "inotify watch limit reached")
            return super().schedule(event_handler, path, recursive=recursive, **options)

    watch = FolderWatch(told.count, told.lose, told.note, Limited)
    with pytest.raises(OSError, match="limit reached"):
        watch.add_tree(str(tmp_path))
    (tmp_path / "a.jpg").write_bytes(b"1")
    time.sleep(0.3)
    watch.close()
    assert told.events == 0
