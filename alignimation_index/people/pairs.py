"""Pairs of numbers in arrays, in whichever order each is."""

from __future__ import annotations

import numpy as np

from alignimation_index.people.faces import Rows


def pair_keys(pairs: Rows, count: int) -> Rows:
    """(P,) a number for each of (P, 2) pairs of 0..count−1, in the order of smaller and larger."""
    one, other = pairs.T
    return np.asarray(np.minimum(one, other) * count + np.maximum(one, other), np.int64)


def unique_pairs(pairs: Rows) -> Rows:
    """(P, 2) the pairs, each once, the smaller number first, in order."""
    count = int(pairs.max(initial=0)) + 1
    return np.stack(np.divmod(np.unique(pair_keys(pairs, count)), count), axis=1)
