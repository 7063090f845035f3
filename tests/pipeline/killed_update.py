"""Run updates that are killed at random moments, then one to the end: killed_update.py STORE PHOTOS SEED KILLS."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import alembic.command  # noqa: F401 - here once: the children need no seconds for it
from fakes import FakeModels, index

from alignimation_index.pipeline import update
from alignimation_index.store.engine import Store


def main() -> None:
    store, photos, seed, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    moments = random.Random(seed)
    killed = sum(run_and_kill(store, photos, moments) for _ in range(kills))
    print(killed, flush=True)  # noqa: T201
    run(store, photos, os.open(os.devnull, os.O_WRONLY))


def run_and_kill(store: Path, photos: Path, moments: random.Random) -> bool:
    """Kill an update some milliseconds after a detection; whether that was before its end."""
    seen, sees = os.pipe()
    child = os.fork()
    if child == 0:
        run(store, photos, sees)
    os.close(sees)
    for _ in range(moments.randint(0, 5)):
        os.read(seen, 1)
    time.sleep(moments.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.close(seen)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def run(store: Path, photos: Path, sees: int) -> None:
    """Update, and tell of each detection by a byte."""
    update.PHOTOS_PER_COMMIT = 3

    def detecting(_: object) -> None:
        os.write(sees, b".")
        time.sleep(0.005)

    index(Store.open(store), FakeModels(before={"detector": detecting}), photos)
    os._exit(0)


if __name__ == "__main__":
    main()
