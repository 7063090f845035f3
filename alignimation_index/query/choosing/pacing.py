"""How long each frame of a film is shown: equally long, or as long as it stands for in the calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from alignimation_index.errors import UserError
from alignimation_index.query.choosing.thinning import (
    Candidates,
    Indices,
    Times,
    best_per_slot,
    cells,
    finest,
    thin,
    with_others,
)

SHORTEST_S = 2 / 25
"""Nothing is shown for less, unless more photos a second are asked for: two pictures of a film."""
SHORTEST_SHARE = 1 / 5
"""Of the mean: with `time`, nothing is shown for less either. Among pictures that stay, a short one is a flash."""
LONGEST_S, LONGEST_SHARE = 1.0, 3.0
"""With `time`, nothing is shown for longer than a second, or than thrice the mean where that is more: where there are
no photos for years, the film does not stand still."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Pace:
    """What is asked of the film's pace.

    Attributes:
        photos_per_second: without a duration, for `photos`; for `time`, where photos lie closest.
        duration_s: of the whole film, exactly; None for as long as it takes.
        even: whether all frames are shown equally long, or as long as the time in the calendar that they stand for.
    """

    photos_per_second: float = 12.0
    duration_s: float | None = None
    even: Literal["photos", "time"] = "photos"

    @property
    def shortest_s(self) -> float:
        """The shortest time for which a frame is shown."""
        at_speed = 1 / self.photos_per_second
        return at_speed if self.duration_s is None else min(SHORTEST_S, at_speed)

    @property
    def capacity(self) -> int | None:
        """How many frames the duration holds at most."""
        return None if self.duration_s is None else int(self.duration_s / self.shortest_s + _ROUNDING)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which of the candidates are shown, and for how long.

    Attributes:
        kept: (K,) rising indices.
        starts_s: (K,) when each appears, rising from 0.
        seconds: of the film.
    """

    kept: Indices
    starts_s: Times
    seconds: float


def parse_duration(text: str) -> float:
    """Parse `60s`, `1m30s`, `2m`, `1:30` or `90` into seconds.

    Raises:
        UserError: it is none of these, or nothing.
    """
    match = re.fullmatch(r"(?:(\d{1,4})(?:m|:(?=\d)))?(?:(\d{1,5}(?:\.\d{1,3})?)s?)?", text.strip())
    seconds = 60 * int(match[1] or 0) + float(match[2] or 0) if match else 0.0
    if not seconds:
        raise UserError(f"'{text}' is no duration. Write 60s, 1m30s, 2m or 1:30.")
    return seconds


def schedule(candidates: Candidates, pace: Pace) -> Schedule:
    """Choose as many frames as the pace allows, and say when each appears.

    Raises:
        UserError: more frames are pinned than the duration holds.
    """
    if not len(candidates):
        return Schedule(np.zeros(0, np.int64), np.zeros(0), 0.0)
    _check_pins(candidates, pace)
    kept, shown_s = (_by_time if pace.even == "time" else _by_photos)(candidates, pace)
    ends = np.cumsum(shown_s)
    seconds = float(ends[-1]) if pace.duration_s is None else pace.duration_s
    return Schedule(kept, np.concatenate([[0.0], ends[:-1]]), seconds)


def _check_pins(candidates: Candidates, pace: Pace) -> None:
    pinned, capacity = int(candidates.pinned.sum()), pace.capacity
    if capacity is not None and max(pinned, 1) > capacity:
        needed = max(pinned, 1) * pace.shortest_s
        what = f"{pinned} pinned photos need" if pinned > 1 else "One photo needs"
        raise UserError(
            f"{what} {needed:.2f} s, and --duration is {pace.duration_s:g} s. Make it longer, or pin fewer photos."
        )


def _by_photos(candidates: Candidates, pace: Pace) -> tuple[Indices, Times]:
    capacity = len(candidates) if pace.capacity is None else pace.capacity
    kept = thin(candidates, capacity)
    each = 1 / pace.photos_per_second if pace.duration_s is None else pace.duration_s / len(kept)
    return kept, np.full(len(kept), each)


def _by_time(candidates: Candidates, pace: Pace) -> tuple[Indices, Times]:
    """A slot of the calendar takes the shortest time of the film, so that crowded times are thinned to their share."""
    shortest, times = pace.shortest_s, candidates.times_s
    if pace.duration_s is None:
        slot_s = (candidates.span_s or 1.0) / len(candidates)
        kept = with_others(candidates, best_per_slot(candidates, slot_s), slot_s, len(candidates))
        return kept, np.clip(cells(times[kept]) * (shortest / slot_s), shortest, max(LONGEST_S, shortest))
    duration_s = pace.duration_s
    shortest = max(shortest, SHORTEST_SHARE * duration_s / len(candidates))
    longest = _longest_s(duration_s, len(candidates))

    def fits(some: Indices, slot_s: float) -> bool:
        shown = np.clip(cells(times[some]) * (shortest / slot_s), shortest, longest)
        return bool(shown.sum() <= duration_s + _ROUNDING)

    kept, slot_s = finest(candidates, fits)
    kept = with_others(candidates, kept, slot_s, int(duration_s / shortest + _ROUNDING))
    return kept, share_out(cells(times[kept]), duration_s, shortest, _longest_s(duration_s, len(kept)))


def _longest_s(duration_s: float, count: int) -> float:
    return max(LONGEST_S, LONGEST_SHARE * duration_s / count)


def share_out(weights: Times, total: float, low: float, high: float) -> Times:
    """(N,) shares in proportion to N weights, each within [low, high], which add up to `total`.

    Needs N × low ≤ total ≤ N × high. The factor is found by halving: the sum of shares rises with it.
    """
    small, large = low / weights.max(), high / weights.min()
    for _ in range(100):
        middle = (small * large) ** 0.5
        small, large = (middle, large) if np.clip(weights * middle, low, high).sum() < total else (small, middle)
    shares: Times = np.clip(weights * large, low, high)
    free = (shares > low) & (shares < high)
    shares[free] += (total - shares.sum()) / max(int(free.sum()), 1)  # what rounding left
    return shares
