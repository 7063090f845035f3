"""However photos are spread over threads and batches, the store ends up the same."""

import shutil
import time
from datetime import datetime

import pytest
from fakes import FakeModels, contents, draw_photo, frames, index
from sqlalchemy import select

from alignimation_index.pipeline import flow, reading
from alignimation_index.pipeline.stages import STAGES
from alignimation_index.store import runs
from alignimation_index.store.tables import File, Photo

BAD_SHADE = 13


@pytest.fixture
def ten_photos(photos):
    """Ten photos, and a copy of the fourth in between."""
    for i in range(10):
        draw_photo(
            photos / f"{i}.jpg", *("red", "green")[: 1 + i % 2], shade=100 + i, taken_at=datetime(2001 + i, 5, 6)
        )
    shutil.copy(photos / "3.jpg", photos / "7 copy.jpg")
    return photos


def slow_at_first():
    """The first photos take longest."""
    return FakeModels(before={"detector": lambda image: time.sleep(0.02 if image[0, 0, 0] < 104 else 0)})


def assert_same_but_for_rounding(store, other):
    """Sums over a batch may end in another last bit."""
    rows, others = contents(store), contents(other)
    assert rows.keys() == others.keys()
    for table in rows:
        for row, of_other in zip(rows[table], others[table], strict=True):
            for value, expected in zip(row, of_other, strict=True):
                if value != expected:
                    assert float(value) == pytest.approx(float(expected), rel=1e-5), table


def errors(store):
    with store.reading() as session:
        return [(stage, reason) for _, stage, reason in runs.errors(session, STAGES)]


def test_any_number_of_workers_leads_to_the_same_store(store, other_store, ten_photos):
    index(store, slow_at_first(), ten_photos, workers=1)
    index(other_store, slow_at_first(), ten_photos, workers=8)
    assert contents(store) == contents(other_store)


def test_photos_are_numbered_in_the_order_of_their_files(store, ten_photos):
    index(store, slow_at_first(), ten_photos, workers=8)
    with store.reading() as session:
        rows = session.execute(select(Photo.id).join(File, File.photo_id == Photo.id).order_by(File.path))
        ids = list(dict.fromkeys(rows.scalars()))
    assert ids == list(range(1, 11))


def test_a_second_file_of_a_photo_in_flight_is_not_computed_again(store, photos, monkeypatch):
    monkeypatch.setattr(reading, "FILES_PER_LOOKUP", 1)
    draw_photo(photos / "0.jpg", "red", shade=100)
    for i in range(1, 6):
        shutil.copy(photos / "0.jpg", photos / f"{i}.jpg")
    fakes = slow_at_first()
    assert index(store, fakes, photos, workers=4).photos_computed == 1
    assert fakes.images["detector"] == 1
    with store.reading() as session:
        assert session.scalars(select(File.photo_id)).all() == [1] * 6


def test_progress_ends_with_every_file(store, fakes, ten_photos):
    told = []
    index(store, fakes, ten_photos, progress=lambda *now: told.append(now))
    photos = [now for now in told if now[0] == "photos"]
    assert photos[-1] == ("photos", 11, 11)
    assert photos == sorted(photos)


def test_a_gpu_sees_photos_in_batches_and_finds_the_same(store, other_store, ten_photos):
    gpu = FakeModels(device="mps")
    index(store, gpu, ten_photos)
    index(other_store, FakeModels(), ten_photos)
    assert gpu.batches == [10]
    assert_same_but_for_rounding(store, other_store)


def test_a_batch_that_does_not_fit_into_memory_is_halved_and_so_are_those_to_come(store, other_store, ten_photos):
    gpu = FakeModels(device="mps", fits=3)
    report = index(store, gpu, ten_photos)
    assert gpu.batches == [10, 5, 2, 2, 2, 2, 2]
    assert report.photos_failed == 0
    index(other_store, FakeModels(), ten_photos)
    assert_same_but_for_rounding(store, other_store)


def test_batches_stay_small_for_the_rest_of_the_run(store, ten_photos, monkeypatch):
    monkeypatch.setattr(flow, "GPU_PHOTOS_PER_TASK", 6)
    gpu = FakeModels(device="mps", fits=3)
    index(store, gpu, ten_photos)
    assert gpu.batches == [6, 3, 3, 3, 1]


def test_one_photo_too_large_for_memory_is_one_error(store, photos):
    draw_photo(photos / "a.jpg", "red")
    draw_photo(photos / "b.jpg", "red", shade=3)
    index(store, FakeModels(device="mps", fits=0), photos)
    reason = "OutOfMemoryError: MPS backend out of memory (MPS allocated: 20.00 GiB)"
    assert errors(store) == [("detect", reason)] * 2


def fail_at_bad(image):
    if image[0, 0, 0] == BAD_SHADE:
        raise ValueError("the network does not like it")


@pytest.mark.parametrize("model", ["detector", "refiner", "embedder"])
def test_an_error_in_the_middle_of_a_batch_is_that_of_its_photo(store, other_store, ten_photos, model):
    draw_photo(ten_photos / "5 bad.png", "red", shade=BAD_SHADE)
    for each, device in ((store, "mps"), (other_store, "cpu")):
        report = index(each, FakeModels(device=device, before={model: fail_at_bad}), ten_photos)
        assert report.photos_failed == 1
    assert_same_but_for_rounding(store, other_store)


def test_a_photo_that_cannot_be_decoded_does_not_break_up_its_batch(store, ten_photos):
    whole = (ten_photos / "5.jpg").read_bytes()
    (ten_photos / "5 cut.jpg").write_bytes(whole[: whole.rindex(b"\xff\xda") + 20])  # its pixels have just begun
    gpu = FakeModels(device="mps")
    index(store, gpu, ten_photos)
    assert gpu.batches == [10]
    assert [stage for stage, _ in errors(store)] == ["detect"]
    assert len(frames(store)) == 15
