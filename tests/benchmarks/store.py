"""The store by itself: photos written per second as it grows, and how long listings of it take.

usage: python tests/benchmarks/store.py [--photos N] [--json OUT]

Photos have two to six faces each and are written as `update` writes them: linked, then all stages' results and
done-records in one transaction per batch. Nothing is decoded and no network runs, so this is what the store adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import figures
import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Detections
from alignimation_index.found_files import FoundFile
from alignimation_index.models.faces import EMBEDDED, FaceModelIds
from alignimation_index.pipeline.progress import UpdateReport
from alignimation_index.pipeline.scan import add_roots, scan
from alignimation_index.pipeline.stages import ASSIGN, PHOTO_STAGES, stage_keys
from alignimation_index.registration.faces import FACE_TEMPLATE, FACE_TEMPLATE_NAME, METHOD
from alignimation_index.store import faces, files, people, runs
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Face

PHOTOS_PER_BATCH = 64
EMBEDDING_SIZE = 128
PEOPLE = 500
COLUMNS_OF_FACES = ("yaw_deg", "pitch_deg", "roll_deg", "size_px", "sharpness", "brightness", "quality")
# Linux's own figure: what getrusage says includes the process that started this one.
RUN_AND_TELL_PEAK = """
import atexit, re, sys
from alignimation_index.cli import main
atexit.register(lambda: sys.stderr.write(re.search("VmHWM.*", open("/proc/self/status").read())[0]))
main()
"""
COMMANDS = (
    "--help",
    "status --json",
    "people list --json",
    "people suggestions --json",
    "people hide 1",
    "people undo",
    "faces --json",
    "photos --json",
    "query --json",
    "query --csv",
    "query --paths",
    "query person:1 --json",
    "photos",
    "faces",
    "update",
)


def lay_out_files(folder: Path, count: int) -> None:
    """Files of one byte, 500 to a folder: a scan looks at names, sizes and times only."""
    for number in range(count):
        if number % 500 == 0:
            (folder / f"{number // 500:04}").mkdir(parents=True)
        (folder / f"{number // 500:04}" / f"{number:07}.jpg").write_bytes(b"x")


def write_library(store: Store) -> Iterator[tuple[int, float]]:
    """Write what all stages find on the photos that wait; (photos so far, seconds of this batch)."""
    keys = stage_keys(FaceModelIds(EMBEDDED))
    with store.writing() as session:
        for stage, key in keys.items():
            runs.register_key(session, key.key, stage, key.made_of)
        faces.pin_embedder(session, EMBEDDED)
        template = faces.put_template(session, FACE_TEMPLATE_NAME, FACE_TEMPLATE)
    with store.reading() as session:
        pending = files.pending_files(session, ["photo"])
    stage_keys_of_photos = [(stage, keys[stage].key) for stage in PHOTO_STAGES]
    random = np.random.default_rng(0)
    for start in range(0, len(pending), PHOTOS_PER_BATCH):
        batch = pending[start : start + PHOTOS_PER_BATCH]
        found = [some_faces(random) for _ in batch]
        started = time.perf_counter()
        write_batch(store, batch, found, stage_keys_of_photos, template)
        yield start + len(batch), time.perf_counter() - started


def some_faces(random: np.random.Generator) -> tuple[Detections, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Detections, columns of further stages, embeddings and transforms of two to six faces."""
    count = int(random.integers(2, 7))
    corners = random.uniform(0, 3000, (count, 2))
    boxes = np.hstack([corners, corners + 200]).astype(np.float32)
    landmarks = random.uniform(0, 3000, (count, 5, 2)).astype(np.float32)
    columns = {name: random.uniform(0, 1, count).astype(np.float32) for name in COLUMNS_OF_FACES}
    columns |= {"landmarks": landmarks, "frontal": random.uniform(0, 1, count) > 0.5}
    vectors = random.normal(size=(count, EMBEDDING_SIZE)).astype(np.float32)
    return Detections(boxes, columns["quality"], landmarks), columns, vectors, random.normal(size=(count, 2, 3))


def write_batch(
    store: Store, batch: list[tuple[int, FoundFile]], found: list[Any], keys: list[tuple[str, str]], template: int
) -> None:
    """Link the files of a batch to photos and write everything about these, as one transaction."""
    detections, columns, vectors, matrices = zip(*found, strict=True)
    with store.writing() as session:
        photos = files.link_photos(session, [(file_id, f"{file_id:064x}") for file_id, _ in batch])
        about = {"width_px": 4000, "height_px": 3000, "taken_at": None, "camera": "Camera", "utc_offset": "+01:00"}
        files.update_photos(session, dict.fromkeys(photos, about))
        of_photo = faces.replace_faces(
            session, dict(zip(photos, detections, strict=True)), dict(zip(photos, columns, strict=True))
        )
        ids = [face_id for photo in photos for face_id in of_photo[photo]]
        faces.replace_embeddings(session, ids, EMBEDDED, np.concatenate(vectors))
        stacked = np.concatenate(matrices)
        faces.replace_transforms(session, ids, template, stacked, np.full(len(ids), 0.01), METHOD)
        runs.record_runs(session, [runs.Run(photo, stage, key) for photo in photos for stage, key in keys])


def write_rates(store: Store, photos: int) -> dict[int, int]:
    """Photos written per second, for each tenth of the photos: count so far → rate since the count before."""
    rates: dict[int, int] = {}
    seconds, last = 0.0, 0
    for done, more in write_library(store):
        seconds += more
        if done - last >= photos / 10 or done == photos:
            rates[done] = round((done - last) / seconds)
            seconds, last = 0.0, done
    return rates


def assign_everyone(store: Store) -> None:
    """Give each face to one of PEOPLE in turn."""
    key = stage_keys(FaceModelIds(EMBEDDED))[ASSIGN].key
    with store.writing() as session:
        ids = [people.add_person(session) for _ in range(PEOPLE)]
        photos = runs.stale_photo_ids(session, [key])
        found = [id_ for stored in batched_faces(session, photos) for id_ in stored]
        people.replace_assignments(session, found, [(id_, ids[id_ % PEOPLE], 3.0) for id_ in found])
        runs.record_runs(session, [runs.Run(photo_id, ASSIGN, key) for photo_id in photos])


def batched_faces(session: Session, photos: list[int]) -> Iterator[list[int]]:
    """Ids of the faces of photos, a thousand photos at a time."""
    for start in range(0, len(photos), 1000):
        for stored in faces.stored_faces(session, photos[start : start + 1000]).values():
            yield stored.ids


def measure_command(store: Path, command: str) -> dict[str, float]:
    """Wall seconds and peak memory of one command line, its output thrown away."""
    environment = {**os.environ, "ALIGNINDEX_OFFLINE": "1"}
    arguments = [sys.executable, "-c", RUN_AND_TELL_PEAK, "--store", str(store), *command.split()]
    started = time.perf_counter()
    done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, check=True)
    return {"seconds": round(time.perf_counter() - started, 2), "peak_mb": int(done.stderr.split()[-2]) // 1024}


def measure(photos: int) -> dict[str, Any]:
    """Write a store of so many photos, then time each command on it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        lay_out_files(Path(folder) / "photos", photos)
        store = Store.open(path)
        add_roots(store, [Path(folder) / "photos"])
        started = time.perf_counter()
        scan(store, UpdateReport(), lambda *_: None)
        scanned = round(photos / (time.perf_counter() - started))
        rates = write_rates(store, photos)
        assign_everyone(store)
        with store.reading() as session:
            count = session.scalar(select(func.count()).select_from(Face))
        started = time.perf_counter()
        with store.reading() as session:
            people.embedded_faces(session, EMBEDDED, "")
        loaded = round(time.perf_counter() - started, 2)
        store.close()
        commands = {command: measure_command(path, command) for command in COMMANDS}
        size = path.stat().st_size
    return {
        "photos": photos,
        "faces": count,
        "bytes_per_photo": round(size / photos),
        "files_scanned_per_s": scanned,
        "photos_written_per_s": rates,
        "faces_loaded_s": loaded,
        "commands": commands,
    }


def main() -> None:
    """Measure and print."""
    parser = figures.parser(__doc__)
    parser.add_argument("--photos", type=int, default=50_000)
    options = parser.parse_args()
    result = measure(options.photos)
    figures.show(result, options.json_out)


if __name__ == "__main__":
    main()
