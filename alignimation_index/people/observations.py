"""Observations: faces as the model sees them. A burst is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alignimation_index.datatypes import Float
from alignimation_index.people.calibration import AGE_OFFSET, OLDEST, Calibration
from alignimation_index.people.faces import Evidence, Faces, Reals, Rows
from alignimation_index.people.likelihood import UNKNOWN, Exemplars

SECONDS_PER_YEAR = 365.25 * 86400
BURST_S = 3.0
# No camera takes more photos within BURST_S before and after one: a date that so many have is none to the second.
CROWD_PHOTOS = 200
MIN_QUALITY = 0.2
# What a face of unknown date counts for: its age, and so what tells it from others of that age, is a guess.
UNDATED = 0.5


@dataclass(frozen=True)
class Observations:
    """M observations of N faces.

    Attributes:
        of_face: (N,) the observation that a face is part of, −1 for faces that take no part.
        exemplars: M of them.
        photo_pairs: (P, 2) observations that share a photo, so that they are two people.
    """

    of_face: Rows
    exemplars: Exemplars
    photo_pairs: Rows

    def __len__(self) -> int:
        return len(self.exemplars)


def observe(faces: Faces, evidence: Evidence, calibration: Calibration) -> Observations:
    """Faces to observations; those that a person spoke of stay observations of their own."""
    rows = np.flatnonzero(~evidence.ignored)
    single = _exemplars(faces, rows, calibration)
    spoken_of = (evidence.answered >= 0) | np.isin(np.arange(len(faces)), [row for row, _ in evidence.rejected])
    part_of = _bursts(single, faces.taken_at_s[rows], faces.photos[rows], spoken_of[rows], calibration)
    _, part_of = np.unique(part_of, return_inverse=True)
    count = int(part_of.max(initial=-1)) + 1
    exemplars = single.averaged(part_of, count)
    sizes = np.bincount(part_of, minlength=count)
    exemplars = Exemplars(
        exemplars.vectors, exemplars.years, exemplars.counts / np.maximum(sizes, 1), exemplars.apparent
    )
    of_face = np.full(len(faces), -1)
    of_face[rows] = part_of
    return Observations(of_face, exemplars, _sharing(faces.photos[rows], part_of))


def alike(exemplars: Exemplars, calibration: Calibration) -> Float:
    """(M, D) float32 vectors whose distance tells people apart: z, at the age that each looks."""
    ages = np.clip(np.exp(exemplars.apparent) - AGE_OFFSET, 0, OLDEST).round().astype(np.int64)
    mean = calibration.interpolation[ages].astype(np.float32) @ np.array(calibration.mean_at_knots, np.float32)
    return np.asarray((exemplars.vectors - mean) / np.sqrt(calibration.spread[ages])[:, None], np.float32)


def reach_of_a_moment(calibration: Calibration) -> float:
    """The squared distance that two photos of a person at one age have in the mean."""
    return 2 * (1 - calibration.correlation) * float(np.mean(calibration.spread))


def _exemplars(faces: Faces, rows: Rows, calibration: Calibration) -> Exemplars:
    vectors = faces.vectors[rows] - np.array(calibration.mean, np.float32)
    years = np.full(len(rows), UNKNOWN)
    taken = faces.taken_at_s[rows]
    dated = np.isfinite(taken)
    years[dated] = np.floor(1970 + taken[dated] / SECONDS_PER_YEAR)
    quality = np.nan_to_num(faces.quality[rows], nan=1.0).clip(MIN_QUALITY, 1)
    counts = quality**2 * np.where(dated, 1, UNDATED)
    if not calibration.age_weights:
        return Exemplars(vectors, years, counts, np.full(len(rows), np.log(30 + AGE_OFFSET)))
    apparent = vectors @ np.array(calibration.age_weights) + calibration.age_intercept
    return Exemplars(vectors, years, counts, apparent.clip(np.log(AGE_OFFSET), np.log(OLDEST + AGE_OFFSET)))


def _bursts(single: Exemplars, taken_at_s: Reals, photos: Rows, apart: np.ndarray, calibration: Calibration) -> Rows:
    """(n,) the first face of the burst that each is part of: seconds apart, and as alike as two photos of a moment."""
    parts = _Parts(photos)
    order = np.argsort(taken_at_s, kind="stable")
    order = order[np.isfinite(taken_at_s[order]) & ~apart[order]]
    order = order[~_crowded(taken_at_s[order], photos[order])]
    reach = reach_of_a_moment(calibration)
    step = 1
    while step < len(order):
        earlier, later = order[:-step], order[step:]
        near = taken_at_s[later] - taken_at_s[earlier] <= BURST_S
        if not near.any():
            break
        one, two = earlier[near], later[near]
        close = ((single.vectors[one] - single.vectors[two]) ** 2).sum(1) <= reach
        for first, second in zip(one[close].tolist(), two[close].tolist(), strict=True):
            parts.join(first, second)
        step += 1
    return parts.of_face


def _crowded(taken_at_s: Reals, photos: Rows) -> np.ndarray:
    """Which faces are dated, to the second, with more photos than were taken then."""
    _, firsts = np.unique(photos, return_index=True)
    times = np.sort(taken_at_s[firsts])
    since, until = np.searchsorted(times, taken_at_s - BURST_S), np.searchsorted(times, taken_at_s + BURST_S, "right")
    crowded: np.ndarray = until - since > CROWD_PHOTOS
    return crowded


class _Parts:
    """Faces that are one observation, none of them on one photo.

    Attributes:
        of_face: (n,) the first face of the part that each belongs to.
    """

    def __init__(self, photos: Rows) -> None:
        self.of_face = np.arange(len(photos))
        self._photos = photos
        self._members: dict[int, list[int]] = {}

    def join(self, one: int, other: int) -> None:
        """Make one of the parts of two faces, unless that would have two faces of one photo."""
        target, source = sorted((int(self.of_face[one]), int(self.of_face[other])))
        ours, theirs = (self._members.get(part, [part]) for part in (target, source))
        if target != source and not set(self._photos[ours].tolist()) & set(self._photos[theirs].tolist()):
            self.of_face[theirs] = target
            self._members[target] = ours + theirs
            self._members.pop(source, None)


def _sharing(photos: Rows, part_of: Rows) -> Rows:
    order = np.argsort(photos, kind="stable")
    pairs = [np.zeros((0, 2), np.int64)]
    step = 1
    while step < len(order):
        same = photos[order[:-step]] == photos[order[step:]]
        if not same.any():
            break
        pairs.append(np.stack([part_of[order[:-step][same]], part_of[order[step:][same]]], axis=1))
        step += 1
    return np.concatenate(pairs)
