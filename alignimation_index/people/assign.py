"""Which faces are one person."""

from __future__ import annotations

import numpy as np

from alignimation_index.people.agglomerate import agglomerate
from alignimation_index.people.calibration import Calibration
from alignimation_index.people.constraints import Constraints, held_labels, start
from alignimation_index.people.faces import NOBODY, Assignments, Evidence, Faces, Flags, Labels, Rows
from alignimation_index.people.groups import Grouping
from alignimation_index.people.likelihood import Likelihood
from alignimation_index.people.neighbours import nearest_pairs
from alignimation_index.people.observations import Observations, alike, observe
from alignimation_index.people.recognise import keep_ids
from alignimation_index.people.verdicts import Verdicts, judge

# Up to so many faces, all that the machine said is thought over whenever a face comes, so that no order of arrival
# matters. Beyond, people found earlier stay together, and new faces join them or make them one.
FOUND_ANEW = 3_000
# How many neighbours come into question: of a face, of a face of a large library, and of an exemplar of a group.
NEIGHBOURS, NEIGHBOURS_OF_MANY, NEIGHBOURS_OF_GROUPS = 40, 8, 20
MAX_ROUNDS = 4


def assign_faces(faces: Faces, evidence: Evidence, calibration: Calibration) -> Assignments:
    """Assign faces to people.

    Args:
        faces: all faces of one embedder, in any order.
        evidence: what is known of them.
        calibration: the embedder's.

    Returns:
        Who is who. The score of a settled face that was not looked at again is nan: its earlier one stands.
    """
    if evidence.ignored.all():
        return _nobody(len(faces))
    observations = observe(faces, evidence, calibration)
    begin = start(observations, faces, evidence, len(faces) > FOUND_ANEW)
    likelihood = Likelihood(calibration, observations.exemplars)
    constraints = Constraints(observations, faces, evidence, begin, likelihood)
    grouping = Grouping(calibration, observations.exemplars, begin.group_of, begin.known)
    vectors = alike(observations.exemplars, calibration)
    open_rows = np.flatnonzero(
        (begin.known.labels == NOBODY)[begin.group_of] & (begin.machine == NOBODY)[begin.group_of]
    )
    pairs = nearest_pairs(vectors, NEIGHBOURS if len(vectors) <= FOUND_ANEW else NEIGHBOURS_OF_MANY, open_rows)
    touched = _group(grouping, constraints, calibration, pairs)
    movable = touched & (begin.known.labels == NOBODY)[begin.group_of]
    verdicts = judge(grouping, constraints, calibration, pairs, movable)
    return _assignments(faces, evidence, observations, verdicts)


def _group(grouping: Grouping, constraints: Constraints, calibration: Calibration, pairs: Rows) -> Flags:
    """Merge what is one person, in rounds; (M,) which observations are in groups that came into question."""
    looked_at = np.zeros(len(grouping.group_of), bool)
    looked_at[pairs] = True
    between = _between_groups(grouping.group_of[pairs])
    for _ in range(MAX_ROUNDS):
        touched = np.zeros(len(grouping), bool)
        touched[grouping.group_of[looked_at]] = True
        before = len(grouping)
        agglomerate(grouping, between, constraints.forbidden, calibration.threshold)
        if len(grouping) == before:
            break
        between = _near_groups(grouping, calibration, looked_at)
    touched = np.zeros(len(grouping), bool)
    touched[grouping.group_of[looked_at]] = True
    return touched[grouping.group_of]


def _near_groups(grouping: Grouping, calibration: Calibration, looked_at: Flags) -> Rows:
    """Pairs of groups with exemplars that are near each other."""
    exemplars, group_of = grouping.exemplars()
    touched = np.zeros(len(grouping), bool)
    touched[grouping.group_of[looked_at]] = True
    pairs = nearest_pairs(alike(exemplars, calibration), NEIGHBOURS_OF_GROUPS, np.flatnonzero(touched[group_of]))
    return _between_groups(group_of[pairs])


def _between_groups(pairs: Rows) -> Rows:
    pairs = np.sort(pairs, axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def _nobody(count: int) -> Assignments:
    nobody, unknown = np.full(count, NOBODY, np.int64), np.full(count, np.nan, np.float32)
    return Assignments(nobody, unknown, nobody.copy(), unknown.copy())


def _assignments(faces: Faces, evidence: Evidence, observations: Observations, verdicts: Verdicts) -> Assignments:
    """From groups of observations to labels of faces."""
    result = _nobody(len(faces))
    rows = np.flatnonzero(observations.of_face >= 0)
    seen = observations.of_face[rows]
    groups = np.full(len(faces), NOBODY)
    groups[rows] = verdicts.groups[seen]
    label_of = _labels_of_groups(groups, evidence, verdicts.known)
    lookup = np.append(label_of, NOBODY)
    result.labels[rows] = lookup[verdicts.groups[seen]]
    result.scores[rows] = verdicts.scores[seen]
    result.suggested[rows] = lookup[verdicts.suggested[seen]]
    result.suggestion_scores[rows] = verdicts.suggestion_scores[seen]
    is_answered = evidence.answered != NOBODY
    is_answered &= ~evidence.ignored
    result.labels[is_answered] = evidence.answered[is_answered]
    result.scores[is_answered | (result.labels == NOBODY)] = np.nan
    result.suggested[is_answered] = NOBODY
    result.suggestion_scores[result.suggested == NOBODY] = np.nan
    return result


def _labels_of_groups(groups: Labels, evidence: Evidence, known: Labels) -> Labels:
    """(G,) the label of each group: the known one, else that of most of its faces, else the next new one."""
    held = held_labels(evidence)
    before = np.where(np.isin(evidence.settled, held), NOBODY, evidence.settled)
    unnamed = np.where(groups == NOBODY, NOBODY, np.where(known[groups] == NOBODY, groups, NOBODY))
    kept = keep_ids(unnamed, before)
    labels = known.copy()
    following = int(max([*held.tolist(), evidence.settled.max(initial=NOBODY)], default=NOBODY)) + 1
    used, first = np.unique(unnamed, return_index=True)
    for group in used[np.argsort(first)].tolist():
        if group == NOBODY:
            continue
        labels[group] = kept.get(group, following)
        following += group not in kept
    return np.asarray(labels, np.int64)
