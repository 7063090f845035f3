"""What people are found from, and what comes out: plain arrays, a row for each face.

A label is a number that stands for a person while people are being found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import Float

Labels = NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True)
class Faces:
    """N faces, as one embedder sees them.

    Attributes:
        vectors: (N, D) float32 of one embedder.
        photos: (N,) int64, the photo of each face.
        taken_at_s: (N,) float64 wall-clock seconds since 1970-01-01, nan where unknown.
        quality: (N,) float64 in 0..1, nan where unknown.
    """

    vectors: Float
    photos: NDArray[np.int64]
    taken_at_s: NDArray[np.float64]
    quality: NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What is known before of N faces and of people.

    Attributes:
        answered: (N,) label that a human answer gives the face, or NOBODY; never changed, and they teach.
        settled: (N,) label of an earlier assignment that still stands, or NOBODY.
        rejected: (row, label): never that person.
        ignored: (N,) bool, not a face: takes no part and stays NOBODY.
        born_s: label → birth date, wall-clock seconds; earlier faces are never assigned.
        apart: (label, label) pairs of people that a human said are two: never merged by the machine.
    """

    answered: Labels
    settled: Labels
    rejected: frozenset[tuple[int, int]]
    ignored: NDArray[np.bool_]
    born_s: Mapping[int, float]
    apart: frozenset[tuple[int, int]]

    @classmethod
    def none(cls, count: int) -> Evidence:
        """Nothing is known of so many faces."""
        nobody = np.full(count, NOBODY, np.int64)
        return cls(nobody, nobody, frozenset(), np.zeros(count, bool), {}, frozenset())


@dataclass(frozen=True)
class Assignments:
    """Who N faces are.

    Attributes:
        labels: (N,) int64; new people are numbered on from the highest label known before.
        scores: (N,) float32 log-odds that the face is the person; nan for answered and NOBODY.
        suggested: (N,) int64, the person that a waiting or doubtful face may be, or NOBODY.
        suggestion_scores: (N,) float32 log-odds, nan where nobody is suggested.
    """

    labels: Labels
    scores: Float
    suggested: Labels
    suggestion_scores: Float
