import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from fakes import FakeModels, contents, draw_photo, frames, index
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from alignimation_index.pipeline import update
from alignimation_index.pipeline.stages import PHOTO_STAGES
from alignimation_index.store.engine import Store

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def sixteen_files(tmp_path_factory):
    """Photos of three people, a copy, a photo of nobody and a file that is no photo."""
    folder = tmp_path_factory.mktemp("library")
    for i in range(13):
        people = [("red",), ("green", "blue"), ("blue", "red")][i % 3]
        draw_photo(folder / f"{i:02}.jpg", *people, shade=90 + 5 * i, taken_at=datetime(2020 - i, 5, 6))
    (folder / "07 copy.jpg").write_bytes((folder / "02.jpg").read_bytes())
    draw_photo(folder / "nobody.png")
    (folder / "05 bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return folder


@pytest.fixture(scope="module")
def uninterrupted(sixteen_files, tmp_path_factory):
    """What the store holds after a single run."""
    store = Store.open(tmp_path_factory.mktemp("uninterrupted") / "store.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "PHOTOS_PER_COMMIT", 3)
        index(store, FakeModels(), sixteen_files)
    yield contents(store), [frame.face_id for frame in frames(store)]
    store.close()


class Interruption:
    """Ctrl-C while a model looks at its nth image."""

    def __init__(self, nth):
        self.left = nth

    def __call__(self, _):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def interrupted_update(store, model, nth, *roots, workers=None, **models):
    with pytest.raises(KeyboardInterrupt):
        index(store, FakeModels(before={model: Interruption(nth)}, **models), *roots, workers=workers)


@settings(max_examples=4, deadline=None, phases=[Phase.generate])  # each example takes half a second
@given(st.sampled_from(["detector", "refiner", "embedder"]), st.lists(st.integers(1, 6), min_size=1, max_size=2))
def test_an_interrupted_update_goes_on_to_what_an_uninterrupted_one_finds(
    sixteen_files, uninterrupted, tmp_path_factory, model, interruptions
):
    store = Store.open(tmp_path_factory.mktemp("interrupted") / "store.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "PHOTOS_PER_COMMIT", 3)
        for nth in interruptions:
            interrupted_update(store, model, nth, sixteen_files)
        index(store, FakeModels(), sixteen_files)
    assert (contents(store), [frame.face_id for frame in frames(store)]) == uninterrupted
    store.close()


def test_what_an_interrupted_update_committed_is_not_computed_again(store, sixteen_files, monkeypatch):
    monkeypatch.setattr(update, "PHOTOS_PER_COMMIT", 3)
    interrupted_update(store, "detector", 11, sixteen_files, workers=1)
    rest = FakeModels()
    index(store, rest, sixteen_files)
    assert rest.images["detector"] <= 14 - 3 * ((11 - 1) // 3)


@pytest.mark.parametrize(("workers", "least"), [(1, 6), (2, 0)])  # the first of several may be the last to be done
def test_what_an_interrupted_update_leaves_is_whole(store, sixteen_files, monkeypatch, workers, least):
    monkeypatch.setattr(update, "PHOTOS_PER_COMMIT", 3)
    interrupted_update(store, "embedder", 8, sixteen_files, workers=workers)
    left = contents(store)
    assert len(left["photo"]) >= least
    assert len(left["stage_run"]) == len(PHOTO_STAGES) * len(left["photo"])


def test_a_recomputation_that_is_interrupted_goes_on_too(store, other_store, sixteen_files, monkeypatch):
    monkeypatch.setattr(update, "PHOTOS_PER_COMMIT", 3)
    for each in (store, other_store):
        index(each, FakeModels(), sixteen_files)
    index(store, FakeModels(min_face_share=0.05), sixteen_files)
    interrupted_update(other_store, "embedder", 8, min_face_share=0.05)
    index(other_store, FakeModels(min_face_share=0.05))
    assert contents(store) == contents(other_store)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_an_update_killed_at_any_moment_goes_on_to_what_an_uninterrupted_one_finds(
    sixteen_files, uninterrupted, tmp_path
):
    command = [sys.executable, Path(__file__).with_name("killed_update.py"), tmp_path / "store.db", sixteen_files]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    done = subprocess.run(
        [*command, "1", "6"], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 2
    store = Store.open(tmp_path / "store.db")
    assert (contents(store), [frame.face_id for frame in frames(store)]) == uninterrupted
    store.close()
