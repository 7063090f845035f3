"""How long it takes to group photos, by how many there are; and what of a fingerprint's time comes on top of a decode.

usage: python tests/benchmarks/variants.py [--photos N ...]

The library is made up: of ten photos three are a burst, one is a copy, and one is edited; all fall into busy days.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from datetime import datetime, timedelta

import numpy as np

from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.library.variants.candidates import Candidate
from alignimation_index.library.variants.groups import find_variants
from alignimation_index.stages.fingerprint import TONES_PX, fingerprint_photos

PHOTOS_PER_DAY = 300


def made_library(count: int) -> list[Candidate]:
    """Photos with random looks; see above for what is alike."""
    random = np.random.default_rng(0)
    looks = random.integers(0, 256, (count, 8 + TONES_PX**2), np.uint8)
    looks[1::10], looks[2::10], looks[5::10] = looks[0::10], looks[0::10], looks[4::10]
    looks[1::10, 0] ^= 3  # a burst differs in a few bits
    return [_photo(i, looks[i].tobytes()) for i in range(count)]


def _photo(i: int, look: bytes) -> Candidate:
    day, shot = divmod(i, PHOTOS_PER_DAY)
    taken_at = datetime(2000, 1, 1, 10) + timedelta(days=day, seconds=20 * (shot // 10) + shot % 10)
    name = f"IMG_{i - 1:06}-edited.jpg" if i % 10 == 7 else f"IMG_{i:06}.jpg"
    # A copy is dated when it was made.
    taken_at, source = (taken_at + timedelta(days=90), "mtime") if i % 10 == 5 else (taken_at, "exif")
    return Candidate(i, f"{i * 7919 % 10**9:09}", ((f"{day}", name),), look, taken_at, source, "Acme", 4000, 3000)


def main() -> None:
    """Print a line per size of the library."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, nargs="+", default=[10_000, 50_000, 100_000, 200_000])
    for count in parser.parse_args().photos:
        photos = made_library(count)
        started = time.perf_counter()
        found = find_variants(photos)
        seconds = time.perf_counter() - started
        kinds = Counter(variant.kind for variant in found if variant.rank == 0)
        print(f"{count} photos: {seconds:.1f} s, groups: {dict(sorted(kinds.items()))}")
    pixels = np.random.default_rng(0).integers(0, 256, (1080, 1440, 3), np.uint8)
    photo = DecodedPhoto(pixels, 4320, 3240, 3)
    fingerprint_photos([photo])
    started = time.perf_counter()
    fingerprint_photos([photo] * 20)
    print(f"fingerprint of 1440 × 1080 decoded pixels: {(time.perf_counter() - started) * 50:.1f} ms")


if __name__ == "__main__":
    main()
