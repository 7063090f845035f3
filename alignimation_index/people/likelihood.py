"""How likely it is that some faces are one person's, with the model of `calibration`."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from alignimation_index.datatypes import Float
from alignimation_index.people.calibration import AGE_OFFSET, OLDEST, Calibration
from alignimation_index.people.faces import Flags, Reals, Rows

UNKNOWN = -(10**6)  # the year of an undated photo, the birth year of most people
IMPOSSIBLE = -1e4
BIRTH_STEP = 3
# Birth years summed over: of a few faces, and of many, which tell it better.
BIRTH_CHOICES, BIRTH_CHOICES_OF_MANY, MANY = 11, 5, 4
# Photos of one time share light, camera and hair: the noise of their mean ends at this share of that of one.
SHARED_NOISE = 0.2
NUMBERS_PER_CHUNK = 400_000
THREADS = min(os.cpu_count() or 1, 8)


@dataclass(frozen=True)
class Exemplars:
    """Faces, or means of faces of one person and period.

    Attributes:
        vectors: (M, D) float32, less the mean face.
        years: (M,) int64, when the photos were taken; UNKNOWN where that is.
        counts: (M,) float64, how many observations each stands for.
        apparent: (M,) float64, the mean regressed log(age + 10).
    """

    vectors: Float
    years: Rows
    counts: Reals
    apparent: Reals

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: Rows) -> Exemplars:
        """Some of them."""
        return Exemplars(self.vectors[rows], self.years[rows], self.counts[rows], self.apparent[rows])

    def joined(self, others: Exemplars) -> Exemplars:
        """These, then others."""
        return Exemplars(
            np.concatenate([self.vectors, others.vectors]),
            np.concatenate([self.years, others.years]),
            np.concatenate([self.counts, others.counts]),
            np.concatenate([self.apparent, others.apparent]),
        )

    def averaged(self, part_of: Rows, count: int) -> Exemplars:
        """The mean of each part; `part_of` names the part of each, of which none of 0..count−1 is empty."""
        order = np.argsort(part_of, kind="stable")
        if count == len(self):
            return self.take(order)
        begins = np.searchsorted(part_of[order], np.arange(count))
        weights = self.counts[order]
        counts = np.add.reduceat(weights, begins) if count else np.zeros(0)

        def mean(values: Reals) -> Reals:
            return np.asarray(np.add.reduceat(values[order] * weights, begins) / counts if count else np.zeros(0))

        sums = (
            np.add.reduceat(self.vectors[order] * weights[:, None].astype(np.float32), begins)
            if count
            else self.vectors
        )
        years = (
            np.where(self.years[order][begins] == UNKNOWN, UNKNOWN, mean(self.years.astype(np.float64)).round())
            if count
            else self.years
        )
        vectors = sums / counts[:, None].astype(np.float32)
        return Exemplars(np.asarray(vectors, np.float32), years.astype(np.int64), counts, mean(self.apparent))


class Likelihood:
    """The likelihood of sets of exemplars, each given as a row of indices, −1 for none.

    The years that births are tried for are those of the whole library, every BIRTH_STEP years; for each set the
    likeliest that its apparent ages favour are summed over.
    """

    def __init__(self, calibration: Calibration, exemplars: Exemplars) -> None:
        self._calibration = calibration
        self._exemplars = exemplars
        means = (calibration.interpolation @ np.array(calibration.mean_at_knots)).astype(np.float32)
        self._mean_products = means @ means.T
        self._on_means = exemplars.vectors @ means.T
        self._root_spread = np.sqrt(calibration.spread).astype(np.float32)
        self._drifted = calibration.drifted.astype(np.float32)
        noise = (1 - calibration.correlation) * (SHARED_NOISE + (1 - SHARED_NOISE) / exemplars.counts)
        self._noise = noise.astype(np.float32)
        self._guess = np.clip(np.exp(exemplars.apparent) - AGE_OFFSET, 0, OLDEST).round().astype(np.int64)

    def of_sets(self, sets: Rows, born: Rows) -> Reals:
        """(P,) log-likelihoods of P sets.

        Args:
            sets: (P, n) indices of exemplars, −1 at the end of those with fewer.
            born: (P,) the birth year, or UNKNOWN.
        """
        sizes = (sets >= 0).sum(1)
        result = np.zeros(len(sets))
        chunks = [chunk for size in np.unique(sizes) for chunk in _chunks(np.flatnonzero(sizes == size), int(size))]
        with ThreadPoolExecutor(THREADS) as executor:
            done = executor.map(lambda chunk: self._of_chunk(sets[chunk, : sizes[chunk[0]]], born[chunk]), chunks)
            for chunk, values in zip(chunks, done, strict=True):
                result[chunk] = values
        return result

    def _of_chunk(self, sets: Rows, born: Rows) -> Reals:
        births, prior = self._births(sets, born)
        ages, possible = self._ages_of(sets, births)
        log_ages = np.log(ages + AGE_OFFSET)
        off = (log_ages - self._exemplars.apparent[sets].T[:, :, None]) / self._calibration.age_error
        told = -0.5 * (off**2).sum(0) if self._calibration.age_weights else 0.0
        total = self._of_vectors(sets, ages) * self._calibration.dimensions + told + prior
        total[~possible] = IMPOSSIBLE * sets.shape[1]
        top = total.max(1)
        return np.asarray(top + np.log(np.exp(total - top[:, None]).sum(1)), np.float64)

    def _ages_of(self, sets: Rows, births: Rows) -> tuple[Rows, Flags]:
        """(n, P, choices) whole ages, and (P, choices) whether they can be; undated faces are as old as they look."""
        years = self._exemplars.years[sets].T[:, :, None]
        dated = years != UNKNOWN
        ages = np.where(dated, years - births[None], self._guess[sets].T[:, :, None])
        possible = ((ages >= 0) & (ages <= OLDEST)).all(0)
        return np.clip(ages, 0, OLDEST), possible

    def _births(self, sets: Rows, born: Rows) -> tuple[Rows, Reals]:
        """(P, choices) birth years, and (P, choices) the log of their prior."""
        years = self._exemplars.years[sets]
        dated = years != UNKNOWN
        any_dated = dated.any(1)
        last = np.where(dated, years, -(10**7)).max(1)
        last = np.where(any_dated, last, 2000)
        grid = np.arange(-OLDEST // BIRTH_STEP, 1) * BIRTH_STEP
        births = (last // BIRTH_STEP * BIRTH_STEP)[:, None] + grid[None]
        ages = years[:, None, :] - births[:, :, None]
        fine = ((ages >= 0) & (ages <= OLDEST)) | ~dated[:, None]
        off = (np.log(np.clip(ages, 0, None) + AGE_OFFSET) - self._exemplars.apparent[sets][:, None]) ** 2
        told = -0.5 * np.where(dated[:, None], off, 0).sum(2) / self._calibration.age_error**2
        told = np.where(fine.all(2), told, -1e9)
        count = _choices(sets.shape[1])
        best = np.argpartition(-told, count - 1, axis=1)[:, :count]
        chosen = np.take_along_axis(births, best, 1)
        prior = np.full(chosen.shape, -np.log(OLDEST / BIRTH_STEP))
        known = born != UNKNOWN
        chosen[known] = born[known, None]
        prior[known] = np.where(np.arange(count) == 0, 0, IMPOSSIBLE)
        return chosen, prior

    def _of_vectors(self, sets: Rows, ages: Rows) -> Float:
        """(P, choices) log-likelihood per dimension, but for the constant."""
        calibration, (n, count, choices) = self._calibration, ages.shape
        root, drifted = self._root_spread[ages], self._drifted[ages]
        products = self._products(sets)
        kernel, gram = np.empty((2, n, n, count, choices), np.float32)
        for i in range(n):
            for j in range(i + 1):
                ratio = np.minimum(drifted[i], drifted[j]) / np.maximum(drifted[i], drifted[j])
                kernel[i, j] = kernel[j, i] = calibration.correlation * ratio
                inner = products[:, i, j, None] + self._mean_products[ages[i], ages[j]]
                inner -= self._on_means[sets[:, i, None], ages[j]]
                inner -= self._on_means[sets[:, j, None], ages[i]]
                gram[i, j] = gram[j, i] = inner / (root[i] * root[j])
            kernel[i, i] += self._noise[sets[:, i]][:, None]
        return np.asarray(_normal(kernel, gram) - np.log(root).sum(0), np.float32)

    def _products(self, sets: Rows) -> Float:
        """(P, n, n) inner products of the vectors of each set."""
        vectors = self._exemplars.vectors[sets]
        return np.asarray(np.matmul(vectors, vectors.transpose(0, 2, 1)), np.float32)


def contradiction(exemplars: Exemplars, born: int, calibration: Calibration) -> Reals:
    """(M,) how many standard deviations exemplars look older or younger than one born then would."""
    ages = np.clip(exemplars.years - born, 0, None)
    off = abs(np.log(ages + AGE_OFFSET) - exemplars.apparent) / calibration.age_error
    return np.where(exemplars.years == UNKNOWN, 0, off)


def _choices(size: int) -> int:
    return BIRTH_CHOICES_OF_MANY if size >= MANY else BIRTH_CHOICES


def _chunks(rows: Rows, size: int) -> list[Rows]:
    step = max(1, NUMBERS_PER_CHUNK // (_choices(size) * (size**2 + 4)))
    return [rows[begin : begin + step] for begin in range(0, len(rows), step)]


def _normal(kernel: Float, gram: Float) -> Float:
    """−(log|K| + tr(K⁻¹ G)) / 2 over the first two axes, by symmetric elimination; both arguments are used up."""
    total = np.zeros(kernel.shape[2:], np.float32)
    for i in range(len(kernel)):
        pivot = kernel[i, i]
        total -= 0.5 * (np.log(pivot) + gram[i, i] / pivot)
        factor = kernel[i + 1 :, i] / pivot
        kernel[i + 1 :, i + 1 :] -= factor[:, None] * kernel[i, i + 1 :][None]
        own = factor[:, None] * gram[i, i + 1 :][None]
        gram[i + 1 :, i + 1 :] -= own + own.swapaxes(0, 1) - factor[:, None] * factor[None] * gram[i, i]
    return total
