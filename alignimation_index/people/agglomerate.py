"""How groups become people: those that are each other's likeliest match become one, as long as that is likelier."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from alignimation_index.people.faces import Flags, Reals, Rows
from alignimation_index.people.groups import Grouping

# Matches of a group that are scored again after a merger, by how they scored before.
MATCHES = 10

Forbidden = Callable[[Grouping, Rows], Flags]


def agglomerate(grouping: Grouping, pairs: Rows, forbidden: Forbidden, threshold: float) -> None:
    """Merge groups that are each other's best match until no match is better than the threshold.

    Args:
        grouping: the groups to start with; changed.
        pairs: (P, 2) pairs of groups that come into question, the smaller first and no pair twice.
        forbidden: tells of (P, 2) pairs of groups which cannot be one person.
        threshold: the log-likelihood ratio from which two groups are one person.
    """
    pairs = pairs[~forbidden(grouping, pairs)]
    scores = grouping.scores(pairs)
    while len(chosen := _mutual(pairs, scores, len(grouping), threshold)):
        merged = pairs[chosen]
        is_changed = np.zeros(len(grouping), bool)
        is_changed[merged] = True
        stale = np.asarray(is_changed[pairs].any(1), np.bool_)
        number = grouping.merge(merged)
        pairs, scores, stale = _renumbered(number[pairs], scores, stale)
        kept = _likeliest(pairs, scores, stale)
        pairs, scores, stale = pairs[kept], scores[kept], stale[kept]
        allowed = ~stale
        allowed[stale] = ~forbidden(grouping, pairs[stale])
        pairs, scores, stale = pairs[allowed], scores[allowed], stale[allowed]
        scores[stale] = grouping.scores(pairs[stale])


def _mutual(pairs: Rows, scores: Reals, count: int, threshold: float) -> Rows:
    """The pairs above the threshold that are the best of both."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > threshold]
    ranked = pairs[order]
    best = np.full(count, len(order))
    np.minimum.at(best, ranked.ravel(), np.repeat(np.arange(len(order)), 2))
    is_best = (best[ranked] == np.arange(len(order))[:, None]).all(1)
    return np.asarray(order[is_best], np.int64)


def _likeliest(pairs: Rows, scores: Reals, stale: Flags) -> Flags:
    """Which pairs are worth scoring again: for each group, those that scored best before."""
    order = np.argsort(-scores, kind="stable")
    ends = pairs[order].ravel()
    by_group = np.argsort(ends, kind="stable")
    begins = np.searchsorted(ends[by_group], ends[by_group])
    rank = np.empty(len(ends), np.int64)
    rank[by_group] = np.arange(len(ends)) - begins
    kept = ~stale
    kept[order] |= (rank.reshape(-1, 2) < MATCHES).any(1)
    return kept


def _renumbered(pairs: Rows, scores: Reals, stale: Flags) -> tuple[Rows, Reals, Flags]:
    """Pairs of groups with each pair once, with its best score."""
    order = np.argsort(-scores, kind="stable")
    pairs, scores, stale = pairs[order], scores[order], stale[order]
    pairs = np.sort(pairs, axis=1)
    apart = pairs[:, 0] != pairs[:, 1]
    pairs, scores, stale = pairs[apart], scores[apart], stale[apart]
    _, first = np.unique(pairs[:, 0] * (pairs.max(initial=0) + 1) + pairs[:, 1], return_index=True)
    return pairs[first], scores[first], stale[first]
