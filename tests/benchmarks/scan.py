"""Listing a library: a first and a second `update` beside a bare walk of the same tree, in one run; and the memory.

usage: python tests/benchmarks/scan.py [--files N] [--json OUT]

The tree holds small photos, 500 to a folder, and beside every fifth one a sidecar of Google Photos. The updates are
whole commands, start-up included, with `--stages scan`: files are listed, sidecars read and paired, no photo is opened.
The bare walk is os.scandir and a stat of each file, the least that finds out what changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import figures

FILES_PER_FOLDER = 500
FILES_PER_SIDECAR = 5
RUNS = 3
# Linux's own figure: what getrusage says includes the process that started this one.
RUN_AND_TELL_PEAK = """
import atexit, re, sys
from alignimation_index.cli import main
atexit.register(lambda: sys.stderr.write(re.search("VmHWM.*", open("/proc/self/status").read())[0]))
main()
"""


def lay_out_tree(folder: Path, count: int) -> None:
    """So many small files, each with bytes of its own."""
    for number in range(count):
        below = folder / f"{number // FILES_PER_FOLDER:04}"
        if number % FILES_PER_FOLDER == 0:
            below.mkdir(parents=True)
        name = f"IMG_{number:07}.jpg"
        (below / name).write_bytes(b"\xff\xd8\xff" + number.to_bytes(8, "big"))
        if number % FILES_PER_SIDECAR == 0:
            about = {"title": name, "photoTakenTime": {"timestamp": str(1_200_000_000 + number)}}
            (below / f"{name}.supplemental-metadata.json").write_text(json.dumps(about))


def walk_bare(folder: str) -> int:
    """Bytes of all files: every name is listed, every file asked for its size and time."""
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                size += walk_bare(entry.path)
            else:
                size += entry.stat(follow_symlinks=False).st_size
    return size


def best_of(runs: int, walk: Any) -> float:
    """The shortest time in seconds."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        walk()
        times.append(time.perf_counter() - started)
    return min(times)


def run_command(store: Path, *arguments: str) -> tuple[float, int]:
    """Seconds and peak MiB of one command."""
    command = [sys.executable, "-c", RUN_AND_TELL_PEAK, "--store", str(store), *arguments]
    # An installed program has its byte code, whatever this environment wants of a checkout.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, env=environment)
    return time.perf_counter() - started, int(done.stderr.split()[-2]) // 1024


def measure(count: int) -> dict[str, float]:
    """Lay the tree out, then time the walk and the updates."""
    with tempfile.TemporaryDirectory() as scratch:
        tree, store = Path(scratch) / "tree", Path(scratch) / "store.db"
        lay_out_tree(tree, count)
        run_command(store, "--help")  # so that the program's own files are in memory
        first, first_mb = run_command(store, "update", str(tree), "--stages", "scan")
        second_runs = [run_command(store, "update", "--stages", "scan") for _ in range(RUNS)]
        bare = best_of(RUNS, lambda: walk_bare(str(tree)))
        start_up = best_of(RUNS, lambda: run_command(Path(scratch) / "empty.db", "update", "--stages", "scan"))
    second = min(seconds for seconds, _ in second_runs)
    return {
        "photos": count,
        "sidecars": -(-count // FILES_PER_SIDECAR),
        "bare walk, s": round(bare, 3),
        "first update, s": round(first, 2),
        "second update, s": round(second, 3),
        "of which start-up, s": round(start_up, 3),
        "second update, times the bare walk": round(second / bare, 2),
        "the same without start-up": round((second - start_up) / bare, 2),
        "peak of the first update, MiB": first_mb,
        "peak of the second update, MiB": max(mb for _, mb in second_runs),
    }


def main() -> None:
    """Measure and print."""
    parser = figures.parser(__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    options = parser.parse_args()
    result = measure(options.files)
    figures.show(result, options.json_out)


if __name__ == "__main__":
    main()
