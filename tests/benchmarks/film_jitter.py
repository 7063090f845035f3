"""How steady a film is: where the eyes are on its pictures, by annotations and by the detector.

usage: python tests/benchmarks/film_jitter.py --store STORE --library LIBRARY --out FILM [--size 720] [--frontal]
       [--json OUT]

STORE is an index of LIBRARY, whose truth.csv tells where the eyes truly are on each photo. All annotated faces become
one film, cut, a picture per photo, which is written to FILM and read back. "true" are the annotated eyes, carried to
the picture by the transform that the film's record has; "found" those that the detector finds on the film's picture.
Wander is the distance from an eye to its mean place, the mean of both eyes, in pixels of a picture of 720; a jump is
how far the middle of the eyes moves from one picture to the next.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import figures
import imageio.v3 as iio
import numpy as np

from alignimation_index import similarity
from alignimation_index.models.mtcnn import MtcnnDetector
from alignimation_index.models.onet_refiner import OnetRefiner
from alignimation_index.query.frames import Frame, select_frames
from alignimation_index.query.language.expression import parse_expression
from alignimation_index.render.film.film import Film, Look
from alignimation_index.render.film.record import read_record, record_path, render_recorded
from alignimation_index.render.film.tracks import Track, evenly
from alignimation_index.render.stills.framing import Framing, canvas_from_template
from alignimation_index.store.engine import Store

FPS = 12.0
SHOWN_PX = 720
EYES = [(f"eye_img{side}_x", f"eye_img{side}_y") for side in ("left", "right")]

Points = np.ndarray[Any, np.dtype[np.float64]]


def annotated(library: Path) -> dict[str, Points]:
    """(2, 2) true eyes in pixels of each photo, by its path."""
    rows = csv.DictReader((library / "truth.csv").open())
    return {
        str((library / row["path"]).resolve()): np.array([[float(row[x]), float(row[y])] for x, y in EYES])
        for row in rows
    }


def labelled(store: Path, eyes: dict[str, Points], frontal: bool) -> list[Frame]:
    """The annotated face of each photo, in the order of time: the one whose eyes are nearest to the true ones."""
    with closing(Store.open(store)) as opened, opened.reading() as session:
        found = select_frames(session, parse_expression("frontal:yes" if frontal else ""))
    nearest: dict[str, tuple[float, Frame]] = {}
    for frame in found:
        truth = eyes.get(str(Path(frame.path).resolve()))
        if truth is None or frame.template_from_photo is None:
            continue
        off = float(np.abs(frame.landmarks[:2] - truth).max() / np.ptp(truth[:, 0]))
        if off < 0.5 and off < nearest.get(frame.path, (np.inf, frame))[0]:
            nearest[frame.path] = off, frame
    return [frame for _, frame in nearest.values()]


def true_eyes(track: Track, framing: Framing, eyes: dict[str, Points]) -> Points:
    """(N, 2, 2) true eyes in pixels of the film's picture of each photo that is there."""
    shown = [frame for index, frame in enumerate(track.frames) if index not in track.missing]
    matrices = similarity.compose(canvas_from_template(framing), [frame.template_from_photo for frame in shown])
    return similarity.apply(matrices, [eyes[str(Path(frame.path).resolve())] for frame in shown])


def found_eyes(film: Path, expected: Points) -> Iterator[Points]:
    """(2, 2) eyes that the detector finds on each picture of a film, of the face nearest to where one is expected."""
    detector, refiner = MtcnnDetector(), OnetRefiner()
    for picture, middle in zip(iio.imiter(film), expected.mean(1), strict=True):
        pixels = np.ascontiguousarray(picture[..., :3])
        (faces,) = detector.detect([pixels], [0.1 * min(pixels.shape[:2])])
        if not len(faces):
            yield np.full((2, 2), np.nan)
            continue
        (refined,) = refiner.refine([pixels], [faces.landmarks])
        centres = refined[:, :2].mean(1)
        yield refined[int(np.linalg.norm(centres - middle, axis=1).argmin()), :2].astype(float)


def steadiness(eyes: Points, size_px: int) -> dict[str, float]:
    """Median and 95th percentile of wander and jumps, in pixels of a picture of SHOWN_PX."""
    scaled = eyes[np.isfinite(eyes).all((1, 2))] * SHOWN_PX / size_px
    wander = np.linalg.norm(scaled - scaled.mean(0), axis=-1).mean(1)
    jumps = np.linalg.norm(np.diff(scaled.mean(1), axis=0), axis=-1)
    return {
        f"{name} {label} px": round(float(np.percentile(values, share)), 2)
        for name, values in (("wander", wander), ("jump", jumps))
        for label, share in (("median", 50), ("p95", 95))
    }


def main() -> None:
    """Render, read back, measure."""
    arguments = figures.parser(__doc__)
    for name in ("--store", "--library", "--out"):
        arguments.add_argument(name, type=Path, required=True)
    arguments.add_argument("--size", type=int, default=SHOWN_PX)
    arguments.add_argument("--frontal", action="store_true")
    given = arguments.parse_args()
    eyes = annotated(given.library)
    frames = labelled(given.store, eyes, given.frontal)
    look = Look(Framing(given.size, given.size), fps=FPS)
    report = render_recorded(Film([evenly(frames, FPS)], look, "film_jitter"), given.out)
    (track,) = read_record(record_path(given.out)).tracks
    true = true_eyes(track, look.framing, eyes)
    found = np.array(list(found_eyes(given.out, true)))
    figures.show(
        {
            "pictures": report.frame_count,
            "photos left out": len(report.left_out),
            "pictures on which a face is found": int(np.isfinite(found).all((1, 2)).sum()),
            "true": steadiness(true, given.size),
            "found": steadiness(found, given.size),
        },
        given.json_out,
    )


if __name__ == "__main__":
    main()
