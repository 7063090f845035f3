"""Groups of faces on their way to people, each remembered by an exemplar per period, and how groups become one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alignimation_index.people.calibration import Calibration
from alignimation_index.people.faces import NOBODY, Labels, Reals, Rows
from alignimation_index.people.likelihood import UNKNOWN, Exemplars, Likelihood

PERIODS = 4


@dataclass(frozen=True)
class Known:
    """What is known of G groups: the person, or NOBODY, and the birth year, or UNKNOWN; (G,) each."""

    labels: Labels
    born: Rows

    @classmethod
    def nothing(cls, count: int) -> Known:
        """Nothing is known of `count` groups."""
        return cls(np.full(count, NOBODY, np.int64), np.full(count, UNKNOWN, np.int64))


class Grouping:
    """Which group each observation is in. A group depends on its members alone, not on how it came about."""

    def __init__(self, calibration: Calibration, observed: Exemplars, group_of: Rows, known: Known) -> None:
        """Start with M observations in groups 0..G−1, none of them empty."""
        self._calibration = calibration
        self._observed = observed
        self.group_of = group_of
        self.known = known
        self._exemplars, self._sets, self._part_of = condense(observed, group_of, len(known.labels))
        self._weigh(np.arange(len(known.labels)), np.zeros(0))

    def __len__(self) -> int:
        return len(self.known.labels)

    def scores(self, pairs: Rows) -> Reals:
        """(P,) log-likelihood ratios of (P, 2) pairs of groups: one person against two."""
        sets = np.concatenate([self._sets[pairs[:, 0]], self._sets[pairs[:, 1]]], axis=1)
        born = np.maximum(self.known.born[pairs[:, 0]], self.known.born[pairs[:, 1]])
        together = self._likelihood.of_sets(-np.sort(-sets, axis=1), born)
        return np.asarray(together - self.likelihoods[pairs].sum(1), np.float64)

    def exemplars(self) -> tuple[Exemplars, Rows]:
        """All exemplars, and the group of each."""
        group_of = np.empty(len(self._exemplars), np.int64)
        groups = np.repeat(np.arange(len(self)), self._sets.shape[1])
        used = self._sets.ravel() >= 0
        group_of[self._sets.ravel()[used]] = groups[used]
        return self._exemplars, group_of

    def scores_of_strangers(self, candidates: Rows) -> Reals:
        """(P,) log-likelihood ratios of (P, 2) observations and groups that they are not in."""
        return self._scores_beside(candidates[:, 0], self._sets[candidates[:, 1]], self.known.born[candidates[:, 1]])

    def scores_of_members(self, rows: Rows) -> Reals:
        """(P,) log-likelihood ratios of observations and the rest of their group, which must not be empty."""
        without, sets = self._left_out(rows)
        return self._scores_beside(rows, sets, self.known.born[self.group_of[rows]], without)

    def _scores_beside(self, rows: Rows, sets: Rows, born: Rows, more: Exemplars | None = None) -> Reals:
        """Observations against sets of our exemplars, followed by `more`."""
        exemplars = self._exemplars if more is None else self._exemplars.joined(more)
        likelihood = Likelihood(self._calibration, exemplars.joined(self._observed.take(rows)))
        alone = (len(exemplars) + np.arange(len(rows)))[:, None]
        nothing = np.full(len(rows), UNKNOWN)
        together = likelihood.of_sets(-np.sort(-np.concatenate([sets, alone], axis=1), axis=1), born)
        return together - likelihood.of_sets(-np.sort(-sets, axis=1), born) - likelihood.of_sets(alone, nothing)

    def _left_out(self, rows: Rows) -> tuple[Exemplars, Rows]:
        """The exemplar that each observation is part of, without it, and the set of its group with that instead."""
        sets = self._sets[self.group_of[rows]]
        slot = (sets == self._part_of[rows, None]).argmax(1)
        ours, own = self._exemplars.take(sets[np.arange(len(rows)), slot]), self._observed.take(rows)
        left = ours.counts - own.counts
        is_empty = left < 1e-6
        shares = (own.counts / np.where(is_empty, 1, left))[:, None].astype(np.float32)
        vectors = ours.vectors + (ours.vectors - own.vectors) * shares
        apparent = ours.apparent + (ours.apparent - own.apparent) * shares[:, 0]
        sets = sets.copy()
        sets[np.arange(len(rows)), slot] = np.where(is_empty, -1, len(self._exemplars) + np.arange(len(rows)))
        return Exemplars(vectors, ours.years, np.where(is_empty, 1, left), apparent), sets

    def merge(self, one_of: Rows) -> Rows:
        """Make one group of all with the same entry in (G,) `one_of`, the first of them; each group's new number."""
        kept = np.flatnonzero(one_of == np.arange(len(self)))
        number = np.searchsorted(kept, one_of)
        labels, born = Known.nothing(len(kept)).labels, Known.nothing(len(kept)).born
        np.maximum.at(labels, number, self.known.labels)
        np.maximum.at(born, number, self.known.born)
        merged = np.flatnonzero(np.bincount(number, minlength=len(kept)) > 1)
        self._replace(number, kept, Known(labels, born), merged)
        return number

    def _replace(self, number: Rows, kept: Rows, known: Known, changed: Rows) -> None:
        self.group_of = number[self.group_of]
        is_changed = np.zeros(len(kept), bool)
        is_changed[changed] = True
        members = np.flatnonzero(is_changed[self.group_of])
        compact = np.cumsum(is_changed) - 1
        fresh, fresh_sets, fresh_part_of = condense(
            self._observed.take(members), compact[self.group_of[members]], len(changed)
        )
        sets = self._sets[kept]
        used = np.unique(sets[~is_changed])
        used = used[used >= 0]
        sets = np.where(sets >= 0, np.searchsorted(used, sets), -1)
        self._part_of = np.searchsorted(used, self._part_of)
        self._part_of[members] = fresh_part_of + len(used)
        sets[is_changed] = np.where(fresh_sets >= 0, fresh_sets + len(used), -1)
        self._exemplars, self._sets = self._exemplars.take(used).joined(fresh), sets
        self.known = known
        self._weigh(np.flatnonzero(is_changed), self.likelihoods[kept])

    def _weigh(self, changed: Rows, likelihoods: Reals) -> None:
        self._likelihood = Likelihood(self._calibration, self._exemplars)
        self.likelihoods = likelihoods if len(likelihoods) else np.zeros(len(self))
        self.likelihoods[changed] = self._likelihood.of_sets(self._sets[changed], self.known.born[changed])


def condense(observed: Exemplars, group_of: Rows, count: int) -> tuple[Exemplars, Rows, Rows]:
    """The exemplars of groups: the mean of each of PERIODS equal parts of the time from first to last, and of the rest.

    Returns:
        The exemplars, (count, PERIODS + 1) which of them are each group's, −1 at the end for none, and (M,) which of
        them each observation is part of.
    """
    dated = observed.years != UNKNOWN
    first = np.full(count, 10**7)
    last = np.full(count, -(10**7))
    np.minimum.at(first, group_of[dated], observed.years[dated])
    np.maximum.at(last, group_of[dated], observed.years[dated])
    since = observed.years - first[group_of]
    period = np.where(dated, since * PERIODS // np.maximum(last - first + 1, 1)[group_of], PERIODS)
    slot = group_of * (PERIODS + 1) + period
    slots, exemplar_of = np.unique(slot, return_inverse=True)
    sets = np.full((count, PERIODS + 1), -1)
    sets[slots // (PERIODS + 1), slots % (PERIODS + 1)] = np.arange(len(slots))
    return observed.averaged(exemplar_of, len(slots)), -np.sort(-sets, axis=1), exemplar_of
