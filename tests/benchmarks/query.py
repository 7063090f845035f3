"""The query language over a large store: how long each term takes to count and to show its first rows.

usage: python tests/benchmarks/query.py [--faces N] [--store FILE] [--json OUT]

A store is filled with faces of 2,000 people on photos of 20 years: few of them on most photos, albums, cameras, places,
variants, answers and hidden photos in shares as a household has them. `--store` keeps it for the next run. Each
expression is then asked in this process, the store already open: `count` is `query EXPR --count`, `first` the first 100
frames in the order of time. The best of three runs counts.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import figures
import numpy as np
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from alignimation_index.query.frames import stream_frames
from alignimation_index.query.language.expression import parse_expression
from alignimation_index.query.language.photo_selection import PhotoFilter, count_photos
from alignimation_index.query.language.selection import count_faces, count_variants_left_out
from alignimation_index.query.photos import select_photos
from alignimation_index.store import listed_triggers
from alignimation_index.store.engine import Store

PEOPLE, AT_ONCE, RUNS, FIRST = 2_000, 20_000, 3, 100
NOW, FACTS, FINGERPRINT = "2024-01-01 00:00:00.000000", json.dumps({"exif": {"Software": "x" * 200}}), b"x" * 48
LANDMARKS, BOX, MATRIX = (np.ones(count, "<f4").tobytes() for count in (10, 4, 6))
REST = "facts, latitude_deg, longitude_deg, favourite, archived, trashed, fingerprint"
MEASURED, LANDMARK_COLUMNS = (
    "yaw_deg, pitch_deg, roll_deg, size_px, sharpness, quality",
    "detected_landmarks, landmarks",
)
CAMERAS = [f"{maker} {model}" for maker in ("Canon", "NIKON", "Apple", "Google", "SONY") for model in range(8)]
EXPRESSIONS = (
    "",
    "person:me",
    'person:"Person 1900"',
    "with:me",
    "without:me",
    "alone:yes",
    "alone:no",
    "year:2000..2020",
    "year:2012",
    "date:2015-06..2016",
    "age:3..18",
    "age:36..40",
    "frontal:yes",
    "yaw:<20",
    "pitch:<15",
    "size:>=120",
    "size:>=5000",
    "quality:>0.5",
    "residual:<0.05",
    'album:"Album 15"',
    "favourite:yes",
    "camera:canon",
    "path:IMG_0012345",
    "path:jpg",
    "near:48.85,2.35,20km",
    "near:48.85,2.35,500km",
    "kind:face",
    "reviewed:yes",
    "reviewed:no",
    "not person:me",
    "not year:2012",
    "person:me year:2000..2020 frontal:yes size:>=120 residual:<0.05",
    "person:me with:2 not album:Album*",
    "(person:me or person:2) quality:>0.5 alone:yes",
    "frontal:yes (yaw:<10 or quality:>0.8) without:me near:48.85,2.35,500km",
    "path:2012 camera:canon favourite:no",
    "person:me with:2",
    "person:me alone:yes year:2010..",
    "person:me frontal:yes path:2012",
    "person:me camera:canon reviewed:no",
    "person:me age:36..40",
    "frontal:yes near:48.85,2.35,500km",
)
ON_PHOTOS = (
    *("", "year:2012", "person:me", 'person:"Person 1900"', "with:me", "without:me", "alone:yes", "age:36..40"),
    *("frontal:yes", "size:>=5000", "quality:>0.5", 'album:"Album 15"', "favourite:yes", "camera:canon", "path:jpg"),
    *("path:IMG_0012345", "near:48.85,2.35,20km", "near:48.85,2.35,500km", "reviewed:yes", "person:me camera:canon"),
    "person:me year:2012 frontal:yes",
)
"""Of these `photos EXPR --count` and the first 100 photos."""


def fill(store: Store, faces: int) -> float:
    """Write the rows of a library; the seconds that what queries are asked of took."""
    random = np.random.default_rng(0)
    with store.writing() as session:
        connection = session.connection()
        listed_triggers.drop_triggers(connection)
        add_people(connection)
        photo, number = 0, 0
        while number < faces:
            counts = np.minimum(random.geometric(0.6, AT_ONCE), 12)
            add_photos(connection, random, photo, AT_ONCE)
            number += add_faces(connection, random, photo, counts, number)
            photo += AT_ONCE
        started = time.perf_counter()
        listed_triggers.rebuild(connection)
        return time.perf_counter() - started


def add_people(connection: Connection) -> None:
    """Everybody: the first is me, one in ten has a birthday."""
    put(connection, "root (id, path, added_at_utc)", [(1, "/photos", NOW)])
    put(connection, "template (id, name, landmarks)", [(1, "face", LANDMARKS)])
    put(connection, "person (id, created_at_utc)", [(id_, NOW) for id_ in range(1, PEOPLE + 1)])
    states = []
    for id_ in range(1, PEOPLE + 1):
        born = str((datetime(1970, 1, 1) + timedelta(days=id_ * 7)).date()) if id_ % 10 == 1 else None
        states.append((id_, id_, "me" if id_ == 1 else f"Person {id_}", False, born))
    put(connection, "person_state (person_id, goes_by_id, name, hidden, born)", states)


def add_photos(connection: Connection, random: np.random.Generator, first: int, count: int) -> None:
    """Photos with a file each: a tenth undated, a third with a place, some hidden, a tenth in groups of two."""
    moments = random.integers(0, 24 * 365 * 86_400, count).tolist()
    dated, placed = (random.random(count) < 0.9).tolist(), (random.random(count) < 0.35).tolist()
    kind = random.random(count).tolist()
    places = (np.array([48.85, 2.35]) + random.normal(scale=[3, 4], size=(count, 2))).tolist()
    cameras = random.integers(0, len(CAMERAS), count).tolist()
    rows, files, albums, variants = [], [], [], []
    for i in range(count):
        id_ = first + i + 1
        taken = datetime(2000, 1, 1) + timedelta(seconds=moments[i])
        flags = kind[i] < 0.02, 0.5 < kind[i] < 0.53, 0.6 < kind[i] < 0.61
        place = places[i] if placed[i] else (None, None)
        about = (f"{taken}.000000", "exif") if dated[i] else (None, None)
        camera = CAMERAS[cameras[i]] if kind[i] < 0.9 else None
        rows.append((id_, f"{id_:064x}", 4000, 3000, *about, camera, FACTS, *place, *flags, FINGERPRINT))
        folder = f"/photos/{taken.year}/{id_ % 400:03}"
        files.append((id_, 1, f"{folder}/IMG_{id_:07}.jpg", folder, 1, 1, id_, "photo", id_))
        if kind[i] < 0.5:
            albums.append((id_, f"Album {moments[i] // (14 * 86_400)}"))
        if i % 20 < 2:
            variants.append((id_, id_ - i % 20, "burst", "burst", i % 20))
    put(connection, f"photo (id, content_hash, width_px, height_px, taken_at, taken_at_source, camera, {REST})", rows)
    put(connection, "file (id, root_id, path, folder, size, mtime_ns, inode, kind, photo_id)", files)
    put(connection, "photo_album (photo_id, name)", albums)
    put(connection, "variant (photo_id, group_id, kind, role, rank)", variants)


def add_faces(
    connection: Connection, random: np.random.Generator, first_photo: int, counts: np.ndarray, first: int
) -> int:
    """So many faces on each photo: people by a power law, one in ten nobody's, one in fifty answered for."""
    photos = np.repeat(np.arange(first_photo + 1, first_photo + 1 + len(counts)), counts).tolist()
    count = len(photos)
    ids = range(first + 1, first + 1 + count)
    who = np.minimum(random.zipf(1.4, count), PEOPLE).tolist()
    yaw, pitch, roll = random.normal(scale=[[25], [12], [8]], size=(3, count))
    frontal = ((abs(yaw) < 25) & (abs(pitch) < 20)).tolist()
    measured = [yaw, pitch, roll, random.lognormal(4.8, 0.7, count), random.random(count), random.beta(3, 3, count)]
    columns = [column.tolist() for column in measured]
    assigned, answered = random.random(count) > 0.1, np.flatnonzero(random.random(count) < 0.02).tolist()
    residual = random.gamma(2, 0.02, count).tolist()
    rows = [(*row, BOX, 0.99, LANDMARKS, LANDMARKS, 0.5) for row in zip(ids, photos, frontal, *columns, strict=True)]
    put(connection, f"face (id, photo_id, frontal, {MEASURED}, box, score, {LANDMARK_COLUMNS}, brightness)", rows)
    machine = [(ids[i], who[i], 3.0) for i in np.flatnonzero(assigned).tolist()]
    put(connection, "assignment (face_id, person_id, score)", machine)
    transforms = [(id_, 1, MATRIX, one, "x") for id_, one in zip(ids, residual, strict=True)]
    put(connection, "transform (face_id, template_id, matrix, residual, method)", transforms)
    said = [(ids[i], "confirm", who[i], f"{photos[i]:064x}", BOX, NOW) for i in answered]
    put(connection, "answer (id, kind, person_id, content_hash, box, answered_at_utc)", said)
    put(connection, "answer_face (answer_id, face_id)", [(ids[i], ids[i]) for i in answered])
    put(connection, "face_verdict (face_id, person_id, is_face)", [(ids[i], who[i], True) for i in answered])
    return count


def put(connection: Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows into "table (columns)"."""
    marks = ", ".join("?" * (1 + table.count(",")))
    if rows:
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", rows)


def best_ms(ask: Callable[[], Any]) -> dict[str, float]:
    """The best of some runs, by the clock and of the processor: others may use the machine."""
    clocks, processor = [], []
    for _ in range(RUNS):
        started = time.perf_counter(), time.process_time()
        ask()
        clocks.append(time.perf_counter() - started[0])
        processor.append(time.process_time() - started[1])
    return {"clock": round(1000 * min(clocks), 1), "processor": round(1000 * min(processor), 1)}


def ask_everything(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each expression, and what it took."""
    for expression in EXPRESSIONS:
        every, best = filtered(expression, True), filtered(expression, False)
        yield (
            expression or "(everything)",
            {
                "faces": count_faces(session, every),
                "count_ms": best_ms(lambda: count_faces(session, filtered(expression, True))),  # noqa: B023
                "count_best_variants_ms": best_ms(lambda: count_faces(session, best)),  # noqa: B023
                "first_100_ms": best_ms(lambda: list(islice(stream_frames(session, best), FIRST))),  # noqa: B023
            },
        )


def filtered(expression: str, all_variants: bool) -> Any:
    """The filter of `query EXPR`, with or without `--all-variants`."""
    from dataclasses import replace

    return replace(parse_expression(expression), all_variants=all_variants)


def ask_for_photos(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same for `photos`."""
    for expression in ON_PHOTOS:
        wanted = PhotoFilter(parse_expression(expression).condition)
        yield (
            f"photos {expression}",
            {
                "photos": count_photos(session, wanted),
                "count_ms": best_ms(lambda: count_photos(session, wanted)),  # noqa: B023
                "first_100_ms": best_ms(lambda: list(islice(select_photos(session, wanted), FIRST))),  # noqa: B023
            },
        )


def slowest(asked: dict[str, dict[str, Any]], figure: str) -> dict[str, float]:
    """The slowest of all expressions."""
    return {by: max(one[figure][by] for one in asked.values()) for by in ("clock", "processor")}


def measure(path: Path, faces: int) -> dict[str, Any]:
    """Fill the store if it is not there, and ask."""
    is_new = not path.exists()
    with closing(Store.open(path)) as store:
        started = time.perf_counter()
        rebuilt = fill(store, faces) if is_new else None
        filled = time.perf_counter() - started
        with store.reading() as session:
            asked = dict(ask_everything(session))
            photos = dict(ask_for_photos(session))
            left_out = best_ms(lambda: count_variants_left_out(session, filtered("", False)))
            wanted = filtered("person:me", False)
            started = time.perf_counter()
            frames = sum(1 for _ in stream_frames(session, wanted))
            streamed = time.perf_counter() - started
    return {
        "faces": faces,
        "filled_s": round(filled, 1) if is_new else "kept",
        "listed_anew_s": round(rebuilt, 1) if rebuilt else "kept",
        "store_mb": path.stat().st_size >> 20,
        "all_frames_of_me": f"{frames} in {streamed:.2f} s",
        "count_variants_left_out_ms": left_out,
        "slowest_count_ms": slowest(asked, "count_ms"),
        "slowest_count_best_variants_ms": slowest(asked, "count_best_variants_ms"),
        "slowest_first_100_ms": slowest(asked, "first_100_ms"),
        "slowest_photos_count_ms": slowest(photos, "count_ms"),
        "slowest_photos_first_100_ms": slowest(photos, "first_100_ms"),
        **asked,
        **photos,
    }


def main() -> None:
    """Measure and print."""
    parser = figures.parser(__doc__)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        result = measure(options.store or Path(folder) / "store.db", options.faces)
    figures.show(result, options.json_out)


if __name__ == "__main__":
    main()
