"""Which faces are one person: grows with every face, never starts over.

A face joins the nearest person within reach. Otherwise it waits, and three waiting faces that agree found a person,
whom others that wait may then join. Nobody is twice in a photo.

The distance to a person is the root mean square distance to the person's faces, which needs only their mean and their
spread: Σ‖x − vᵢ‖²/n = ‖x − v̄‖² + Σ‖vᵢ − v̄‖²/n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import Float
from alignimation_index.people.calibration import Calibration
from alignimation_index.people.faces import NOBODY, Assignments, Evidence, Faces, Labels

# Shares of the reach: an assigned face beyond the first is doubtful, a waiting one within the second has a suggestion.
DOUBTFUL_BEYOND, SUGGESTED_WITHIN = 0.9, 1.15
LOG_ODDS_PER_REACH = 10.0


def assign_faces(faces: Faces, evidence: Evidence, calibration: Calibration) -> Assignments:
    """Assign faces to people, in the order in which they are given.

    Faces that are answered or settled stay who they are; new people are numbered on from the highest label there is.
    """
    growing = _Growing(faces, evidence, calibration)
    for face in growing.open_faces():
        if not growing.join(face):
            growing.wait(face)
            growing.found(face)
    growing.join_late()
    growing.measure_settled()
    return Assignments(growing.labels, _scores(growing.distances, calibration), *growing.suggestions())


def _scores(distances: Float, calibration: Calibration) -> Float:
    scores: Float = (LOG_ODDS_PER_REACH * (1 - distances / calibration.join)).astype(np.float32)
    return scores


class _Growing:
    """The people so far, as the mean and mean squared length of their vectors, and who waits."""

    def __init__(self, faces: Faces, evidence: Evidence, calibration: Calibration) -> None:
        self._vectors = faces.vectors.astype(np.float64)
        self._photos = faces.photos
        self._taken_at_s = faces.taken_at_s
        self._evidence = evidence
        self._reach = calibration
        self._waiting = np.zeros(len(faces.photos), bool)
        known = np.where(evidence.answered != NOBODY, evidence.answered, evidence.settled)
        self.labels: Labels = np.where(evidence.ignored, NOBODY, known)
        self.distances = np.full(len(faces.photos), np.nan, np.float32)
        self._seen = set(zip(self.labels.tolist(), faces.photos.tolist(), strict=True))
        mentioned = [
            *evidence.born_s,
            *(label for _, label in evidence.rejected),
            *(max(pair) for pair in evidence.apart),
        ]
        people = max([int(known.max(initial=NOBODY)), *mentioned]) + 1
        self._count = np.zeros(people)
        self._mean = np.zeros((people, faces.vectors.shape[1]))
        self._mean_square = np.full(people, np.inf)  # a label that nobody has is out of everyone's reach
        for face in np.flatnonzero(self.labels != NOBODY):
            self._count_in(int(face), int(self.labels[face]))

    def open_faces(self) -> list[int]:
        """Those that are to be assigned."""
        return [int(face) for face in np.flatnonzero((self.labels == NOBODY) & ~self._evidence.ignored)]

    def measure_settled(self) -> None:
        """Set the distances of faces that were settled before."""
        settled = np.flatnonzero((self._evidence.settled != NOBODY) & (self._evidence.answered == NOBODY))
        people = self.labels[settled]
        away = ((self._mean[people] - self._vectors[settled]) ** 2).sum(1)
        self.distances[settled] = np.sqrt(away + self._spread()[people])

    def suggestions(self) -> tuple[Labels, Float]:
        """(N,) who waiting and doubtful faces may be, and (N,) float32 log-odds."""
        suggested: Labels = np.full(len(self.labels), NOBODY, np.int64)
        distances = np.full(len(self.labels), np.nan, np.float32)
        doubtful = self.distances > DOUBTFUL_BEYOND * self._reach.join
        suggested[doubtful], distances[doubtful] = self.labels[doubtful], self.distances[doubtful]
        for face in np.flatnonzero(self._waiting).tolist():
            near = self._distances(face)
            for person in np.argsort(near)[: np.count_nonzero(near <= SUGGESTED_WITHIN * self._reach.join)].tolist():
                if self._accepts(face, person):
                    suggested[face], distances[face] = person, near[person]
                    break
        return suggested, _scores(distances, self._reach)

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
        born_s = self._evidence.born_s.get(person, -np.inf)
        return (
            (person, int(self._photos[face])) not in self._seen
            and (face, person) not in self._evidence.rejected
            and not self._taken_at_s[face] < born_s
        )

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
