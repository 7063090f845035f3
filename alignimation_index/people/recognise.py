"""Who people are that were found anew: those with whom they share their faces."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from alignimation_index.people.faces import NOBODY, Labels


def keep_ids(labels: Labels, before: Labels, known: Collection[int] = ()) -> dict[int, int]:
    """Recognise people after an assignment from scratch: new label → the earlier one that shares most faces with it.

    Args:
        labels: (N,) new labels, NOBODY where unassigned.
        before: (N,) earlier labels of the same faces.
        known: earlier labels of which something was answered, such as a name: more than half of their faces win
            against any number of faces of somebody of whom nothing is known.

    Returns:
        A one-to-one mapping; labels without a shared face are left out.
    """
    both = (labels != NOBODY) & (before != NOBODY)
    pairs, shared = np.unique(np.stack([labels[both], before[both]]), axis=1, return_counts=True)
    sizes = dict(zip(*(column.tolist() for column in np.unique(before, return_counts=True)), strict=True))
    first = [old in known and 2 * count > sizes[old] for old, count in zip(pairs[1].tolist(), shared, strict=True)]
    kept: dict[int, int] = {}
    taken: set[int] = set()
    for column in np.lexsort((-shared, ~np.array(first, bool))):
        new, old = (int(label) for label in pairs[:, column])
        if new not in kept and old not in taken:
            kept[new] = old
            taken.add(old)
    return kept
