"""An update over damaged files: does it end, with each file a photo or an error, and with how much memory?

usage: python tests/benchmarks/fuzz.py PHOTOS [--count 500] [--seed 0] [--keep FOLDER]

The files are made from those of PHOTOS, as many from each format: bytes flipped, ends cut off, runs inserted. With
--count 0 the update runs over PHOTOS as they are. It is the real one, with the embedded networks, in a process of its
own.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

import process_tree


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A file with some bytes flipped, its end cut off, or a run inserted: one to three of them."""
    changed = bytearray(data)
    for damage in chance.sample([flip, cut, insert], chance.randint(1, 3)):
        damage(changed, chance)
    return bytes(changed)


def flip(data: bytearray, chance: random.Random) -> None:
    """Flip up to 20 bits; half of the time in the header, where sizes and offsets are."""
    end = min(len(data), 1000) if chance.random() < 0.5 else len(data)
    for _ in range(chance.randint(1, 20) if end else 0):
        data[chance.randrange(end)] ^= 1 << chance.randrange(8)


def cut(data: bytearray, chance: random.Random) -> None:
    """Keep a random part from the start."""
    del data[chance.randint(0, len(data)) :]


def insert(data: bytearray, chance: random.Random) -> None:
    """Insert a run of one byte, or of random ones."""
    position, length = chance.randint(0, len(data)), chance.randint(1, 5000)
    data[position:position] = chance.choice([bytes(length), b"\xff" * length, chance.randbytes(length)])


def make_files(photos: Path, folder: Path, count: int, seed: int) -> None:
    """Write `count` damaged files, the formats in turn."""
    by_suffix: dict[str, list[Path]] = {}
    for path in sorted(photos.rglob("*")):
        if path.is_file() and path.suffix.lower() not in (".csv", ".json", ".txt"):
            by_suffix.setdefault(path.suffix.lower(), []).append(path)
    chance, turns = random.Random(seed), cycle(by_suffix.values())
    for number in range(count):
        original = chance.choice(next(turns))
        (folder / f"{number:05}{original.suffix}").write_bytes(damaged(original.read_bytes(), chance))


def alignindex(store: Path, *arguments: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "alignimation_index", "--store", str(store), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def report(folder: Path, store: Path) -> dict[str, object]:
    """Update a new store with a folder; figures of the run and of what the store holds then."""
    started = time.perf_counter()
    options = ["--store", str(store), "update", "--embedder", "dlib-resnet", str(folder)]
    peak_mib = process_tree.peak_mib([sys.executable, "-m", "alignimation_index", *options])
    seconds = time.perf_counter() - started
    errors = json.loads(alignindex(store, "errors", "--json"))
    photos = json.loads(alignindex(store, "photos", "--json"))
    good = {path for photo in photos if photo["status"] == "ok" for path in photo["paths"]}
    failed = {error["path"] for error in errors}
    reasons = Counter(error["reason"].partition(":")[0] for error in errors)
    files = {str(path) for path in folder.rglob("*") if path.is_file() and path.suffix != ".csv"}
    return {
        "files": len(files),
        "photos": len(good),
        "errors": len(failed),
        "decoders that died": sum(n for reason, n in reasons.items() if reason.startswith("what reads it")),
        "of which hung": reasons.get("what reads it took too long", 0),
        "neither photo nor error": sorted(files - good - failed),
        "seconds": round(seconds, 1),
        "peak memory of all processes, MiB": peak_mib,
        "reasons": dict(reasons.most_common()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="where the damaged files and the store are left")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        folder = arguments.photos.resolve()
        if arguments.count:
            folder = work.resolve() / "damaged"
            folder.mkdir(parents=True)
            make_files(arguments.photos, folder, arguments.count, arguments.seed)
        for name, value in report(folder, work / "store" / "store.db").items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
