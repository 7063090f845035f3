"""Variants that look alike: copies of one picture, and bursts. No step grows with the square of the photos."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignimation_index.library.variants.candidates import Candidate

# A picture that was encoded again, or scaled: so many bits of the hash and so much of 255 in any tone, and in the mean.
# Photos that cameras date differently are of two moments, unless there is no telling them apart.
COPY_BITS, COPY_TONE, COPY_MEAN_TONE = 3, 10.0, 1.5
TWIN_BITS, TWIN_TONE, TWIN_MEAN_TONE = 2, 3.0, 0.6
COPY_ASPECT = 0.015

# Photos of a burst: so soon after each other, so alike to the first one.
BURST_GAP = timedelta(seconds=3)
BURST_BITS, BURST_MEAN_TONE = 14, 20.0

# Of 5 parts of two hashes that differ in 3 bits, 2 are equal.
_BANDS = np.cumsum([0, 13, 13, 13, 13, 12])
# So many of those alike in 2 parts are compared with each: more than that are no copies, but a kind of picture.
_NEIGHBOURS = 64
_OPEN_BURSTS = 16

Bits = NDArray[np.bool_]
Tones = NDArray[np.int16]


class Looks(NamedTuple):
    """What photos look like: (N, 64) bits of their hashes, and (N, M) tones."""

    bits: Bits
    tones: Tones

    @classmethod
    def of(cls, photos: list[Candidate]) -> Looks:
        """Unpack the fingerprints of photos that have one."""
        packed = np.frombuffer(b"".join(photo.fingerprint or b"" for photo in photos), np.uint8)
        packed = packed.reshape(len(photos), -1)
        return cls(np.unpackbits(packed[:, :8], axis=1).astype(bool), packed[:, 8:].astype(np.int16))


def copies(photos: list[Candidate], looks: Looks) -> Iterator[tuple[int, int]]:
    """Pairs of positions in `photos`, sorted by content, that show one picture, encoded or scaled differently."""
    first, second = _near_hashes(looks.bits)
    bits = np.count_nonzero(looks.bits[first] != looks.bits[second], axis=1)
    near = bits <= COPY_BITS
    first, second, bits = first[near], second[near], bits[near]
    tones = np.abs(looks.tones[first] - looks.tones[second])
    most, mean = tones.max(1, initial=0), tones.mean(1) if len(tones) else np.zeros(0)
    copy = (most <= COPY_TONE) & (mean <= COPY_MEAN_TONE)
    twin = (bits <= TWIN_BITS) & (most <= TWIN_TONE) & (mean <= TWIN_MEAN_TONE)
    for one, other, is_twin in zip(*(some[copy].tolist() for some in (first, second, twin)), strict=True):
        if _same_shape(photos[one], photos[other]) and (is_twin or not photos[one].is_of_another_moment(photos[other])):
            yield one, other


def bursts(photos: list[Candidate], looks: Looks) -> Iterator[tuple[int, int]]:
    """Pairs of positions in `photos`: the first of a burst and another one of it.

    A photo belongs to a burst whose last one is at most BURST_GAP older, and whose first it looks like.
    """
    dated = [i for i, photo in enumerate(photos) if photo.has_moment]
    dated.sort(key=lambda i: (photos[i].taken_at, photos[i].content_hash))
    running: list[tuple[int, int]] = []  # (first, last) of each burst that may go on
    for i in dated:
        running = [pair for pair in running if _is_soon_after(photos[i], photos[pair[1]])][-_OPEN_BURSTS:]
        first = next((first for first, _ in running if _is_of_burst(i, first, photos, looks)), None)
        if first is not None:
            yield first, i
            running = [pair for pair in running if pair[0] != first]
        running.append((i if first is None else first, i))


def _near_hashes(bits: Bits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows that have two parts of their hashes in common, each once, the lower one first."""
    pairs = [np.zeros(0, np.int64)]
    for parts in combinations(range(5), 2):
        columns = np.concatenate([np.arange(_BANDS[part], _BANDS[part + 1]) for part in parts])
        pairs += _equal_rows(bits[:, columns], len(bits))
    both = np.unique(np.concatenate(pairs))
    return both // max(len(bits), 1), both % max(len(bits), 1)


def _equal_rows(bits: Bits, count: int) -> Iterator[NDArray[np.int64]]:
    """Pairs of rows with the same bits, as first × count + second; of many alike, those that lie near each other."""
    weights = 1 << np.arange(bits.shape[1], dtype=np.int64)
    keys = bits @ weights
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    for distance in range(1, min(_NEIGHBOURS, count - 1) + 1):
        equal = np.flatnonzero(keys[distance:] == keys[:-distance])
        if not len(equal):
            return
        yield order[equal] * count + order[equal + distance]


def _same_shape(one: Candidate, other: Candidate) -> bool:
    if not (one.aspect and other.aspect):
        return False
    return abs(one.aspect / other.aspect - 1) <= max(COPY_ASPECT, 1.5 / min(one.shorter_side, other.shorter_side))


def _is_soon_after(photo: Candidate, before: Candidate) -> bool:
    return bool(photo.taken_at and before.taken_at and photo.taken_at - before.taken_at <= BURST_GAP)


def _is_of_burst(i: int, first: int, photos: list[Candidate], looks: Looks) -> bool:
    if photos[i].camera != photos[first].camera or not _same_shape(photos[i], photos[first]):
        return False
    if np.count_nonzero(looks.bits[i] != looks.bits[first]) > BURST_BITS:
        return False
    return bool(np.abs(looks.tones[i] - looks.tones[first]).mean() <= BURST_MEAN_TONE)
