"""Near-duplicates: frames of one sitting that look the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignimation_index.library.variants.similar import BURST_BITS, BURST_MEAN_TONE
from alignimation_index.query.choosing.preference import LeftOut, Preference
from alignimation_index.query.frames import Frame

SITTING = timedelta(minutes=10)
"""So soon after each other photos are of one sitting; that they look alike is asked as of a burst."""
REASON = "it looks like another photo of the same minutes (--all-alike keeps it)"
TWICE = "the person is on this photo twice"

_OPEN_GROUPS = 16
_HASH_BYTES = 8


def near_duplicates(frames: Sequence[Frame], preference: Preference) -> list[LeftOut]:
    """Of frames in the order of time: those that look like a better one of the same sitting.

    A frame joins a group whose latest is at most SITTING older, and whose first it looks like, so that a slow change
    does not make one group of an afternoon.
    """
    left_out: list[LeftOut] = []
    for group in _groups(frames):
        left_out += preference.others(group, REASON)
    return left_out


def twice_on_a_photo(frames: Sequence[Frame], preference: Preference) -> list[LeftOut]:
    """Second frames of a photo: a mirror, a poster, a collage."""
    of_photo: dict[str, list[Frame]] = {}
    for frame in frames:
        of_photo.setdefault(frame.content_hash, []).append(frame)
    several = [group for group in of_photo.values() if len(group) > 1]
    left_out: list[LeftOut] = []
    for group in several:
        best = max(group, key=preference.rank)
        left_out += [LeftOut(frame, TWICE, best) for frame in group if frame is not best]
    return left_out


class Look(NamedTuple):
    """What a photo looks like from afar, see stages.fingerprint: its hash as a number, and its tones."""

    bits: int
    tones: NDArray[np.int16]

    @classmethod
    def of(cls, fingerprint: bytes) -> Look:
        """Read a fingerprint."""
        bits, tones = fingerprint[:_HASH_BYTES], fingerprint[_HASH_BYTES:]
        return cls(int.from_bytes(bits, "big"), np.frombuffer(tones, np.uint8).astype(np.int16))

    def is_like(self, other: Look) -> bool:
        """Whether two photos look alike as those of a burst do."""
        if (self.bits ^ other.bits).bit_count() > BURST_BITS:
            return False
        return bool(np.abs(self.tones - other.tones).mean() <= BURST_MEAN_TONE)


def _groups(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames of one sitting that look like the first of them."""
    running: list[tuple[Look, list[Frame]]] = []
    done: list[list[Frame]] = []
    for frame in frames:
        if frame.taken_at is None or not frame.fingerprint:
            continue
        look = Look.of(frame.fingerprint)
        running = [(first, group) for first, group in running if _is_of_sitting(frame, group[-1])][-_OPEN_GROUPS:]
        group = next((group for first, group in running if look.is_like(first)), None)
        if group is None:
            group = []
            running.append((look, group))
            done.append(group)
        group.append(frame)
    return [group for group in done if len(group) > 1]


def _is_of_sitting(frame: Frame, before: Frame) -> bool:
    return bool(frame.taken_at and before.taken_at and frame.taken_at - before.taken_at <= SITTING)
