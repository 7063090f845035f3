"""Watching real folders in real processes: whatever happens to the files, the store follows."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest
from fakes import FakeModels, draw_photo
from watched import Watched

from alignimation_index.errors import UserError
from alignimation_index.models.faces import FaceModelSource
from alignimation_index.pipeline.reindex import reindex
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.status import store_status
from alignimation_index.pipeline.watch import Intervals, watch
from alignimation_index.store.faces import keep_min_face_share
from alignimation_index.store.watcher import read_record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches with inotify")


@pytest.fixture
def watched(store, photos):
    draw_photo(photos / "a.jpg", "red", shade=100)
    draw_photo(photos / "2001" / "b.jpg", "blue", shade=110)
    watched = Watched(store, photos)
    yield watched
    if watched.process and watched.process.is_alive():
        watched.stop(signal.SIGKILL)


@pytest.fixture
def outside(tmp_path):
    """A drawn photo outside of the folder, of others: whoever was found with a photo since deleted stays."""
    return draw_photo(tmp_path / "outside" / "c.jpg", "yellow", "green", shade=120)


def copy_slowly(source, target, seconds=2):
    """Copy a file in fifty pieces."""
    data = Path(source).read_bytes()
    with target.open("wb", buffering=0) as file:
        for i in range(50):
            file.write(data[i * len(data) // 50 : (i + 1) * len(data) // 50])
            time.sleep(seconds / 50)


def test_what_is_there_at_the_start_is_indexed(watched, other_store):
    watched.start()
    watched.until_held("a.jpg", "2001/b.jpg")
    watched.until_as_updated(other_store)
    watched.until_said("2 files new or changed, 0 gone; 2 photos computed, 2 faces found")


def test_new_moved_renamed_replaced_and_deleted_files_are_followed(watched, other_store, photos, outside):
    watched.start()
    watched.until_held("a.jpg", "2001/b.jpg")
    shutil.copy(outside, photos / "copied.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "copied.jpg")
    outside.rename(photos / "2001" / "moved in.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "copied.jpg", "2001/moved in.jpg")
    (photos / "a.jpg").rename(photos / "renamed.jpg")
    watched.until_held("renamed.jpg", "2001/b.jpg", "copied.jpg", "2001/moved in.jpg")
    (photos / "2001" / "b.jpg").unlink()
    watched.until_held("renamed.jpg", "copied.jpg", "2001/moved in.jpg")
    before = watched.files()[str(photos / "renamed.jpg")]
    draw_photo(photos / "renamed.jpg", "yellow", shade=130)
    watched.until(lambda: watched.files().get(str(photos / "renamed.jpg")) not in (before, None))
    watched.until_as_updated(other_store)


def test_folders_are_followed_that_come_go_and_are_renamed(watched, other_store, photos, outside):
    watched.start()
    watched.until_held("a.jpg", "2001/b.jpg")
    deep = photos / "new" / "deep"
    deep.mkdir(parents=True)
    shutil.copy(outside, deep / "c.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "new/deep/c.jpg")
    outside.parent.rename(photos / "moved in")
    watched.until_held("a.jpg", "2001/b.jpg", "new/deep/c.jpg", "moved in/c.jpg")
    (photos / "new").rename(photos / "newer")
    watched.until_held("a.jpg", "2001/b.jpg", "newer/deep/c.jpg", "moved in/c.jpg")
    draw_photo(photos / "newer" / "deep" / "d.jpg", shade=140)
    watched.until_held("a.jpg", "2001/b.jpg", "newer/deep/c.jpg", "newer/deep/d.jpg", "moved in/c.jpg")
    shutil.rmtree(photos / "newer")
    watched.until_held("a.jpg", "2001/b.jpg", "moved in/c.jpg")
    watched.until_as_updated(other_store)


@pytest.mark.parametrize("growing_at_start", [False, True])
def test_a_file_or_archive_is_left_alone_while_it_grows(watched, photos, tmp_path, outside, growing_at_start):
    watched.settle = 1
    if not growing_at_start:
        watched.start()
        watched.until_held("a.jpg", "2001/b.jpg")
    archive = shutil.make_archive(tmp_path / "takeout", "zip", outside.parent)
    targets = {outside: photos / "slow.jpg", archive: photos / "takeout.zip"}
    copying = [Thread(target=copy_slowly, args=source_and_target) for source_and_target in targets.items()]
    for one in copying:
        one.start()
    if growing_at_start:
        watched.start()
    while all(one.is_alive() for one in copying):
        assert not any("slow" in path or "takeout" in path for path in watched.files())
        time.sleep(0.2)
    watched.until_held("a.jpg", "2001/b.jpg", "slow.jpg", "takeout.zip!/c.jpg")
    assert store_status(watched.store.path)["errors"] == 0
    assert not any("not readable" in line or "Warning" in line for line in watched.lines)


def test_a_file_that_grows_for_ever_does_not_hold_up_the_others(watched, photos, outside):
    watched.start(burst=1)
    watched.until_held("a.jpg", "2001/b.jpg")
    shutil.copy(outside, photos / "c.jpg")
    deadline = time.monotonic() + 30
    with (photos / "endless.jpg").open("wb") as file:
        while str(photos / "c.jpg") not in watched.files():
            file.write(b"x")
            file.flush()
            (photos / "touched.txt").write_text("now")
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert str(photos / "endless.jpg") not in watched.files()


def test_unfinished_downloads_are_not_looked_at_and_their_renaming_is(watched, photos, outside):
    watched.start()
    unfinished = (".c.jpg.Xy12Zq", "c.jpg.part", "c.jpg.crdownload", "c.jpg.tmp", "c.jpg~", ".syncthing.c.jpg.tmp")
    for name in (*unfinished, "c.jpg.filepart"):
        shutil.copy(outside, photos / name)
    (photos / ".c.jpg.Xy12Zq").rename(photos / "c.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "c.jpg")


def test_an_archive_that_comes_and_changes_is_looked_into(watched, photos, tmp_path, outside):
    watched.start()
    watched.until_held("a.jpg", "2001/b.jpg")
    packed = shutil.make_archive(tmp_path / "takeout", "zip", outside.parent)
    shutil.copy(packed, photos / "takeout.zip")
    watched.until_held("a.jpg", "2001/b.jpg", "takeout.zip!/c.jpg")
    draw_photo(outside.with_name("d.jpg"), "blue", shade=150)
    shutil.move(shutil.make_archive(tmp_path / "takeout", "zip", outside.parent), photos / "takeout.zip")
    watched.until_held("a.jpg", "2001/b.jpg", "takeout.zip!/c.jpg", "takeout.zip!/d.jpg")
    assert not any("Warning" in line for line in watched.lines)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(watched, photos, how):
    for i in range(60):
        draw_photo(photos / f"{i:02}.jpg", "red", shade=60 + i)
    watched.start(slow_s=0.15)
    watched.until(lambda: store_status(watched.store.path)["photos"])
    code, seconds = watched.stop(how)
    assert code == 0
    assert seconds < 5
    status = store_status(watched.store.path)
    assert (status["watch"]["running"], status["watch"]["pid"]) == (False, None)
    assert 0 < status["photos"] < 62
    why = {"describe": "not run yet", "variants": "something changed that they are found from", "assign": "not run yet"}
    left = [{"stage": stage, "photos": status["photos"], "why": reason} for stage, reason in why.items()]
    assert status["stale"] == left


def test_a_signal_ends_it_even_where_a_photo_takes_for_ever(watched):
    watched.start(slow_s=60)
    time.sleep(0.5)
    code, seconds = watched.stop()
    assert (code, seconds < 5) == (0, True)


def test_killed_and_started_again_it_goes_on(watched, other_store, photos, outside):
    for i in range(30):
        draw_photo(photos / f"{i:02}.jpg", "red", shade=60 + i)
    watched.start(slow_s=0.05)
    for _ in range(2):
        time.sleep(0.7)
        watched.stop(signal.SIGKILL)
        assert not store_status(watched.store.path)["watch"]["running"]
        shutil.copy(outside, photos / f"copied {time.monotonic_ns()}.jpg")
        watched.start(slow_s=0.05)
    watched.until_as_updated(other_store)


def test_it_goes_by_the_smallest_face_that_an_update_was_given_meanwhile(watched, photos, outside):
    watched.start()
    watched.until_held("a.jpg", "2001/b.jpg")
    with watched.store.writing() as session:
        keep_min_face_share(session, 0.1)
    shutil.copy(outside, photos / "c.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "c.jpg")
    watched.until(lambda: store_status(watched.store.path)["stale"] == [])


def test_a_second_watch_of_a_store_is_refused(watched):
    watched.start()
    pid = watched.process.pid
    watched.until(lambda: (store_status(watched.store.path)["watch"] or {}).get("running"))
    second = Watched(watched.store, watched.folder).start(wait=False)
    assert second.exit_code() == 1
    second.until_said(f"is being watched by process {pid} on ")
    assert watched.process.is_alive()


def test_a_watch_ends_when_the_store_is_switched_to_another_embedder(watched, photos, outside):
    watched.start()
    watched.until_held("a.jpg", "2001/b.jpg")
    reindex(watched.store, FakeModels(embedder_id="facenet-vggface2").source(), lambda *_: None)
    shutil.copy(outside, photos / "c.jpg")
    assert watched.exit_code() == 1
    watched.until_said("This store was switched from dlib-resnet to facenet-vggface2. Run the command again.")


def test_once_ends_when_nothing_is_left_to_do(watched, other_store, photos, outside):
    watched.settle = 1
    shutil.copy(outside, photos / "just now.jpg")
    watched.start(once=True, wait=False)
    assert watched.exit_code() == 0
    watched.until_held("a.jpg", "2001/b.jpg", "just now.jpg")
    watched.until_as_updated(other_store)


def test_where_the_system_watches_no_more_folders_they_are_looked_through(watched, photos, outside):
    watched.start(limited=True, poll=0.5)
    watched.until_said(f"Watching {photos} (polling: there are more folders than the system watches.")
    watched.until_said("fs.inotify.max_user_watches=1048576")
    watched.until_held("a.jpg", "2001/b.jpg")
    shutil.copy(outside, photos / "2001" / "c.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "2001/c.jpg")
    assert store_status(watched.store.path)["watch"]["modes"] == {str(photos): "polling"}


def test_a_folder_that_is_away_is_reported_kept_and_picked_up_when_it_is_back(watched, photos, outside):
    watched.start(poll=0.5)
    watched.until_held("a.jpg", "2001/b.jpg")
    photos.rename(photos.with_name("away"))
    watched.until_said(f"Watching {photos} (missing: it is not there)")
    watched.until_said("What it held is kept as it was.")
    watched.until_held("a.jpg", "2001/b.jpg")
    shutil.copy(outside, photos.with_name("away") / "c.jpg")
    photos.with_name("away").rename(photos)
    watched.until_held("a.jpg", "2001/b.jpg", "c.jpg")
    shutil.copy(outside, photos / "d.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "c.jpg", "d.jpg")


def test_where_the_system_drops_events_everything_is_looked_at(watched, other_store, photos, outside):
    queued = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if queued > 100_000:
        pytest.skip(f"it takes more than {queued} events")
    watched.start()
    watched.until_held("a.jpg", "2001/b.jpg")
    os.kill(watched.process.pid, signal.SIGSTOP)
    for i in range(queued):
        os.utime(photos / ("a.jpg" if i % 2 else "2001/b.jpg"))
    (photos / "new").mkdir()
    shutil.copy(outside, photos / "new" / "c.jpg")
    os.kill(watched.process.pid, signal.SIGCONT)
    watched.until_held("a.jpg", "2001/b.jpg", "new/c.jpg")
    shutil.copy(outside, photos / "new" / "d.jpg")
    watched.until_held("a.jpg", "2001/b.jpg", "new/c.jpg", "new/d.jpg")
    watched.until_as_updated(other_store)


def test_what_no_event_tells_of_is_found_when_everything_is_looked_at(watched, other_store, photos, outside):
    (photos / "link").symlink_to(outside.parent)
    watched.start(reconcile=1)
    watched.until_held("a.jpg", "2001/b.jpg", "link/c.jpg")
    draw_photo(outside.with_name("d.jpg"), "green", shade=140)
    watched.until_held("a.jpg", "2001/b.jpg", "link/c.jpg", "link/d.jpg")
    watched.until_as_updated(other_store)


def test_a_folder_added_meanwhile_is_watched_too(watched, outside):
    watched.start(poll=0.5)
    watched.until_held("a.jpg", "2001/b.jpg")
    add_roots(watched.store, [outside.parent])
    watched.until_said(f"Watching {outside.parent} (inotify)")
    watched.until_held("a.jpg", "2001/b.jpg", outside)
    draw_photo(outside.with_name("d.jpg"), "blue", shade=150)
    watched.until_held("a.jpg", "2001/b.jpg", outside, outside.with_name("d.jpg"))


def test_an_error_is_told_and_kept_and_the_next_round_goes_on(store, photos):
    draw_photo(photos / "a.jpg", "red")
    add_roots(store, [photos])
    failures = [OSError("the weights are not there yet"), UserError("Cannot write to the store: disk is full.")]
    fakes, said, stop = FakeModels(), [], Event()

    def load():
        if failures:
            raise failures.pop(0)
        return fakes.source().load()

    def tell(line):
        said.append(line)
        if "1 photos computed" in line:
            stop.set()

    source = FaceModelSource(fakes.source().ids, load)
    watch(store, source, tell, stop, Intervals(settle=0, tick=0.05, retry=0.05))
    assert said[1:3] == [
        "Error: OSError: the weights are not there yet (trying again in 0.05 s)",
        "Error: Cannot write to the store: disk is full. (trying again in 0.1 s)",
    ]
    assert read_record(store.path).last_error == "Cannot write to the store: disk is full."
    assert not read_record(store.path).is_running()
