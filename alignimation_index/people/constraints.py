"""What cannot be one person, and whom groups are known to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alignimation_index.people.calibration import Calibration
from alignimation_index.people.faces import NOBODY, Evidence, Faces, Flags, Labels, Rows
from alignimation_index.people.groups import Grouping, Known
from alignimation_index.people.likelihood import UNKNOWN, contradiction
from alignimation_index.people.observations import SECONDS_PER_YEAR, Observations
from alignimation_index.people.pairs import pair_keys, unique_pairs

# Standard deviations of the apparent age beyond which a face is not somebody's of that age.
GROSS = 3.5


@dataclass(frozen=True)
class Start:
    """Groups before anything is merged.

    Attributes:
        group_of: (M,) the group of each observation.
        known: of the groups.
        machine: (G,) the label that an earlier run gave a group, or NOBODY.
    """

    group_of: Rows
    known: Known
    machine: Labels


def held_labels(evidence: Evidence) -> Rows:
    """People of whom a human said something: they are kept as they are."""
    spoken_of = {label for pair in evidence.apart for label in pair} | {label for _, label in evidence.rejected}
    spoken_of |= evidence.spoken_of | set(evidence.born_s)
    labels = {int(label) for label in np.unique(evidence.answered)} | spoken_of
    return np.array(sorted(labels - {NOBODY}), np.int64)


def start(observations: Observations, faces: Faces, evidence: Evidence, keep_settled: bool) -> Start:
    """Whom observations are before the machine looks.

    A person of whom anything was said begins with the faces that were answered, and those settled so far: that a face
    is theirs does not mean that the others are not. With `keep_settled`, so does everybody else who was found earlier.
    """
    held = held_labels(evidence)
    label_of = np.where(evidence.answered != NOBODY, evidence.answered, _settled(faces, evidence, held, keep_settled))
    observed = np.full(len(observations), NOBODY)
    taking_part = observations.of_face >= 0
    np.maximum.at(observed, observations.of_face[taking_part], label_of[taking_part])
    # People first, then everyone who is alone.
    keys = np.where(observed != NOBODY, observed, observed.max(initial=0) + 1 + np.arange(len(observed)))
    _, first, group_of = np.unique(keys, return_index=True, return_inverse=True)
    machine = observed[first]
    labels = np.where(np.isin(machine, held), machine, NOBODY)
    born = np.array([_birth_year(evidence, int(label)) for label in labels], np.int64)
    return Start(group_of, Known(labels, born), np.where(labels == NOBODY, machine, NOBODY))


def _settled(faces: Faces, evidence: Evidence, held: Rows, keep_settled: bool) -> Labels:
    """(N,) labels of the settled faces that start with their person."""
    kept = np.isin(evidence.settled, held)
    if keep_settled:
        kept = evidence.settled != NOBODY
    for row, label in evidence.rejected:
        kept[row] &= bool(evidence.settled[row] != label)
    for label, born_s in evidence.born_s.items():
        kept &= ~((evidence.settled == label) & (faces.taken_at_s < born_s))
    return np.where(kept, evidence.settled, NOBODY)


def _birth_year(evidence: Evidence, label: int) -> int:
    born_s = evidence.born_s.get(label)
    return UNKNOWN if born_s is None else int(np.floor(1970 + born_s / SECONDS_PER_YEAR))


class Constraints:
    """Pairs of observations that are never in one group.

    Attributes:
        rejected: (R, 2) an observation and one of the person that it is not.
    """

    def __init__(
        self, observations: Observations, faces: Faces, evidence: Evidence, begin: Start, calibration: Calibration
    ) -> None:
        anchors = {int(label): int(np.argmax(begin.group_of == group)) for group, label in _known(begin)}
        rejected = [(observations.of_face[row], anchors[label]) for row, label in evidence.rejected if label in anchors]
        self.rejected = np.array([pair for pair in rejected if pair[0] >= 0], np.int64).reshape(-1, 2)
        pairs = [observations.photo_pairs, self.rejected]
        for label, born_s in evidence.born_s.items():
            if label in anchors:
                wrong = _of_another_age(observations, faces, born_s, calibration)
                wrong = wrong[begin.group_of[wrong] != begin.group_of[anchors[label]]]
                pairs.append(np.stack([wrong, np.full_like(wrong, anchors[label])], axis=1))
        self._pairs = np.concatenate(pairs)
        self._pairs = self._pairs[(self._pairs >= 0).all(1)]

    def apart(self, grouping: Grouping) -> Rows:
        """(P, 2) groups that have members which are never in one, as `unique_pairs`."""
        return unique_pairs(grouping.group_of[self._pairs])

    def forbidden_members(self, grouping: Grouping, candidates: Rows) -> Flags:
        """(P,) whether observations cannot be of groups, by (P, 2) pairs of both."""
        both = np.concatenate([self._pairs, self._pairs[:, ::-1]])
        apart = np.unique(both[:, 0] * len(grouping) + grouping.group_of[both[:, 1]])
        return np.isin(candidates[:, 0] * len(grouping) + candidates[:, 1], apart)


def _known(begin: Start) -> list[tuple[int, int]]:
    groups = np.flatnonzero(begin.known.labels != NOBODY)
    return [(int(group), int(begin.known.labels[group])) for group in groups]


def _of_another_age(observations: Observations, faces: Faces, born_s: float, calibration: Calibration) -> Rows:
    born = int(np.floor(1970 + born_s / SECONDS_PER_YEAR))
    wrong = contradiction(observations.exemplars, born, calibration) > GROSS
    before = (faces.taken_at_s < born_s) & (observations.of_face >= 0)
    wrong[observations.of_face[before]] = True
    return np.flatnonzero(wrong)


def forbidden(grouping: Grouping, pairs: Rows, apart: Rows) -> Flags:
    """(P,) whether pairs of groups cannot be one person; `apart` of them have members that are never in one."""
    labels = grouping.known.labels[pairs]
    named = (labels != NOBODY).all(1) & (labels[:, 0] != labels[:, 1])
    return np.asarray(named | np.isin(pair_keys(pairs, len(grouping)), pair_keys(apart, len(grouping))))
