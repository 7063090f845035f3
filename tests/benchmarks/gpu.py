"""Indexing on an NVIDIA GPU: photos per second beside those of its JPEG decoder alone, and the CPU's faces again.

usage: python tests/benchmarks/gpu.py PHOTOS [--phone] [--count N] [--json OUT]

An `update` of N distinct copies of the photos into a fresh store, networks loaded before, once with all that follows
for the whole library (variants, people) and once up to there. nvJPEG decodes as many of the same photos in a process of
its own, in batches. Each photo is then indexed once on the CPU and once on the GPU, and the faces are compared; some
lie at a threshold, and are not found by the CPU itself on the mirrored photo. With --phone, all is done on the photos
scaled and cropped to 4032 × 3024 (or upright), with EXIF as a phone writes it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import figures
import numpy as np
from indexing import (
    SAME_FACE_IOU,
    Faces,
    as_a_phone_writes,
    compare,
    copies,
    files_below,
    found_again,
    index_here,
    iou,
    shares,
)

from alignimation_index.models.faces import EMBEDDED, FaceModelSource, face_models
from alignimation_index.models.weights import WeightStore
from alignimation_index.pipeline.flow import GPU_PHOTOS_PER_TASK, MAX_GPU_COMPUTERS
from alignimation_index.pipeline.in_children import children_for
from alignimation_index.pipeline.stages import PHOTO_STAGES, STAGES

DECODED_AT_ONCE = 32


def decoded_per_s(photos: list[Path], count: int) -> float:
    """Photos per second that nvJPEG decodes to pixels on the GPU."""
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg

    data = [torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8) for path in photos]
    batch = [data[i % len(data)] for i in range(DECODED_AT_ONCE)]
    for rounds in (2, count // DECODED_AT_ONCE):  # the first ones prepare it
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(rounds):
            decode_jpeg(batch, ImageReadMode.RGB, device="cuda")
        torch.cuda.synchronize()
    return round(rounds * DECODED_AT_ONCE / (time.perf_counter() - started), 1)


def indexed(photos: Path, count: int, source: FaceModelSource) -> dict[str, Any]:
    """Rates of updates, and where their time went."""
    rates: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, closing(children_for(source)) as children:
        warm = Path(folder) / "warm"
        warm.mkdir()
        copies(photos, 2 * MAX_GPU_COMPUTERS * GPU_PHOTOS_PER_TASK, warm)
        index_here(warm, source, children)
        many = Path(folder) / "many"
        many.mkdir()
        copies(photos, count, many)
        for name, stages in (("photos/s, stages of photos", PHOTO_STAGES), ("photos/s, all stages", STAGES)):
            report, _ = index_here(many, source, children, stages)
            rates[name] = round(count / report.seconds, 1)
            rates |= {f"{name}: {step}": share for step, share in shares(report).items()}
    return rates


def faces_on(device: str, folder: Path) -> Faces:
    """The faces of the photos of a folder."""
    source = face_models(EMBEDDED, WeightStore(folder), device)
    with closing(children_for(source)) as children:
        return index_here(folder, source, children)[1]


def embedding_gaps(some: Faces, others: Faces) -> list[float]:
    """Distances of the embeddings of faces found by both."""
    return [
        float(np.linalg.norm(face.vector - same.vector))
        for name in some
        for face in some[name]
        for same in others[name]
        if iou(face.box, same.box) >= SAME_FACE_IOU
    ]


def measure(photos: Path, count: int) -> dict[str, Any]:
    """All figures."""
    found = files_below(photos)
    with multiprocessing.get_context("spawn").Pool(1) as process:
        ceiling = process.apply(decoded_per_s, (found, count))
    on_cpu, on_gpu = faces_on("cpu", photos), faces_on("cuda", photos)
    again = found_again(on_cpu, found, lambda mirrored: faces_on("cpu", mirrored[0].parent))
    compared = compare(on_cpu, again, on_gpu)
    return {
        "photos": len(found),
        "decoded by nvJPEG alone, photos/s": ceiling,
        **indexed(photos, count, face_models(EMBEDDED, WeightStore(photos), "cuda")),
        "faces on the CPU": compared["baseline faces"],
        "faces on the GPU": compared["our faces"],
        "the CPU's faces on the GPU": compared["recall of the baseline's"],
        "the CPU's faces that it finds on the mirrored photo too": compared["of which found on the mirrored photo"],
        "these on the GPU": compared["recall of these"],
        "landmarks to the CPU's, median %": compared["landmarks to the baseline's, median %"],
        "embeddings to the CPU's, median distance": round(float(np.median(embedding_gaps(on_cpu, on_gpu))), 3),
    }


def main() -> None:
    """Measure and print it."""
    parser: argparse.ArgumentParser = figures.parser(__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--phone", action="store_true", help="scale and crop the photos to 12 MP first")
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.phone:
            as_a_phone_writes(options.photos, Path(folder))
            options.photos = Path(folder)
        result = measure(options.photos, options.count)
    figures.show(result, options.json_out)


if __name__ == "__main__":
    main()
