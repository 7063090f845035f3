"""Rendering beside a bare floor: python tests/benchmarks/rendering.py PHOTOS [--frames N] [--rounds R] [--json OUT]

Photos of PHOTOS with faces on them are made 12 MP JPEGs (4000 × 3000 or upright, quality 92, with EXIF) and indexed.
Their frames, again and again until there are N, are rendered to an MP4 at 1080 × 1080. The floor, in the same run,
decodes the same files at the scale that is needed, in as many threads, and has the same encoder write stills that are
ready in memory. Rounds of both take turns. Seconds on the clock and of processors (what else the machine does weighs
on the former only), ratios of both, and the most memory that all processes held.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path

from figures import parser, show
from PIL import Image, ImageOps
from process_tree import peak_mib

from alignimation_index.datatypes import Pixels
from alignimation_index.pipeline.flow import ordered_map, pool, processor_count
from alignimation_index.query.frames import Frame, select_frames
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.render.files.encode import FilmFormat, open_animation
from alignimation_index.render.film.film import Film, Look, render_film
from alignimation_index.render.film.tracks import evenly
from alignimation_index.render.stills.framing import Framing, canvas_from_template
from alignimation_index.render.stills.take import AHEAD, still_of
from alignimation_index.render.stills.warp import decode_side_needed
from alignimation_index.similarity import compose
from alignimation_index.store.engine import Store

FPS, FRAMING = 25, Framing(1080, 1080)
LONG_SIDE, SHORT_SIDE, QUALITY = 4000, 3000, 92


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("photos", type=Path)
    arguments.add_argument("--frames", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--only", choices=["ours", "floor"], help="what the processes are that are measured")
    options = arguments.parse_args()
    if options.only:
        run(options.only, options.photos, options.frames)
        return
    with tempfile.TemporaryDirectory() as folder:
        show(compare(options.photos, Path(folder), options.frames, options.rounds), options.json_out)


def compare(photos: Path, folder: Path, count: int, rounds: int) -> dict[str, object]:
    made = make_photos(photos, folder / "photos")
    environment = os.environ | {"ALIGNINDEX_STORE": str(folder / "store"), "ALIGNINDEX_OFFLINE": "1"}
    update = [sys.executable, "-m", "alignimation_index", "update", str(folder / "photos")]
    subprocess.run(update, env=environment, check=True, stdout=subprocess.DEVNULL)
    seconds, cpu_seconds, peaks = ({"floor": 0.0, "ours": 0.0} for _ in range(3))
    for name in ("floor", "ours") * rounds:
        command = [sys.executable, __file__, str(folder), "--only", name, "--frames", str(count)]
        peaks[name] = max(peaks[name], peak_mib(command))
        on_the_clock, computing = json.loads((folder / f"{name}.json").read_text())
        seconds[name] += on_the_clock
        cpu_seconds[name] += computing
    return {
        "photos": made,
        "frames": count,
        "rounds": rounds,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "ratio": round(seconds["ours"] / seconds["floor"], 2),
        "processor seconds": {name: round(value, 1) for name, value in cpu_seconds.items()},
        "processor ratio": round(cpu_seconds["ours"] / cpu_seconds["floor"], 2),
        "peak MiB": peaks,
        "processors": processor_count(),
    }


def make_photos(source: Path, target: Path) -> int:
    """Make 12 MP JPEGs of pictures, cropped to 4:3."""
    target.mkdir()
    paths = sorted(source.glob("*.jpg"))
    for index, path in enumerate(paths):
        picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        size = (LONG_SIDE, SHORT_SIDE) if picture.width > picture.height else (SHORT_SIDE, LONG_SIDE)
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"{2000 + index % 20}:01:01 12:00:00"
        ImageOps.fit(picture, size).save(target / f"{index:03}.jpg", quality=QUALITY, exif=exif)
    return len(paths)


def run(name: str, folder: Path, count: int) -> None:
    """Render, or do what cannot be done without, and leave how long it took."""
    with closing(Store.open(folder / "store")) as store, store.reading() as session:
        found = [frame for frame in select_frames(session, FrameFilter()) if frame.template_from_photo is not None]
    frames = list(islice(cycle(found), count))
    out = folder / f"{name}.mp4"
    ready = [still_of(frame, FRAMING).pixels for frame in found] if name == "floor" else []
    began, computed = time.perf_counter(), computing_s()
    if name == "floor":
        floor(frames, ready, out)
    else:
        render_film(Film([evenly(frames, FPS)], Look(FRAMING, fps=FPS)), out)
    (folder / f"{name}.json").write_text(json.dumps([time.perf_counter() - began, computing_s() - computed]))


def computing_s() -> float:
    """Seconds that this process, and those that it has seen end, have computed for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def floor(frames: list[Frame], ready: list[Pixels], out: Path) -> None:
    with open_animation(out, FilmFormat(FPS, *FRAMING.size)) as animation:
        for pixels, _ in zip(cycle(ready), decoded(frames), strict=False):
            animation.write(pixels)


def decoded(frames: list[Frame]) -> Iterator[None]:
    with pool(processor_count(), "floor") as executor:
        yield from ordered_map(executor, decode_only, frames, processor_count() + AHEAD)


def decode_only(frame: Frame) -> None:
    side = decode_side_needed(
        compose(canvas_from_template(FRAMING), frame.template_from_photo), frame.width_px, frame.height_px
    )
    with Image.open(io.BytesIO(Path(frame.path).read_bytes())) as image:
        image.draft(None, (side, side))
        image.load()


if __name__ == "__main__":
    main()
