"""How groups become people: those that are each other's likeliest match become one, as long as that is likelier."""

from __future__ import annotations

import numpy as np

from alignimation_index.people.constraints import Constraints, forbidden
from alignimation_index.people.faces import NOBODY, Flags, Reals, Rows
from alignimation_index.people.groups import Grouping
from alignimation_index.people.pairs import pair_keys, unique_pairs

# Matches of a group that are scored again after a merger, by how they scored before.
MATCHES = 10


def agglomerate(
    grouping: Grouping, pairs: Rows, constraints: Constraints, threshold: float, bulk: float = np.inf
) -> None:
    """Merge groups that are each other's best match until no match is better than the threshold.

    Args:
        grouping: the groups to start with; changed.
        pairs: (P, 2) pairs of groups that come into question, the smaller first and no pair twice.
        constraints: what cannot be one person.
        threshold: the log-likelihood ratio from which two groups are one person.
        bulk: the ratio from which a group joins its best match at once, though that one has a better match still:
            a person of a thousand faces then takes tens of steps instead of a thousand.
    """
    apart = constraints.apart(grouping)
    pairs = pairs[~forbidden(grouping, pairs, apart)]
    scores = grouping.scores(pairs)
    while len(chosen := _mutual(pairs, scores, len(grouping), threshold)):
        one_of = _joined(pairs[chosen], len(grouping))
        if bulk < np.inf:
            one_of = _joined_by_more(one_of, *_best_matches(pairs, scores, bulk), apart, grouping)
        is_changed = np.bincount(one_of, minlength=len(grouping))[one_of] > 1
        stale = np.asarray(is_changed[pairs].any(1), np.bool_)
        number = grouping.merge(one_of)
        apart = unique_pairs(number[apart])
        pairs, scores, stale = _renumbered(number[pairs], scores, stale)
        kept = _likeliest(pairs, scores, stale)
        pairs, scores, stale = pairs[kept], scores[kept], stale[kept]
        allowed = ~stale
        allowed[stale] = ~forbidden(grouping, pairs[stale], apart)
        pairs, scores, stale = pairs[allowed], scores[allowed], stale[allowed]
        scores[stale] = grouping.scores(pairs[stale])


def _joined(pairs: Rows, count: int) -> Rows:
    """(G,) for each group the first of those that it becomes one with, by pairs without a group in common."""
    one_of = np.arange(count)
    one_of[pairs.max(1)] = pairs.min(1)
    return one_of


def _joined_by_more(one_of: Rows, leaf: Rows, hub: Rows, apart: Rows, grouping: Grouping) -> Rows:
    """The same, and each leaf that is in none of the pairs joins its hub if that is in one."""
    is_chosen = np.bincount(one_of, minlength=len(one_of))[one_of] > 1
    joins = ~is_chosen[leaf] & is_chosen[hub] & (grouping.known.labels[leaf] == NOBODY)
    joined = one_of.copy()
    joined[leaf[joins]] = one_of[hub[joins]]
    at_odds = apart[joined[apart[:, 0]] == joined[apart[:, 1]]]
    joined[at_odds] = one_of[at_odds]
    lowest = np.arange(len(joined))
    np.minimum.at(lowest, joined, np.arange(len(joined)))
    return np.asarray(lowest[joined], np.int64)


def _best_matches(pairs: Rows, scores: Reals, threshold: float) -> tuple[Rows, Rows]:
    """Groups with a match above a threshold, and the best match of each."""
    order = np.argsort(-scores, kind="stable")
    ends = pairs[order[scores[order] > threshold]]
    ends = np.stack([ends, ends[:, ::-1]], axis=1).reshape(-1, 2)
    groups, first = np.unique(ends[:, 0], return_index=True)
    return groups, ends[first, 1]


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
    _, first = np.unique(pair_keys(pairs, int(pairs.max(initial=0)) + 1), return_index=True)
    return pairs[first], scores[first], stale[first]
