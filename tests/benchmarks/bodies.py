"""Detectors of bodies measured: keypoints and masks against annotated people, and bodies per second.

usage: PYTHONPATH=.:tests/registration:tests/models python tests/benchmarks/bodies.py [--detector mediapipe-pose]
       [--photos FOLDER] [--min-share 0.05] [--device auto] [--made] [--limit N] [--json OUT] [--drawn FOLDER]

A body counts that takes more than `--min-share` of its photo, by its box. It is found where object keypoint similarity
(COCO's: 1 for exact keypoints) with one of the detector's bodies reaches 0.5. Errors of keypoints are per cent of the
body's height (the longer side of the box around its mask), over those annotated.

`--made` gives torchvision's networks random weights that see one person in every photo: their time, without theirs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from annotated_bodies import FOLDER, Body, draw, read_bodies
from figures import parser, show
from PIL import Image, ImageDraw
from rcnn_weights import keypoint_state, mask_state, saved
from rich.console import Console
from rich.table import Table

from alignimation_index.cli.output import data_folder
from alignimation_index.datatypes import BodyDetections
from alignimation_index.models.bodies import EMBEDDED_BODIES, body_models, choose_body_detector
from alignimation_index.models.device import choose_device
from alignimation_index.models.protocols import BodyDetector
from alignimation_index.models.rcnn import RcnnDetector
from alignimation_index.models.weights import WeightStore

# COCO's deviations of each keypoint, as shares of the root of the body's area (Ronchi & Perona 2017), doubled.
DEVIATIONS = 2 * np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
FOUND = 0.5
LINES = ((0, 5), (0, 6), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12))
LINES += ((11, 13), (13, 15), (12, 14), (14, 16))


class Fit(NamedTuple):
    """How well a detected body fits an annotated one."""

    similarity: float
    median_error: float
    mean_error: float
    mask_iou: float


def fit(body: Body, truth: np.ndarray, keypoints: np.ndarray, mask: np.ndarray) -> Fit:
    seen = body.seen > 0
    apart = np.linalg.norm(keypoints[seen, :2] - body.keypoints[seen], axis=1)
    similarity = np.exp(-(apart**2) / (2 * truth.sum() * DEVIATIONS[seen] ** 2)).mean()
    iou = ((mask > 0) & truth).sum() / ((mask > 0) | truth).sum()
    return Fit(similarity, 100 * np.median(apart) / body.height, 100 * apart.mean() / body.height, iou)


def best_fit(body: Body, truth: np.ndarray, found: BodyDetections) -> Fit | None:
    """Of the detected bodies that reach FOUND, the best by keypoints."""
    fits = [fit(body, truth, *each) for each in zip(found.keypoints, found.masks, strict=True)]
    return max((each for each in fits if each.similarity >= FOUND), default=None)


def load(options: argparse.Namespace) -> BodyDetector:
    if options.made:
        with TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("mask.pth", "keypoint.pth")]
            for path, state in zip(files, (mask_state(), keypoint_state()), strict=True):
                path.write_bytes(saved(state))
            return RcnnDetector(*files, choose_device(options.device))
    weights = WeightStore(data_folder() / "weights")
    name, _ = choose_body_detector(options.detector, None, weights)
    return body_models(name, weights, options.device).load()


def detect(detector: BodyDetector, images: dict[str, np.ndarray]) -> tuple[dict[str, BodyDetections], dict[str, float]]:
    """The bodies of each photo, and the time they took once the detector is warm."""
    detector.detect(list(images.values())[:1])
    begin, begin_cpu = time.perf_counter(), time.process_time()
    found = dict(zip(images, detector.detect(list(images.values())), strict=True))
    seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    bodies = sum(map(len, found.values()))
    return found, {
        "photos": len(images),
        "bodies": bodies,
        "bodies per second": bodies / seconds,
        "photos per second": len(images) / seconds,
        "processor seconds per photo": cpu / len(images),
    }


def measure(bodies: list[Body], found: dict[str, BodyDetections], sizes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By annotated body, how it was found."""
    rows = {}
    for body in bodies:
        photo = photo_of(body)
        best = best_fit(body, draw(body.polygons, sizes[photo]), found[photo])
        share = share_of(body, sizes[photo])
        rows[body.name] = {"share": share, **(best._asdict() if best else dict.fromkeys(Fit._fields))}
    return rows


def photo_of(body: Body) -> str:
    return body.name.split("#")[0] + ".jpg"


def share_of(body: Body, size: tuple[int, int]) -> float:
    return float(np.ptp(np.concatenate(body.polygons), axis=0).prod() / np.prod(size))


def show_bodies(rows: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Print a line for each body; means over those found."""
    table = Table("body", "% of photo", "similarity", "median error %", "mean error %", "mask IoU")
    for name, row in rows.items():
        values = [row[field] for field in Fit._fields]
        table.add_row(name, f"{100 * row['share']:.1f}", *("-" if v is None else f"{v:.3g}" for v in values))
    Console(width=110).print(table)
    there = [row for row in rows.values() if row["similarity"] is not None]
    means = {f"mean {field}": float(np.mean([row[field] for row in there])) for field in Fit._fields if there}
    return {"annotated": len(rows), "found": len(there), **means}


def draw_found(image: np.ndarray, found: BodyDetections, path: Path) -> None:
    """Masks in red to violet, keypoints as lines; thin where one end is hardly seen."""
    picture = image.astype(float)
    colours = [np.array(Image.new("HSV", (1, 1), (90 * row % 256, 255, 255)).convert("RGB"))[0, 0] for row in range(99)]
    for mask, colour in zip(found.masks, colours, strict=False):
        picture[mask > 0] = 0.6 * picture[mask > 0] + 0.4 * colour
    canvas = Image.fromarray(picture.astype(np.uint8))
    for keypoints, colour in zip(found.keypoints, colours, strict=False):
        for ends in LINES:
            width = 3 if keypoints[list(ends), 2].min() > 0.5 else 1
            ImageDraw.Draw(canvas).line([tuple(keypoints[end, :2]) for end in ends], tuple(colour.tolist()), width)
    canvas.save(path)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--detector", default=EMBEDDED_BODIES)
    arguments.add_argument("--photos", type=Path, default=FOLDER)
    arguments.add_argument("--min-share", type=float, default=0.05)
    arguments.add_argument("--device", default="auto")
    arguments.add_argument("--made", action="store_true")
    arguments.add_argument("--limit", type=int, help="photos looked at")
    arguments.add_argument("--drawn", type=Path)
    options = arguments.parse_args()
    bodies = read_bodies(options.photos)
    names = sorted({photo_of(body) for body in bodies})[: options.limit]
    images = {name: np.asarray(Image.open(options.photos / name).convert("RGB")) for name in names}
    found, speed = detect(load(options), images)
    sizes = {name: (image.shape[1], image.shape[0]) for name, image in images.items()}
    large = [
        body
        for body in bodies
        if (photo := photo_of(body)) in sizes and share_of(body, sizes[photo]) > options.min_share
    ]
    result: dict[str, Any] = {"speed": speed}
    rows: dict[str, Any] = {}
    if not options.made:
        rows = measure(large, found, sizes)
        result["quality"] = show_bodies(rows)
    if options.drawn:
        options.drawn.mkdir(parents=True, exist_ok=True)
        for name, image in images.items():
            draw_found(image, found[name], options.drawn / f"{Path(name).stem}.png")
    show(result, None)
    if options.json_out:
        options.json_out.write_text(json.dumps({**result, "bodies": rows}, indent=1))


if __name__ == "__main__":
    main()
