"""Which faces are one person: grows with every face, never starts over.

A face joins the nearest person within reach. Otherwise it waits, and three waiting faces that agree found a person,
whom others that wait may then join. Nobody is twice in a photo.

The distance to a person is the root mean square distance to the person's faces, which needs only their mean and their
spread: Σ‖x − vᵢ‖²/n = ‖x − v̄‖² + Σ‖vᵢ − v̄‖²/n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import Float

Labels = NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True)
class Reach:
    """Distances of one embedder: `join` to a person, `found` between three strangers."""

    join: float
    found: float


# Fitted on photos of 24 people over decades, for the best balance of BCubed precision and recall in any order of
# arrival. FaceNet's vectors have unit length; its reach is the usual verification threshold of 1.0 to 1.1
# (Schroff et al. 2015, section 5.6), kept on the careful side.
REACH = {"dlib-resnet": Reach(join=0.52, found=0.45), "facenet-vggface2": Reach(join=1.0, found=0.85)}


def assign_faces(vectors: Float, photos: Sequence[int], settled: Labels, reach: Reach) -> tuple[Labels, Float]:
    """Assign faces to people.

    Args:
        vectors: (N, D) float32 embeddings of one model, in the order in which the faces arrive.
        photos: (N,) the photo that each face is on.
        settled: (N,) the person of each face, or NOBODY for those to assign.
        reach: distances of the embedder.

    Returns:
        (N,) labels (those settled unchanged, new people numbered on from the highest, NOBODY for who waits) and
        (N,) float32 distances of each face to its person when it joined; nan for the settled and those who wait.
    """
    growing = _Growing(vectors, np.asarray(photos), settled, reach)
    for face in np.flatnonzero(settled == NOBODY).tolist():
        if not growing.join(face):
            growing.wait(face)
            growing.found(face)
    growing.join_late()
    return growing.labels, growing.distances


def keep_ids(labels: Labels, before: Labels) -> dict[int, int]:
    """Recognise people after an assignment from scratch: new label → the earlier one that shares most faces with it.

    Args:
        labels: (N,) new labels, NOBODY where unassigned.
        before: (N,) earlier labels of the same faces.

    Returns:
        A one-to-one mapping; labels without a shared face are left out.
    """
    both = (labels != NOBODY) & (before != NOBODY)
    pairs, shared = np.unique(np.stack([labels[both], before[both]]), axis=1, return_counts=True)
    kept: dict[int, int] = {}
    for column in np.argsort(-shared, kind="stable"):
        new, old = (int(label) for label in pairs[:, column])
        if new not in kept and old not in kept.values():
            kept[new] = old
    return kept


class _Growing:
    """The people so far, as the mean and mean squared length of their vectors, and who waits."""

    def __init__(self, vectors: Float, photos: NDArray[np.int64], settled: Labels, reach: Reach) -> None:
        self._vectors = vectors.astype(np.float64)
        self._photos = photos
        self._reach = reach
        self._waiting = np.zeros(len(vectors), bool)
        self.labels = settled.copy()
        self.distances = np.full(len(vectors), np.nan, np.float32)
        self._seen = {(int(label), int(photo)) for label, photo in zip(settled, photos, strict=True)}
        people = int(settled.max(initial=NOBODY)) + 1
        self._count = np.zeros(people)
        self._mean = np.zeros((people, vectors.shape[1]))
        self._mean_square = np.full(people, np.inf)  # a label that nobody has is out of everyone's reach
        for face in np.flatnonzero(settled != NOBODY):
            self._count_in(int(face), int(settled[face]))

    def join(self, face: int) -> bool:
        """Let a face join the nearest person within reach who is not on its photo."""
        distances = self._distances(face)
        for person in np.argsort(distances)[: np.count_nonzero(distances <= self._reach.join)]:
            if self._accepts(face, int(person)):
                self._add(face, int(person), float(distances[person]))
                return True
        return False

    def wait(self, face: int) -> None:
        """Keep a face for later."""
        self._waiting[face] = True

    def found(self, face: int) -> None:
        """Found a person on a waiting face and the two others nearest to it that agree with it and each other."""
        others = np.flatnonzero(self._waiting & (self._photos != self._photos[face]))
        distance = np.linalg.norm(self._vectors[others] - self._vectors[face], axis=1)
        near = others[np.argsort(distance)][: np.count_nonzero(distance <= self._reach.found)]
        for position, second in enumerate(near):
            gaps = np.linalg.norm(self._vectors[near[:position]] - self._vectors[second], axis=1)
            agree = (gaps <= self._reach.found) & (self._photos[near[:position]] != self._photos[second])
            if agree.any():
                self._found([face, int(second), int(near[np.argmax(agree)])])
                return

    def join_late(self) -> None:
        """Let those who wait join people who have come into reach since, until nobody moves."""
        moved = True
        while moved:
            joined = [self.join(int(face)) for face in np.flatnonzero(self._waiting)]
            moved = any(joined)

    def _found(self, faces: list[int]) -> None:
        person = len(self._count)
        self._count = np.append(self._count, 0)
        self._mean = np.vstack([self._mean, np.zeros((1, self._mean.shape[1]))])
        self._mean_square = np.append(self._mean_square, np.inf)
        for face in faces:
            self._add(face, person, np.nan)
        for face in faces:
            self.distances[face] = self._distances(face)[person]
        self._welcome(person)

    def _welcome(self, person: int) -> None:
        """Let those who wait join a new person, nearest first."""
        while True:
            faces = np.flatnonzero(self._waiting)
            faces = faces[[self._accepts(int(face), person) for face in faces]]
            if not len(faces):
                return
            squared = ((self._vectors[faces] - self._mean[person]) ** 2).sum(1) + self._spread()[person]
            nearest = int(squared.argmin())
            if squared[nearest] > self._reach.join**2:
                return
            self._add(int(faces[nearest]), person, float(np.sqrt(squared[nearest])))

    def _accepts(self, face: int, person: int) -> bool:
        return (person, int(self._photos[face])) not in self._seen

    def _add(self, face: int, person: int, distance: float) -> None:
        self.labels[face] = person
        self.distances[face] = distance
        self._waiting[face] = False
        self._seen.add((person, int(self._photos[face])))
        self._count_in(face, person)

    def _count_in(self, face: int, person: int) -> None:
        vector, count = self._vectors[face], self._count[person]
        square = self._mean_square[person] * count if count else 0.0
        self._mean[person] = (self._mean[person] * count + vector) / (count + 1)
        self._mean_square[person] = (square + vector @ vector) / (count + 1)
        self._count[person] = count + 1

    def _spread(self) -> NDArray[np.float64]:
        """(P,) mean squared distance of each person's vectors to their mean."""
        spread: NDArray[np.float64] = np.maximum(self._mean_square - (self._mean**2).sum(1), 0)
        return spread

    def _distances(self, face: int) -> NDArray[np.float64]:
        """(P,) root mean square distances of a face to everyone's faces."""
        distances: NDArray[np.float64] = np.sqrt(((self._mean - self._vectors[face]) ** 2).sum(1) + self._spread())
        return distances
