"""The nearest vectors, without comparing each with every other."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from alignimation_index.datatypes import Float
from alignimation_index.people.faces import Rows

# Below this many (or as many comparisons), everything is compared; above, only with the vectors of the nearest cells.
EXACT = 20_000
CELLS_SEARCHED = 24
CELL_ROUNDS = 3
FACES_PER_BLOCK = 512
THREADS = min(os.cpu_count() or 1, 8)


def nearest_pairs(vectors: Float, count: int, queries: Rows | None = None) -> Rows:
    """(P, 2) index pairs, the smaller first: each queried vector with the `count` nearest others.

    Args:
        vectors: (N, D) float32.
        count: how many of the nearest.
        queries: which vectors to look up; all if None.
    """
    asked = np.arange(len(vectors)) if queries is None else queries
    if len(vectors) < 2 or not len(asked):
        return np.zeros((0, 2), np.int64)
    if len(asked) * len(vectors) <= EXACT**2:
        with ThreadPoolExecutor(THREADS) as executor:
            pairs = list(executor.map(lambda block: _nearest(vectors, block, None, count), _blocks(asked)))
    else:
        pairs = _nearest_in_cells(vectors, asked, count)
    found = np.sort(np.concatenate(pairs), axis=1)
    return np.unique(found[found[:, 0] != found[:, 1]], axis=0)


def _blocks(rows: Rows) -> list[Rows]:
    return [rows[begin : begin + FACES_PER_BLOCK] for begin in range(0, len(rows), FACES_PER_BLOCK)]


def _nearest(vectors: Float, asked: Rows, among: Rows | None, count: int) -> Rows:
    """(P, 2): the asked, each with its nearest among some rows, itself perhaps included."""
    others = vectors if among is None else vectors[among]
    distances = np.einsum("nd,nd->n", others, others) - 2 * (vectors[asked] @ others.T)
    kept = min(count + 1, len(others))
    near = np.argpartition(distances, kept - 1, axis=1)[:, :kept]
    rows = near if among is None else among[near]
    return np.stack([np.repeat(asked, kept), rows.ravel()], axis=1)


def _nearest_in_cells(vectors: Float, asked: Rows, count: int) -> list[Rows]:
    """The same within the nearest cells of a Voronoi partition: N^1.5 steps instead of N²."""
    centres = _centres(vectors)
    cells, near = _nearest_centres(vectors, centres)
    order = np.argsort(cells, kind="stable")
    ends = np.searchsorted(cells[order], np.arange(len(centres) + 1))
    members = [order[begin:end] for begin, end in pairwise(ends)]
    is_asked = np.zeros(len(vectors), bool)
    is_asked[asked] = True

    def of_cell(cell: int) -> list[Rows]:
        queries = members[cell][is_asked[members[cell]]]
        among = np.concatenate([members[other] for other in near[cell]])
        return [_nearest(vectors, block, among, count) for block in _blocks(queries)]

    with ThreadPoolExecutor(THREADS) as executor:
        return [pairs for found in executor.map(of_cell, range(len(members))) for pairs in found]


def _centres(vectors: Float) -> Float:
    """Centres of cells by k-means on a sample; spread through the vectors sorted by their first dimension."""
    count = int(np.sqrt(len(vectors)))
    by_value = np.argsort(vectors[:, 0], kind="stable")
    sample = vectors[by_value[np.linspace(0, len(vectors) - 1, min(len(vectors), 30 * count)).astype(np.int64)]]
    centres = sample[:: len(sample) // count][:count].copy()
    for _ in range(CELL_ROUNDS):
        cells = _closest(sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, cells, sample)
        sizes = np.bincount(cells, minlength=len(centres))
        filled = sizes > 0
        centres[filled] = sums[filled] / sizes[filled, None]
    return np.asarray(centres, np.float32)


def _closest(vectors: Float, centres: Float) -> Rows:
    squares = (centres**2).sum(1)
    blocks = np.array_split(np.arange(len(vectors)), len(vectors) // FACES_PER_BLOCK + 1)
    return np.concatenate([(squares - 2 * (vectors[block] @ centres.T)).argmin(1) for block in blocks])


def _nearest_centres(vectors: Float, centres: Float) -> tuple[Rows, Rows]:
    """The cell of each vector, and for each cell the nearest cells, itself first."""
    squares = (centres**2).sum(1)
    between = squares[:, None] + squares - 2 * centres @ centres.T
    return _closest(vectors, centres), np.argsort(between, axis=1)[:, :CELLS_SEARCHED]
