"""A film that flows: each picture is the mean of the photos around it in time, the nearer the more."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from alignimation_index.render.film.shots import Instant, Shot
from alignimation_index.render.film.transitions.mixing import mixed

Place = Callable[[Shot], float]
"""Where a shot lies on the axis along which photos are near or far: seconds of the film, or days."""

REACH = 3.0
"""Beyond so many standard deviations a photo is not seen; what little it would weigh there is taken off all."""
AT_MOST = 36
"""Photos in one picture: more are not told apart, and have to be in memory together."""
LEAST_OVERLAP = 0.45
"""Where photos are sparse, the standard deviation is this part of their distance, so that they still flow."""


def blended(shots: Iterator[Shot], moments_s: Iterator[float], width: float, place: Place) -> Iterator[Instant]:
    """Play shots as means weighted by Gaussians around each moment.

    A photo also weighs as much as its distance to its neighbours: where photos are crowded each counts for less, and a
    summer of a thousand photos is not all that is seen of a year. The places have to be in order.

    Args:
        shots: in order; those near the moment are in memory, at most AT_MOST.
        moments_s: the moments of the pictures, in order.
        width: standard deviation, in the unit of `place`.
        place: of a shot.
    """
    near: deque[Shot] = deque()
    for moment_s in moments_s:
        _reach_for(near, shots, moment_s, width, place)
        if not near:
            return
        middles, places = _axis(near, place)
        here = float(np.interp(moment_s, middles, places))
        weights = weights_at(here, places, width)
        shown = [(shot.still.pixels, weight) for shot, weight in zip(near, weights, strict=True) if weight > 0]
        nearest = near[int(np.abs(middles - moment_s).argmin())]
        yield Instant(mixed(*zip(*shown, strict=True)), nearest.still.frame, moment_s)


def weights_at(here: float, places: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """How much each of some photos counts at a place; the sum is 1.

    Args:
        here: the place.
        places: (N,) of the photos, in order.
        width: standard deviation of the Gaussian, in the same unit.

    Returns:
        (N,) float64, not negative.
    """
    distances = np.abs(places - here) / _sigma(here, places, width)
    # Never beyond the nearest: there is always something to be seen.
    tail = math.exp(-(max(REACH, float(distances.min()) + 1) ** 2) / 2)
    weights = _cells(places) * np.clip(np.exp(-(distances**2) / 2) - tail, 0, None)
    total = weights.sum()
    if total <= 0:  # so far from all that no number is small enough
        weights = np.zeros(len(places))
        weights[distances.argmin()] = total = 1.0
    shares: NDArray[np.float64] = weights / total
    return shares


def sparse_enough(places: Sequence[float], width: float) -> list[int]:
    """Which photos are far enough apart that no more than AT_MOST come into one picture: evenly chosen."""
    least = 2 * REACH * width / AT_MOST
    kept: list[int] = []
    for index, here in enumerate(places):
        # A rounding error must not take every other photo.
        if not kept or here - places[kept[-1]] >= least * (1 - 1e-6):
            kept.append(index)
    return kept


def _reach_for(near: deque[Shot], shots: Iterator[Shot], moment_s: float, width: float, place: Place) -> None:
    """Fetch what comes up and let go of what is behind; of what is around the moment, one on each side stays."""
    while not _reaches(near, moment_s, width, place):
        upcoming = next(shots, None)
        if upcoming is None:
            break
        near.append(upcoming)
        if len(near) > AT_MOST:
            near.popleft()
    while len(near) > 2 and near[1].middle_s <= moment_s and not _counts(near[0], near, moment_s, width, place):
        near.popleft()


def _reaches(near: deque[Shot], moment_s: float, width: float, place: Place) -> bool:
    """Whether all that counts at a moment is here, or as much as may be."""
    if not near or near[-1].middle_s <= moment_s:
        return False
    return len(near) == AT_MOST or not _counts(near[-1], near, moment_s, width, place)


def _counts(shot: Shot, near: deque[Shot], moment_s: float, width: float, place: Place) -> bool:
    middles, places = _axis(near, place)
    here = float(np.interp(moment_s, middles, places))
    return abs(place(shot) - here) <= REACH * _sigma(here, places, width)


def _axis(near: deque[Shot], place: Place) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each shot, the middle in seconds and the place."""
    return np.array([shot.middle_s for shot in near]), np.array([place(shot) for shot in near])


def _sigma(here: float, places: NDArray[np.float64], width: float) -> float:
    return max(width, LEAST_OVERLAP * float(np.interp(here, places, _cells(places))))


def _cells(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each place's surroundings reach: half the way to both neighbours."""
    if len(places) == 1:
        return np.ones(1)
    gaps = np.diff(places)
    return np.maximum((np.append(gaps, gaps[-1]) + np.insert(gaps, 0, gaps[0])) / 2, 1e-6)
