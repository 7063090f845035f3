"""Who is who: how well people are told apart, whether the order matters, and how long it takes.

usage: python tests/benchmarks/identity.py --store STORE --library LIBRARY [--fit OUT] [--scale N,N…]
       [--order] [--json OUT]

STORE is an index of LIBRARY, dated photos of people whose names and ages its truth.csv tells. Everything is fitted on
half of the people and scored on the other half, three times both ways; thresholds of the plain methods are those that
are best on the half fitted on. F is BCubed (Bagga & Baldwin 1998); "in company" means that the people fitted on are
there, too, and not counted. --fit writes the coefficients fitted on everyone.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from identity_fit import fit_calibration, write
from identity_plain import PLAIN
from rich.console import Console
from rich.table import Table
from sklearn.metrics import adjusted_rand_score

from alignimation_index.models.faces import EMBEDDED
from alignimation_index.people.assign import assign_faces
from alignimation_index.people.calibration import CALIBRATIONS, OLDEST, Calibration
from alignimation_index.people.faces import NOBODY, Evidence, Faces
from alignimation_index.people.observations import SECONDS_PER_YEAR
from alignimation_index.query.frames import select_frames
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.store import people
from alignimation_index.store.engine import Store

Array = np.ndarray[Any, np.dtype[Any]]
PROVENANCE = (
    "Fitted by tests/benchmarks/identity.py --fit on FG-NET: 299 photos of 24 people at ages 0 to 69, with the ages "
    "of its index."
)
REPEATS = 3
INDEPENDENT = 30


def labelled(store: Path, library: Path) -> tuple[Faces, Array, Array]:
    """The labelled face of each photo; who it is, by number, and how old."""
    truth = {str((library / row["path"]).resolve()): row for row in csv.DictReader((library / "truth.csv").open())}
    opened = Store.open(store)
    with opened.reading() as session:
        found = people.embedded_faces(session, EMBEDDED, "", "")
        frames = {frame.face_id: frame for frame in select_frames(session, FrameFilter())}
    opened.close()
    chosen: dict[str, tuple[float, int]] = {}
    for row, face_id in enumerate(found.face_ids.tolist()):
        frame = frames.get(face_id)
        known = truth.get(str(Path(frame.path).resolve())) if frame else None
        if frame and known:
            off = _off_centre(frame.box, known)
            chosen[frame.path] = min(chosen.get(frame.path, (np.inf, -1)), (off, row))
    rows = np.array([row for off, row in chosen.values() if np.isfinite(off)])
    paths = [str(Path(path).resolve()) for path, (off, _) in chosen.items() if np.isfinite(off)]
    _, who = np.unique([truth[path]["identity"] for path in paths], return_inverse=True)
    ages = np.array([float(truth[path]["age"]) for path in paths])
    return Faces(found.vectors[rows], found.photo_ids[rows], found.taken_at_s[rows], found.quality[rows]), who, ages


def _off_centre(box: Array, known: dict[str, str]) -> float:
    x = (float(known["eye_imgleft_x"]) + float(known["eye_imgright_x"])) / 2
    y = (float(known["eye_imgleft_y"]) + float(known["eye_imgright_y"])) / 2
    left, top, right, bottom = box.tolist()
    inside = left <= x <= right and top <= y <= bottom
    return abs((left + right) / 2 - x) + abs((top + bottom) / 2 - y) if inside else np.inf


def some(faces: Faces, rows: Array) -> Faces:
    """Some of the faces."""
    return Faces(faces.vectors[rows], faces.photos[rows], faces.taken_at_s[rows], faces.quality[rows])


def alone(labels: Array) -> Array:
    """Labels in which everyone who waits is a person of their own."""
    return np.where(labels == NOBODY, labels.max(initial=0) + 1 + np.arange(len(labels)), labels)


def bcubed(labels: Array, who: Array, counted: Array | None = None) -> tuple[float, float, float]:
    """Precision, recall and F, the mean over the faces counted."""
    _, predicted, predicted_size = np.unique(alone(labels), return_inverse=True, return_counts=True)
    _, true, true_size = np.unique(who, return_inverse=True, return_counts=True)
    _, both, shared = np.unique(predicted * len(true_size) + true, return_inverse=True, return_counts=True)
    rows = np.arange(len(who)) if counted is None else np.flatnonzero(counted)
    precision = float((shared[both] / predicted_size[predicted])[rows].mean())
    recall = float((shared[both] / true_size[true])[rows].mean())
    return precision, recall, 2 * precision * recall / (precision + recall)


def halves(who: Array) -> Iterator[Array]:
    """Masks of faces to fit on, by people."""
    for repeat in range(REPEATS):
        people_of = np.random.default_rng(repeat).permutation(who.max() + 1)
        chosen = np.isin(who, people_of[: len(people_of) // 2])
        yield chosen
        yield ~chosen


def cross_validate(faces: Faces, who: Array, ages: Array) -> dict[str, list[float]]:
    """Mean precision, recall and F of each method on people that it was not fitted on, and the lowest F."""
    scores: dict[str, list[tuple[float, float, float]]] = {}
    for fitted in halves(who):
        one, other = some(faces, fitted), some(faces, ~fitted)
        for name, method in PLAIN.items():
            cuts = method(one, who[fitted], one)
            best = max(cuts, key=lambda cut: bcubed(cuts[cut], who[fitted])[2])
            scores.setdefault(name, []).append(bcubed(method(one, who[fitted], other)[best], who[~fitted]))
        calibration = fit_calibration(one.vectors, who[fitted], ages[fitted])
        labels = assign_faces(other, Evidence.none(len(other)), calibration).labels
        scores.setdefault("ours", []).append(bcubed(labels, who[~fitted]))
        labels = assign_faces(faces, Evidence.none(len(faces)), calibration).labels
        scores.setdefault("ours, in company", []).append(bcubed(labels, who, ~fitted))
        dateless = replace(other, taken_at_s=np.full(len(other), np.nan))
        labels = assign_faces(dateless, Evidence.none(len(other)), calibration).labels
        scores.setdefault("ours, no dates", []).append(bcubed(labels, who[~fitted]))
    return {name: [*np.mean(each, axis=0), min(f for *_, f in each)] for name, each in scores.items()}


def order(faces: Faces, calibration: Calibration) -> float:
    """Adjusted Rand index of one batch and one by one in random order."""
    batch = assign_faces(faces, Evidence.none(len(faces)), calibration).labels
    arrival = np.random.default_rng(0).permutation(len(faces))
    settled = np.zeros(0, np.int64)
    for count in range(1, len(faces) + 1):
        known = replace(Evidence.none(count), settled=np.append(settled, NOBODY))
        settled = assign_faces(some(faces, arrival[:count]), known, calibration).labels
    return float(adjusted_rand_score(alone(batch)[arrival], alone(settled)))


def drawn(count: int, people_count: int, strangers: int, dateless: float) -> tuple[Faces, Array]:
    """Faces of people and of strangers seen once, drawn from the model with 30 independent dimensions."""
    random, model = np.random.default_rng(0), CALIBRATIONS[EMBEDDED]
    axes = np.linalg.qr(random.normal(size=(128, INDEPENDENT)))[0]
    often = random.pareto(1.5, people_count) + 0.3
    who = random.choice(people_count, count, p=often / often.sum())
    who[:strangers] = people_count + np.arange(strangers)
    born = random.integers(1930, 2015, people_count + strangers)[who]
    years = born + random.uniform(0, np.minimum(2024 - born, OLDEST - 1))
    ages = np.floor(years - born).astype(int)
    nodes = np.linspace(np.log(3), np.log(OLDEST + 4), 6)
    kept = np.exp(-(nodes[1] - nodes[0]) / model.drift)
    walk = random.normal(size=(6, people_count + strangers, INDEPENDENT)).astype(np.float32)
    for node in range(1, 6):
        walk[node] = kept * walk[node - 1] + np.sqrt(1 - kept**2) * walk[node]
    place = (np.log(ages + model.drift_offset) - nodes[0]) / (nodes[1] - nodes[0])
    node = np.minimum(place.astype(int), 4)
    share = (place - node)[:, None]
    z = np.sqrt(model.correlation) * ((1 - share) * walk[node, who] + share * walk[node + 1, who])
    z += np.sqrt(1 - model.correlation) * random.normal(size=z.shape)
    vectors = np.array(model.mean) + model.interpolation[ages] @ np.array(model.mean_at_knots)
    vectors += np.sqrt(model.spread[ages] / INDEPENDENT)[:, None] * (z @ axes.T)
    taken = (years - 1970) * SECONDS_PER_YEAR
    taken[random.uniform(size=count) < dateless] = np.nan
    mixed = random.permutation(count)
    faces = Faces(vectors.astype(np.float32), np.arange(count), taken, np.ones(count))
    return some(faces, mixed), who[mixed]


def scale(count: int, more: int = 1000) -> dict[str, float]:
    """From scratch, then some more."""
    faces, who = drawn(count + more, count // 50, strangers=0, dateless=0)
    started, used = time.perf_counter(), time.process_time()
    settled = assign_faces(some(faces, np.arange(count)), Evidence.none(count), CALIBRATIONS[EMBEDDED]).labels
    scratch, scratch_cpu = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    known = joined_by(settled, more)
    started, used = time.perf_counter(), time.process_time()
    labels = assign_faces(faces, known, CALIBRATIONS[EMBEDDED]).labels
    precision, recall, f = bcubed(labels, who)
    figures = {
        "s from scratch": scratch,
        "CPU s from scratch": scratch_cpu,
        "peak MiB": peak,
        "s for 1,000 more": time.perf_counter() - started,
        "CPU s for 1,000 more": time.process_time() - used,
        "precision": precision,
        "recall": recall,
        "F": f,
    }
    return {f"{count}: {name}": round(value, 3) for name, value in figures.items()}


def joined_by(settled: Array, more: int) -> Evidence:
    """What is known when some faces come after others were settled."""
    return replace(
        Evidence.none(len(settled) + more),
        settled=np.append(settled, np.full(more, NOBODY)),
        waited=np.append(settled == NOBODY, np.zeros(more, bool)),
    )


def in_chunks(count: int = 6000, chunk: int = 500) -> dict[str, float]:
    """Adjusted Rand index of one batch and of chunks in random order, in a library too large to be thought over."""
    figures = {}
    for name, strangers, dateless in (("people", 0, 0.0), ("household", count // 5, 0.1)):
        faces, _ = drawn(count, count // 50, strangers, dateless)
        batch = assign_faces(faces, Evidence.none(count), CALIBRATIONS[EMBEDDED]).labels
        settled = np.zeros(0, np.int64)
        for begin in range(0, count, chunk):
            known = joined_by(settled, min(chunk, count - begin))
            came = some(faces, np.arange(len(known.settled)))
            settled = assign_faces(came, known, CALIBRATIONS[EMBEDDED]).labels
        score = float(adjusted_rand_score(alone(batch), alone(settled)))
        figures[f"{count} in chunks of {chunk}, {name}: adjusted Rand index"] = round(score, 4)
    return figures


def household() -> dict[str, float]:
    """A library as homes have it: few people often, many strangers once, a tenth without a date."""
    faces, who = drawn(3000, 60, strangers=600, dateless=0.1)
    labels = assign_faces(faces, Evidence.none(len(faces)), CALIBRATIONS[EMBEDDED]).labels
    precision, recall, f = bcubed(labels, who)
    return {
        "household: precision": round(precision, 3),
        "household: recall": round(recall, 3),
        "household: F": round(f, 3),
    }


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="an index of the library, with the bundled embedder")
    parser.add_argument("--library", type=Path)
    parser.add_argument("--fit", type=Path, help="write the coefficients here, and do nothing else")
    parser.add_argument("--order", action="store_true", help="one by one against one batch; takes minutes")
    parser.add_argument("--scale", type=lambda text: [int(count) for count in text.split(",")], default=[])
    parser.add_argument("--json", type=Path, dest="json_out")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    if options.store:
        faces, who, ages = labelled(options.store, options.library)
        if options.fit:
            write(fit_calibration(faces.vectors, who, ages, PROVENANCE), options.fit)
            print(options.fit.read_text())
            return
        for name, values in cross_validate(faces, who, ages).items():
            figures[name] = "P {:.3f}  R {:.3f}  F {:.3f}  lowest F {:.3f}".format(*values)
        if options.order:
            figures["one by one: adjusted Rand index"] = round(order(faces, CALIBRATIONS[EMBEDDED]), 4)
    figures |= household()
    if options.order:
        figures |= in_chunks()
    for count in options.scale:
        figures |= scale(count)
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    if options.json_out:
        options.json_out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
