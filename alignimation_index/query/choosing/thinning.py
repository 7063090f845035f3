"""Fewer frames, evenly over time: the best one of each of equal slots of time."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
Indices = NDArray[np.int64]

_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Candidates:
    """N frames to choose among, in the order of time.

    Attributes:
        times_s: (N,) strictly rising seconds.
        order: (N,) their indices, the best first, pinned ones before all others.
        pinned: (N,) bool, those that are never thinned out.
    """

    times_s: Times
    order: Indices
    pinned: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def span_s(self) -> float:
        """From the first frame to the last."""
        return float(self.times_s[-1] - self.times_s[0]) if len(self) else 0.0


def best_per_slot(candidates: Candidates, slot_s: float) -> Indices:
    """The best of each slot of so many seconds, counted from the first frame, and all that are pinned; rising."""
    slots = np.floor((candidates.times_s - candidates.times_s[0]) / slot_s)
    _, first = np.unique(slots[candidates.order], return_index=True)
    kept = candidates.pinned.copy()
    kept[candidates.order[first]] = True
    return np.flatnonzero(kept)


def finest(candidates: Candidates, fits: Callable[[Indices, float], bool]) -> tuple[Indices, float]:
    """The smallest slots (and what they keep) of which `fits(kept, slot_s)` holds; it must hold for one slot in all."""
    large, small = 2 * candidates.span_s + 1, 0.5 * float(np.diff(candidates.times_s).min(initial=1.0))
    kept = best_per_slot(candidates, small)
    if fits(kept, small):
        return kept, small
    for _ in range(_HALVINGS):
        middle = (large * small) ** 0.5
        large, small = (middle, small) if fits(best_per_slot(candidates, middle), middle) else (large, middle)
    return best_per_slot(candidates, large), large


def thin(candidates: Candidates, count: int) -> Indices:
    """So many frames, all pinned ones among them: the best of equal slots of time, then the best of what is left."""
    if len(candidates) <= count:
        return np.arange(len(candidates))
    kept, _ = finest(candidates, lambda some, _: len(some) <= count)
    others = candidates.order[~np.isin(candidates.order, kept)]
    return np.sort(np.concatenate([kept, others[: max(count - len(kept), 0)]]))


def with_others(candidates: Candidates, kept: Indices, slot_s: float, most: int) -> Indices:
    """Add frames, the best first and at most to so many, where a slot's border parted no crowd.

    Each, and its neighbours, must stand for a slot of time or more.
    """
    chosen, times = kept.tolist(), candidates.times_s[kept].tolist()
    for index in candidates.order[~np.isin(candidates.order, kept)].tolist():
        time = float(candidates.times_s[index])
        place = bisect(times, time)
        before, after = times[max(place - 2, 0) : place], times[place : place + 2]
        near = cells(np.array([*before, time, *after]))[max(len(before) - 1, 0) : len(before) + 2]
        if len(times) < most and near.min() >= slot_s:
            times.insert(place, time)
            chosen.insert(place, index)
    return np.array(chosen, np.int64)


def cells(times_s: Times) -> Times:
    """(N,) seconds of the calendar that are nearest to each of N rising times; beyond the ends as far as within."""
    if len(times_s) < 2:
        return np.ones(len(times_s))
    gaps = np.diff(times_s)
    around = np.concatenate([gaps[:1], gaps, gaps[-1:]])
    half: Times = (around[:-1] + around[1:]) / 2
    return half
