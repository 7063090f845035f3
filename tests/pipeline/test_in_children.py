"""Photos computed in child processes, with fakes that the children load."""

import multiprocessing
import os
import pickle
import shutil
import signal
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest
from fakes import EMBEDDER, FakeModels, contents, draw_photo, frames, index
from sqlalchemy import select

from alignimation_index.children import Children
from alignimation_index.errors import UserError
from alignimation_index.models.faces import FaceModelIds, FaceModelSource
from alignimation_index.pipeline import flow
from alignimation_index.pipeline import update as pipeline_update
from alignimation_index.pipeline.forget import forget
from alignimation_index.pipeline.in_children import GPU_LOST, _loaded, analyse
from alignimation_index.pipeline.reindex import reindex
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.stages import PHOTO_STAGES, STAGES, stage_keys
from alignimation_index.pipeline.update import update
from alignimation_index.pipeline.work import ReadHere, Work
from alignimation_index.store import runs
from alignimation_index.store.tables import File, StageRun

BAD_SHADE = 13


def die(image):
    if image[0, 0, 0] == BAD_SHADE:
        os.kill(os.getpid(), signal.SIGKILL)


def lose_the_gpu(image):
    if image[0, 0, 0] == BAD_SHADE:
        raise RuntimeError("CUDA error: device-side assert triggered")


def load(fatal, embedder=EMBEDDER, device="cpu", fate=die):
    """Networks of which one may end its process at a photo of BAD_SHADE."""
    fakes = FakeModels(embedder_id=embedder, device=device)
    if fatal:
        fakes.before[fatal] = fate
    return fakes.source().load()


def load_nothing():
    raise UserError("The weights are damaged.")


def in_children(loading):
    return FaceModelSource(FakeModels().source().ids, loading, in_children=True)


@pytest.fixture
def four_photos(photos):
    for i in range(4):
        draw_photo(photos / f"{i}.png", "red", "blue", shade=100 + i, taken_at=datetime(2000 + i, 5, 6))
    return photos


def test_the_store_is_that_of_a_run_in_this_process(store, other_store, fakes, four_photos):
    (four_photos / "broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    shutil.copy(four_photos / "0.png", four_photos / "copy.png")
    index(other_store, fakes, four_photos)
    add_roots(store, [four_photos])
    report = update(store, in_children(partial(load, None)), lambda *_: None, workers=2)
    assert contents(store) == contents(other_store)
    assert (report.photos_computed, report.photos_failed, report.faces_found) == (5, 1, 8)
    assert report.profile.seconds.keys() >= {"decode", "detect", "embed", "load networks", "write"}
    assert update(store, in_children(load_nothing), lambda *_: None).photos_computed == 0


def test_forgotten_faces_are_left_out_and_another_embedder_runs(store, four_photos):
    add_roots(store, [four_photos])
    update(store, in_children(partial(load, None)), lambda *_: None, workers=2)
    forget(store, str(frames(store)[0].person_id))
    larger = replace(in_children(partial(load, None)), ids=FaceModelIds(EMBEDDER, min_face_share=0.05))
    assert update(store, larger, lambda *_: None, workers=2).faces_found == 4
    name = "facenet-vggface2"
    other = replace(larger, ids=replace(larger.ids, embedder=name), load=partial(load, None, name))
    assert reindex(store, other, lambda *_: None, workers=2).photos_computed == 4
    assert len(frames(store)) == 4


@pytest.mark.parametrize(
    ("fatal", "skipped"),
    [
        ("detector", {"landmarks", "embed", "pose", "quality", "register"}),
        ("refiner", {"embed", "pose", "quality", "register"}),
        ("embedder", set()),
    ],
)
def test_a_death_is_a_failure_of_its_photo_and_stage_only(store, four_photos, fatal, skipped):
    bad = draw_photo(four_photos / "bad.png", "red", shade=BAD_SHADE)
    add_roots(store, [four_photos])
    report = update(store, in_children(partial(load, fatal)), lambda *_: None, workers=2)
    assert (report.photos_computed, report.photos_failed) == (5, 1)
    stage = {"detector": "detect", "refiner": "landmarks", "embedder": "embed"}[fatal]
    with store.reading() as session:
        assert runs.errors(session, STAGES) == [(str(bad), stage, "what reads it was ended by SIGKILL")]
        rows = select(StageRun.stage, StageRun.status).join(File, File.photo_id == StageRun.photo_id)
        statuses = dict(session.execute(rows.where(File.path == str(bad))).all())
    assert {name for name, status in statuses.items() if status == "skipped"} == skipped
    assert update(store, in_children(partial(load, fatal)), lambda *_: None).photos_computed == 0


def on_gpu(monkeypatch, loading):
    monkeypatch.setattr(pipeline_update, "gpu_memory_bytes", lambda _: 16e9)
    return replace(in_children(loading), device=lambda: "mps")


def test_on_a_gpu_children_take_many_photos_each_and_the_store_is_the_same(
    store, other_store, fakes, monkeypatch, photos
):
    monkeypatch.setattr(flow, "GPU_PHOTOS_PER_TASK", 3)
    for i in range(8):
        draw_photo(photos / f"{i}.png", "red", "blue", shade=100 + i, taken_at=datetime(2000 + i, 5, 6))
    index(other_store, fakes, photos)
    add_roots(store, [photos])
    report = update(store, on_gpu(monkeypatch, partial(load, None, device="mps")), lambda *_: None, workers=2)
    assert (report.photos_computed, report.photos_failed, report.faces_found) == (8, 0, 16)
    assert contents(store) == contents(other_store)


def test_a_photo_that_costs_a_batch_the_gpu_is_the_only_failure(store, four_photos, monkeypatch):
    bad = draw_photo(four_photos / "1 bad.png", "red", shade=BAD_SHADE)
    add_roots(store, [four_photos])
    loading = partial(load, "embedder", device="mps", fate=lose_the_gpu)
    report = update(store, on_gpu(monkeypatch, loading), lambda *_: None, workers=2)
    assert (report.photos_computed, report.photos_failed) == (5, 1)
    with store.reading() as session:
        assert runs.errors(session, STAGES) == [(str(bad), "embed", f"what reads it ended with exit code {GPU_LOST}")]
    assert update(store, on_gpu(monkeypatch, loading), lambda *_: None).photos_computed == 0


def load_small():
    return FakeModels(device="mps", fits=3).source().load()


def sizes_of_two_batches(data):
    """Of six photos each, as a child is asked to analyse them."""
    loading, keys = pickle.dumps(load_small), stage_keys(FakeModels().source().ids)
    keys = {stage: keys[stage] for stage in PHOTO_STAGES}
    for _ in range(2):
        analyse(loading, keys, ReadHere(), [Work("a photo", set(keys), data) for _ in range(6)])
    models, _ = _loaded(loading)
    return models.detector.fakes.batches


def test_a_batch_found_too_large_is_so_for_all_that_a_child_is_asked_later(photos):
    data = draw_photo(photos / "a.png", "red").read_bytes()
    with closing(Children()) as children:
        assert children.call(60, sizes_of_two_batches, data) == [6, 3, 3, 3, 3]


def test_networks_that_cannot_be_loaded_end_the_run(store, four_photos):
    add_roots(store, [four_photos])
    with pytest.raises(UserError, match="The weights are damaged"):
        update(store, in_children(load_nothing), lambda *_: None)
    with store.reading() as session:
        assert runs.errors(session, STAGES) == []
    assert update(store, in_children(partial(load, None)), lambda *_: None).photos_computed == 4


def test_children_are_kept_for_the_next_run(store, photos):
    add_roots(store, [photos])
    with closing(Children()) as children:
        source = in_children(partial(load, None))
        for run in range(2):
            draw_photo(photos / f"{run}.png", "red", shade=100 + run)
            report = update(store, source, lambda *_: None, workers=1, children=children)
            assert report.photos_computed == 1
        pids = {children.call(60, os.getpid) for _ in range(3)}
    assert len(pids) == 1
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(*pids, 0)


def test_no_children_are_left_beside_what_looks_at_all_faces(store, four_photos, monkeypatch):
    alive = {}

    def count(step, *_):
        alive[step] = len(multiprocessing.active_children())

    add_roots(store, [four_photos])
    update(store, in_children(partial(load, None)), count, workers=1)
    assert (alive["photos"], alive["people"]) == (1, 0)
    with closing(Children()) as children:
        for kept_for, left, share in [(3, 0, 0.05), (4, 1, 0.06)]:
            monkeypatch.setattr(pipeline_update, "PHOTOS_OF_KEPT_CHILDREN", kept_for)
            source = in_children(partial(load, None)).with_min_face(share)
            update(store, source, count, workers=1, children=children)
            assert (alive["photos"], alive["people"]) == (1, left)
