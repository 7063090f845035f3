"""Indexing beside the published way, on the same photos in one run: time, faces found by both, landmarks, memory.

usage: python tests/benchmarks/indexing.py PHOTOS [--limit N] [--json OUT]

The published way: open the photo, run facenet-pytorch's MTCNN on it at full size, embed each face with its
InceptionResnetV1, one photo at a time. Ours: a whole `update` into a fresh store. Ratios hold on any machine; absolute
times do not.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from facenet_pytorch import MTCNN, InceptionResnetV1
from facenet_pytorch.models.utils.detect_face import extract_face
from PIL import Image, ImageOps
from rich.console import Console
from rich.table import Table

from alignimation_index.library.scan import walk
from alignimation_index.models.faces import EMBEDDED, face_models
from alignimation_index.models.weights import WeightStore
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.update import processor_count, update
from alignimation_index.query.expression import FrameFilter
from alignimation_index.query.frames import select_frames
from alignimation_index.store.engine import Store

MIN_FACE_SHARE = 0.025  # of the photo's shorter side; smaller faces of the baseline do not count
SAME_FACE_IOU = 0.5

Faces = dict[str, list[tuple[np.ndarray, np.ndarray]]]  # path → (box, landmarks) of each face


@torch.inference_mode()
def index_as_published(paths: list[Path]) -> tuple[float, Faces]:
    """Seconds, and the faces found, on all processors. The embedder's weights do not matter for its time."""
    torch.set_num_threads(processor_count())  # loading our networks has set it to one
    mtcnn, embedder = MTCNN(keep_all=True), InceptionResnetV1(pretrained=None).eval()
    started, found = time.perf_counter(), {}
    for path in paths:
        photo = ImageOps.exif_transpose(Image.open(path).convert("RGB"))
        boxes, _, landmarks = mtcnn.detect(photo, landmarks=True)
        faces = [] if boxes is None else list(zip(boxes, landmarks, strict=True))
        for box, _ in faces:
            embedder((extract_face(photo, box).float()[None] - 127.5) / 128)
        shorter = min(photo.size)
        found[str(path)] = [
            (np.asarray(box, float), np.asarray(points, float))
            for box, points in faces
            if max(box[2] - box[0], box[3] - box[1]) >= MIN_FACE_SHARE * shorter
        ]
    return time.perf_counter() - started, found


def index_here(paths: list[Path]) -> tuple[float, Faces]:
    """Seconds of an update into a fresh store, networks loaded, and the faces found."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "store.db")
        source = face_models(EMBEDDED, WeightStore(Path(folder)))
        models = source.load()
        add_roots(store, paths)
        started = time.perf_counter()
        update(store, type(source)(source.ids, lambda: models), lambda *_: None)
        seconds = time.perf_counter() - started
        found: Faces = {str(path): [] for path in paths}
        with store.reading() as session:
            for frame in select_frames(session, FrameFilter()):
                found[frame.path].append((frame.box.astype(float), frame.landmarks.astype(float)))
        store.close()
    return seconds, found


def compare(baseline: Faces, ours: Faces) -> dict[str, float]:
    """Recall of the baseline's faces, and how far landmarks of the same face lie apart."""
    gaps = []
    for path, faces in baseline.items():
        for box, landmarks in faces:
            overlap, other = max(
                ((iou(box, b), points) for b, points in ours[path]), key=lambda pair: pair[0], default=(0, None)
            )
            if other is not None and overlap >= SAME_FACE_IOU:
                eyes = np.linalg.norm(landmarks[0] - landmarks[1])
                gaps.append(100 * np.linalg.norm(landmarks - other, axis=1).mean() / eyes)
    faces = sum(map(len, baseline.values()))
    return {
        "baseline_faces": faces,
        "our_faces": sum(map(len, ours.values())),
        "recall": round(len(gaps) / max(faces, 1), 4),
        "landmark_deviation_median_percent": round(float(np.median(gaps)), 2) if gaps else float("nan"),
    }


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


def copies(folder: Path, limit: int, target: Path) -> list[Path]:
    """The first pictures of a folder, copied to where nothing else is."""
    found = [file.path for file in walk(folder, lambda *_: None)][:limit]
    return [Path(shutil.copy(path, target / f"{i:04}{Path(path).suffix}")) for i, path in enumerate(found)]


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--json", type=Path, dest="json_out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = copies(options.photos, options.limit, Path(folder))
        our_seconds, ours = index_here(paths)
        our_peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        baseline_seconds, baseline = index_as_published(paths)
    result: dict[str, Any] = {
        "photos": len(paths),
        "processors": processor_count(),
        "baseline_s_per_photo": round(baseline_seconds / len(paths), 3),
        "our_s_per_photo": round(our_seconds / len(paths), 3),
        "times_as_fast": round(baseline_seconds / our_seconds, 1),
        "our_peak_mb": our_peak_mb,
        **compare(baseline, ours),
    }
    table = Table("figure", "value")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)
    if options.json_out:
        options.json_out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
