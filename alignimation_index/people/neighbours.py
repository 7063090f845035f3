"""The nearest vectors, without comparing each with every other."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from alignimation_index.datatypes import Float
from alignimation_index.people.faces import Rows
from alignimation_index.people.pairs import unique_pairs

# Below this many (or as many comparisons), everything is compared; above, only with the vectors of the nearest cells.
EXACT = 12_000
CELLS_SEARCHED = 16
CELL_ROUNDS = 3
FACES_PER_BLOCK = 512
LEAST_DEPTH = 3
QUERIES_PER_BLOCK = 50_000
NUMBERS_PER_BLOCK = 8_000_000
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
    squares = np.einsum("nd,nd->n", vectors, vectors)
    if len(asked) * len(vectors) <= EXACT**2:
        near = _nearest(vectors, squares, asked, count + 1)
    else:
        near = _nearest_in_cells(vectors, squares, asked, count + 1)
    found = np.stack([np.repeat(asked, near.shape[1]), near.ravel()], axis=1)
    return unique_pairs(found[(found[:, 0] != found[:, 1]) & (found[:, 1] >= 0)])


def _blocks(rows: Rows, size: int) -> list[Rows]:
    return [rows[begin : begin + size] for begin in range(0, len(rows), size)]


def _nearest(vectors: Float, squares: Float, asked: Rows, kept: int) -> Rows:
    """(Q, kept) the nearest of all, themselves included."""

    def of_block(block: Rows) -> Rows:
        return _smallest(_distances(vectors[block], vectors, squares), min(kept, len(vectors)))

    blocks = _blocks(asked, min(FACES_PER_BLOCK, NUMBERS_PER_BLOCK // len(vectors) + 1))
    with ThreadPoolExecutor(THREADS) as executor:
        return np.concatenate(list(executor.map(of_block, blocks)))


def _distances(vectors: Float, others: Float, squares: Float) -> Float:
    """(Q, N) squared distances, less what is the same for a whole row; `squares` are the others' squared norms."""
    distances = np.matmul(-2 * vectors, others.T, dtype=np.float32)
    distances += squares
    return np.asarray(distances, np.float32)


def _smallest(values: Float, kept: int) -> Rows:
    """(Q, kept) columns of the smallest of each row, in any order: they are in the strips with the smallest minima."""
    rows, columns = values.shape
    depth = int(np.sqrt(columns / kept))
    width = columns // depth
    if kept == columns:
        return np.tile(np.arange(columns), (rows, 1))
    if depth < LEAST_DEPTH or width <= kept:
        return np.argpartition(values, kept - 1, axis=1)[:, :kept]
    lowest = values[:, : depth * width].reshape(rows, depth, width).min(1)
    strips = np.argpartition(lowest, kept - 1, axis=1)[:, :kept]
    candidates = (strips[:, None, :] + np.arange(depth)[:, None] * width).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(depth * width, columns), (rows, columns - depth * width))
    candidates = np.concatenate([candidates, rest], axis=1)
    best = np.argpartition(np.take_along_axis(values, candidates, 1), kept - 1, axis=1)[:, :kept]
    return np.asarray(np.take_along_axis(candidates, best, 1), np.int64)


def _nearest_in_cells(vectors: Float, squares: Float, asked: Rows, kept: int) -> Rows:
    """(Q, kept) the same, within the nearest cells of a Voronoi partition, −1 for none: N^1.5 steps instead of N²."""
    centres = _centres(vectors)
    cells = _closest(vectors, centres, 1)[:, 0]
    order = np.argsort(cells, kind="stable")
    ends = np.searchsorted(cells[order], np.arange(len(centres) + 1))
    members = [order[begin:end] for begin, end in pairwise(ends)]
    blocks = _blocks(asked, QUERIES_PER_BLOCK)
    return np.concatenate([_of_block(vectors, squares, block, members, centres, kept) for block in blocks])


def _of_block(vectors: Float, squares: Float, asked: Rows, members: list[Rows], centres: Float, kept: int) -> Rows:
    """(Q, kept) of some vectors: the nearest in each of their cells, then the nearest of those."""
    cells = _closest(vectors[asked], centres, min(CELLS_SEARCHED, len(centres)))
    order = np.argsort(cells.ravel(), kind="stable")
    ends = np.searchsorted(cells.ravel()[order], np.arange(len(centres) + 1))
    rows = np.full((cells.size, kept), -1, np.int32)
    distances = np.full((cells.size, kept), np.inf, np.float32)

    def search(cell: int) -> None:
        among = members[cell]
        for places in _blocks(order[ends[cell] : ends[cell + 1]], NUMBERS_PER_BLOCK // (len(among) + 1) + 1):
            between = _distances(vectors[asked[places // cells.shape[1]]], vectors[among], squares[among])
            near = _smallest(between, min(kept, len(among)))
            rows[places, : near.shape[1]] = among[near]
            distances[places, : near.shape[1]] = np.take_along_axis(between, near, 1)

    with ThreadPoolExecutor(THREADS) as executor:
        list(executor.map(search, [cell for cell in range(len(members)) if len(members[cell])]))
    best = _smallest(distances.reshape(len(asked), -1), kept)
    return np.asarray(np.take_along_axis(rows.reshape(len(asked), -1), best, 1), np.int64)


def _centres(vectors: Float) -> Float:
    """Centres of cells by k-means on a sample; spread through the vectors sorted by their first dimension."""
    count = int(np.sqrt(len(vectors)))
    by_value = np.argsort(vectors[:, 0], kind="stable")
    sample = vectors[by_value[np.linspace(0, len(vectors) - 1, min(len(vectors), 30 * count)).astype(np.int64)]]
    centres = sample[:: len(sample) // count][:count].copy()
    for _ in range(CELL_ROUNDS):
        cells = _closest(sample, centres, 1)[:, 0]
        sums = np.zeros_like(centres)
        np.add.at(sums, cells, sample)
        sizes = np.bincount(cells, minlength=len(centres))
        filled = sizes > 0
        centres[filled] = sums[filled] / sizes[filled, None]
    return np.asarray(centres, np.float32)


def _closest(vectors: Float, centres: Float, kept: int) -> Rows:
    """(N, kept) the nearest centres of each vector."""
    squares = (centres**2).sum(1)

    def of_block(block: Float) -> Rows:
        return _smallest(_distances(block, centres, squares), kept)

    blocks = np.array_split(vectors, len(vectors) // FACES_PER_BLOCK + 1)
    with ThreadPoolExecutor(THREADS) as executor:
        return np.concatenate(list(executor.map(of_block, blocks)))
