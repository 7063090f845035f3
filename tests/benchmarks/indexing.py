"""Indexing beside the published way, on the same photos in one run: time, faces found by both, landmarks, memory.

usage: python tests/benchmarks/indexing.py PHOTOS [--limit N] [--phone] [--counts 100,1000,10000] [--device D]
       [--json OUT]

The published way: open the photo, run facenet-pytorch's MTCNN on it at full size, embed each face with its
InceptionResnetV1, one photo at a time. Ours: a whole `update` into a fresh store, networks loaded before. Ratios hold
on any machine; absolute times do not. The command line then runs over as many photos, and with --counts over that many
distinct copies of them, each time for its rate and the memory of all its processes. With
--phone, all is done on the photos scaled and cropped to 4032 × 3024 (or upright), with EXIF as a phone writes it.

Of the published way's faces, a few lie at its threshold: it does not find them on the mirrored photo. Recall is told of
all of its faces, and of those that it finds again there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import figures
import numpy as np
import process_tree
import torch
from facenet_pytorch import MTCNN, InceptionResnetV1
from facenet_pytorch.models.utils.detect_face import extract_face
from PIL import Image, ImageOps
from sqlalchemy import select

from alignimation_index.children import Children
from alignimation_index.datatypes import Detections
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.scan import walk
from alignimation_index.models.faces import EMBEDDED, FaceModels, FaceModelSource, face_models
from alignimation_index.models.weights import WeightStore
from alignimation_index.pipeline.flow import processor_count
from alignimation_index.pipeline.in_children import children_for
from alignimation_index.pipeline.progress import UpdateReport
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.stages import STAGES
from alignimation_index.pipeline.update import update
from alignimation_index.stages.close_up import embed_faces
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Embedding, Face
from alignimation_index.store.tables import File

MIN_FACE_SHARE = 0.025  # of the photo's shorter side; smaller faces of the baseline do not count
SAME_FACE_IOU = 0.5
PHONE_PX = (4032, 3024)
MAKE, MODEL, EXIF_IFD, DATE_TIME_ORIGINAL = 0x010F, 0x0110, 0x8769, 0x9003  # EXIF 2.32


@dataclass(frozen=True)
class Found:
    """A face: its box and landmarks in the full photo, and our embedding of it."""

    box: np.ndarray
    landmarks: np.ndarray
    vector: np.ndarray | None = None


Faces = dict[str, list[Found]]  # by the name of the photo


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
        found[path.name] = [
            Found(np.asarray(box, float), np.asarray(points, float))
            for box, points in faces
            if max(box[2] - box[0], box[3] - box[1]) >= MIN_FACE_SHARE * shorter
        ]
    torch.set_num_threads(1)
    return time.perf_counter() - started, found


def found_again(found: Faces, paths: list[Path], find: Callable[[list[Path]], Faces]) -> Faces:
    """Those of these faces that the same way finds on the mirrored photos too."""
    with tempfile.TemporaryDirectory() as folder:
        mirrored = [Path(folder) / path.name for path in paths]
        for path, target in zip(paths, mirrored, strict=True):
            ImageOps.mirror(ImageOps.exif_transpose(Image.open(path).convert("RGB"))).save(target, quality=95)
        again = find(mirrored)
    return {path.name: [face for face in found[path.name] if _is_among(face, again, path)] for path in paths}


def _is_among(face: Found, mirrored: Faces, path: Path) -> bool:
    with Image.open(path) as image:
        width = ImageOps.exif_transpose(image).width
    boxes = [np.array([width, 0, width, 0]) + other.box[[2, 1, 0, 3]] * [-1, 1, -1, 1] for other in mirrored[path.name]]
    return any(iou(face.box, box) >= SAME_FACE_IOU for box in boxes)


def index_here(
    folder: Path, source: FaceModelSource, children: Children, stages: Sequence[str] = STAGES
) -> tuple[UpdateReport, Faces]:
    """An update of the folder into a fresh store, and the faces found."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Store.open(Path(scratch) / "store.db")
        add_roots(store, [folder])
        report = update(store, source, lambda *_: None, stages=stages, children=children)
        found: Faces = {path.name: [] for path in folder.iterdir()}
        columns = (File.path, Face.box, Face.landmarks, Embedding.vector)
        with store.reading() as session:
            faces = select(*columns).select_from(File).join(Face, Face.photo_id == File.photo_id).join(Embedding)
            for path, box, landmarks, vector in session.execute(faces):
                found[Path(path).name].append(Found(box.astype(float), landmarks.astype(float), vector))
        store.close()
    return report, found


def compare(baseline: Faces, again: Faces, ours: Faces) -> dict[str, float]:
    """Recall of the baseline's faces, and how far landmarks of the same face lie apart."""
    gaps = landmark_gaps(baseline, ours)
    return {
        "baseline faces": sum(map(len, baseline.values())),
        "our faces": sum(map(len, ours.values())),
        "recall of the baseline's": recall(baseline, ours),
        "of which found on the mirrored photo": sum(map(len, again.values())),
        "recall of these": recall(again, ours),
        "landmarks to the baseline's, median %": round(float(np.median(gaps)), 2) if gaps else float("nan"),
    }


def recall(baseline: Faces, ours: Faces) -> float:
    """The share of the baseline's faces that are among ours."""
    return round(len(landmark_gaps(baseline, ours)) / max(sum(map(len, baseline.values())), 1), 4)


def landmark_gaps(baseline: Faces, ours: Faces) -> list[float]:
    """Of each face found by both the mean distance of its landmarks, in percent of that between the eyes."""
    gaps = []
    for name, faces in baseline.items():
        for face in faces:
            same = max(ours[name], key=lambda other: iou(face.box, other.box), default=None)
            if same is not None and iou(face.box, same.box) >= SAME_FACE_IOU:
                eyes = np.linalg.norm(face.landmarks[0] - face.landmarks[1])
                gaps.append(float(100 * np.linalg.norm(face.landmarks - same.landmarks, axis=1).mean() / eyes))
    return gaps


def embedding_deviation(folder: Path, ours: Faces, models: FaceModels) -> float:
    """Mean distance of our embeddings to those cut from the photo at full size."""
    gaps = []
    for name, faces in ours.items():
        if not faces:
            continue
        boxes = np.array([face.box for face in faces], np.float32)
        landmarks = np.array([face.landmarks for face in faces], np.float32)
        full = decode((folder / name).read_bytes())
        detections = Detections(boxes, np.ones(len(faces), np.float32), landmarks)
        vectors = embed_faces([full], [detections], models.embedder)[0]
        gaps += [np.linalg.norm(face.vector - vector) for face, vector in zip(faces, vectors, strict=True)]
    return round(float(np.mean(gaps)), 3)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


def files_below(folder: Path) -> list[Path]:
    """What an update of the folder would look at."""
    return [Path(path) for files in walk(folder, lambda *_: None) for path, *_ in files]


def as_a_phone_writes(photos: Path, target: Path) -> None:
    """The pictures of a folder as 12 MP JPEGs of one shape, lying or upright, with a date and a camera."""
    exif = Image.Exif()
    exif[MAKE], exif[MODEL] = "Apple", "iPhone 8"
    exif.get_ifd(EXIF_IFD)[DATE_TIME_ORIGINAL] = "2018:05:06 07:08:09"
    for path in files_below(photos):
        picture = ImageOps.exif_transpose(Image.open(path).convert("RGB"))
        side = PHONE_PX if picture.width >= picture.height else PHONE_PX[::-1]
        ImageOps.fit(picture, side, Image.Resampling.BICUBIC).save(target / path.name, quality=90, exif=exif)


def copies(photos: Path, count: int, target: Path) -> list[Path]:
    """That many pictures of a folder, in turn, each with other bytes behind its end: other photos to the store."""
    found = files_below(photos)
    made = [target / f"{i:06}{found[i % len(found)].suffix}" for i in range(count)]
    for i, path in enumerate(made):
        path.write_bytes(found[i % len(found)].read_bytes() + i.to_bytes(4, "big"))
    return made


def rates(photos: Path, counts: list[int]) -> dict[str, float]:
    """Photos per second and the peak memory of the command line, start included, over more and more photos."""
    figures: dict[str, float] = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as scratch:
            copies(photos, count, Path(folder))
            started = time.perf_counter()
            peak_mib = process_tree.peak_mib(update_command(Path(scratch) / "store.db", Path(folder)))
            figures[f"photos/s over {count}"] = round(count / (time.perf_counter() - started), 2)
            figures[f"peak MiB over {count}"] = peak_mib
    return figures


def update_command(store: Path, folder: Path) -> list[str]:
    """The command line of an update of a folder."""
    return [sys.executable, "-m", "alignimation_index", "--store", str(store), "update", str(folder)]


def load_networks(photos: Path, source: FaceModelSource, children: Children) -> None:
    """Load the networks where they will run: in a child for each processor."""
    with tempfile.TemporaryDirectory() as folder:
        copies(photos, 4 * processor_count(), Path(folder))
        index_here(Path(folder), source, children)


def shares(report: UpdateReport) -> dict[str, str]:
    """Where our time went: milliseconds of a thread or process per photo, and the share."""
    seconds = report.profile.seconds
    total = sum(seconds.values())
    per_photo = 1000 / max(report.photos_computed, 1)
    steps = sorted(seconds.items(), key=lambda item: -item[1])
    return {f"  {step}": f"{value * per_photo:.1f} ms ({value / total:.0%})" for step, value in steps if value}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        paths = copies(options.photos, options.limit, Path(folder))
        source = face_models(EMBEDDED, WeightStore(Path(folder)), options.device)
        with closing(children_for(source)) as children:
            load_networks(options.photos, source, children)
            computed_s = process_tree.cpu_s()
            report, ours = index_here(Path(folder), source, children)
            computed_s = process_tree.cpu_s() - computed_s
        models = source.load()
        baseline_seconds, baseline = index_as_published(paths)
        again = found_again(baseline, paths, lambda mirrored: index_as_published(mirrored)[1])
        growing = rates(options.photos, [options.limit, *options.counts])
        deviation = embedding_deviation(Path(folder), ours, models)
    return {
        "photos": len(paths),
        "processors": processor_count(),
        "device": models.device,
        "baseline s/photo": round(baseline_seconds / len(paths), 3),
        "our s/photo": round(report.seconds / len(paths), 3),
        "times as fast": round(baseline_seconds / report.seconds, 1),
        "our CPU s/photo": round(computed_s / len(paths), 3),
        **shares(report),
        **compare(baseline, again, ours),
        "embeddings to those at full size, mean distance": deviation,
        **growing,
    }


def main() -> None:
    """Run the comparison and print it."""
    parser = figures.parser(__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--phone", action="store_true", help="scale and crop the photos to 12 MP first")
    parser.add_argument("--limit", type=int, default=24, help="photos to compare on")
    parser.add_argument("--counts", type=lambda text: [int(count) for count in text.split(",")], default=[])
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.phone:
            as_a_phone_writes(options.photos, Path(folder))
            options.photos = Path(folder)
        result = measure(options)
    figures.show(result, options.json_out)


if __name__ == "__main__":
    main()
