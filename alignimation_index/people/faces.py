"""What the assignment of faces to people reads and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import Float

Labels = NDArray[np.int64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]

NOBODY = -1


@dataclass(frozen=True)
class Faces:
    """Faces, in any order: the result does not depend on it.

    Attributes:
        vectors: (N, D) float32 embeddings of one model.
        photos: (N,) int64, the photo that each face is on.
        taken_at_s: (N,) float64, wall-clock seconds since 1970-01-01; nan where unknown.
        quality: (N,) float64 in 0..1; nan where unknown.
    """

    vectors: Float
    photos: NDArray[np.int64]
    taken_at_s: Reals
    quality: Reals

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class Evidence:
    """What is known of the faces and of people before the machine looks.

    Attributes:
        answered: (N,) int64, the label that a human answer gives the face, or NOBODY. Never changed, and it teaches.
        settled: (N,) int64, the label of an earlier assignment of the same kind, or NOBODY.
        rejected: (row, label): that face is never that person.
        ignored: (N,) bool, not a face or forgotten: takes no part and stays NOBODY.
        born_s: label → date of birth, wall-clock seconds since 1970-01-01. No face from before it, or of an age that
            contradicts it grossly, is that person's.
        apart: (label, label): two people, of whom the machine never makes one.
        spoken_of: people of whom a human said anything, such as a name: the machine makes no two of them one.
        waited: (N,) bool, found to be nobody yet by an earlier assignment of the same kind; None for no face. In a
            large library they are looked at again only when a new face is near.
    """

    answered: Labels
    settled: Labels
    rejected: frozenset[tuple[int, int]]
    ignored: Flags
    born_s: Mapping[int, float]
    apart: frozenset[tuple[int, int]]
    spoken_of: frozenset[int] = frozenset()
    waited: Flags | None = None

    @classmethod
    def none(cls, count: int) -> Evidence:
        """Nothing is known of `count` faces."""
        nobody = np.full(count, NOBODY, np.int64)
        return cls(nobody, nobody, frozenset(), np.zeros(count, bool), {}, frozenset())


@dataclass(frozen=True)
class Assignments:
    """Who the faces are.

    Attributes:
        labels: (N,) int64; people known before keep their labels, new ones are numbered on; NOBODY for who waits.
        scores: (N,) float32, log-odds that the face is the person; nan for the answered and for who waits.
        suggested: (N,) int64, the person that a waiting or doubtful face may be, or NOBODY.
        suggestion_scores: (N,) float32, log-odds of the suggestion; nan where there is none.
    """

    labels: Labels
    scores: Float
    suggested: Labels
    suggestion_scores: Float
