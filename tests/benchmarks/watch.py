"""Watch a folder into which another process copies photos, and compare the store with that of a fresh update.

usage: PYTHONPATH=.:tests:tests/pipeline python tests/benchmarks/watch.py [--photos 2000] [--seconds 90] [--kills 10]

Small distinct photos come slowly and in pieces, in folders made for them; meanwhile a tenth of them is renamed, a
twentieth deleted and a fortieth replaced. With --kills, the watch is killed (SIGKILL) and started again so many times.
The networks are fakes that recognise drawn faces, so that what is measured is the watching.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import figures
from fakes import COLOURS, FakeModels, Held, draw_photo, held, index
from watched import Watched

from alignimation_index.pipeline.progress import UpdateReport
from alignimation_index.store.engine import Store

PHOTOS_PER_FOLDER = 100
CATCH_UP_S = 120


def draw(folder: Path, count: int) -> list[Path]:
    """That many distinct photos of one to three people."""
    people, chance = list(COLOURS), random.Random(1)
    drawn = []
    for i in range(count):
        shown = chance.sample(people, chance.randint(1, 3))
        path = draw_photo(folder / f"{i:05}.jpg", *shown, shade=60 + i % 100)
        path.write_bytes(path.read_bytes() + i.to_bytes(4, "big"))
        drawn.append(path)
    return drawn


class Copier:
    """Another program that fills a folder, and changes what it has put there."""

    def __init__(self, folder: Path, seconds_per_photo: float) -> None:
        self.folder, self.seconds_per_photo = folder, seconds_per_photo
        self.there: list[Path] = []
        self.chance = random.Random(2)

    def run(self, drawn: list[Path], spare: list[Path]) -> None:
        """Copy everything, with a rename, a deletion or a replacement in between."""
        for i, source in enumerate(drawn):
            self.copy(source, self.folder / f"{i // PHOTOS_PER_FOLDER:03}" / source.name)
            if i % 10 == 9:
                self.rename()
            if i % 20 == 19:
                self.taken().unlink()
            if i % 40 == 39:
                target = self.taken()
                self.copy(spare.pop(), target)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file in two pieces."""
        data = source.read_bytes()
        target.parent.mkdir(exist_ok=True, parents=True)
        with target.open("wb", buffering=0) as file:
            for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
                file.write(piece)
                time.sleep(self.seconds_per_photo / 2)
        self.there.append(target)

    def rename(self) -> None:
        """Move a photo into another folder."""
        path = self.taken()
        target = self.folder / f"moved {self.chance.randint(0, 9)}" / path.name
        target.parent.mkdir(exist_ok=True)
        self.there.append(path.rename(target))

    def taken(self) -> Path:
        """One of the photos that are there, no longer counted among them."""
        return self.there.pop(self.chance.randrange(len(self.there)))


def watch_while_copying(watched: Watched, copying: multiprocessing.Process, kills: int, seconds: float) -> None:
    """Start both; kill the watch and start it again, at random moments."""
    chance = random.Random(3)
    watched.start(poll=60, tick=0.5)
    copying.start()
    for _ in range(kills):
        copying.join(chance.uniform(0.5, 1.5) * seconds / (kills + 1))
        watched.stop(signal.SIGKILL)
        watched.start(wait=False, poll=60, tick=0.5)
    copying.join()


def seconds_until(watched: Watched, expected: Held) -> float | None:
    """How long it takes the watch to have caught up; None if it never does."""
    started = time.monotonic()
    while time.monotonic() - started < CATCH_UP_S:
        if held(watched.store) == expected:
            return time.monotonic() - started
        time.sleep(0.2)
    return None


def measure(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Run it."""
    drawn = draw(scratch / "drawn", options.photos + options.photos // 40)
    folder = scratch / "photos"
    folder.mkdir()
    watched = Watched(Store.open(scratch / "store.db"), folder, settle=2)
    copier = Copier(folder, options.seconds / options.photos)
    work = (drawn[: options.photos], drawn[options.photos :])
    watch_while_copying(watched, multiprocessing.Process(target=copier.run, args=work), options.kills, options.seconds)
    copied = time.monotonic()
    fresh, report = fresh_update(scratch, folder)
    caught_up = seconds_until(watched, fresh)
    behind = time.monotonic() - copied
    status = Path(f"/proc/{watched.process.pid}/status").read_text()
    code, stopped = watched.stop()
    return {
        "photos copied / renamed / deleted / replaced": "{} / {} / {} / {}".format(
            *(options.photos // share for share in (1, 10, 20, 40))
        ),
        "SIGKILLs": options.kills,
        "files at the end": report.files_seen,
        "store equals that of a fresh update": "yes" if caught_up is not None else "NO",
        "caught up after the last change, s (at most)": round(behind, 1),
        "rounds that did something": sum("files new or changed" in line for line in watched.lines),
        "warnings and errors": sum(line.startswith(("Warning", "Error")) for line in watched.lines),
        "peak memory of the watch, MiB": int(status.split("VmHWM:")[1].split()[0]) // 1024,
        "exit code after SIGTERM, seconds": f"{code}, {stopped:.1f}",
    }


def fresh_update(scratch: Path, folder: Path) -> tuple[Held, UpdateReport]:
    """What an update into a new store finds."""
    store = Store.open(scratch / "fresh.db")
    report = index(store, FakeModels(), folder)
    return held(store), report


def main() -> None:
    """Run it and print it."""
    parser = figures.parser(__doc__)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=90, help="that the copying takes")
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(options, Path(scratch))
    figures.show(result, options.json_out)


if __name__ == "__main__":
    main()
