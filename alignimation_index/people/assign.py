"""Which faces are one person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from alignimation_index.people.agglomerate import agglomerate
from alignimation_index.people.calibration import Calibration
from alignimation_index.people.constraints import Constraints, held_labels, start
from alignimation_index.people.faces import NOBODY, Assignments, Evidence, Faces, Flags, Labels, Rows
from alignimation_index.people.groups import Grouping
from alignimation_index.people.neighbours import nearest_pairs
from alignimation_index.people.observations import Observations, alike, observe
from alignimation_index.people.pairs import unique_pairs
from alignimation_index.people.recognise import keep_ids
from alignimation_index.people.verdicts import Verdicts, judge

# Up to so many faces, all that the machine said is thought over whenever a face comes, so that no order of arrival
# matters. Beyond, people found earlier stay together, and new faces join them or make them one.
FOUND_ANEW = 3_000
# How many neighbours come into question: of a face, of a face of a large library, and of an exemplar of a group.
NEIGHBOURS, NEIGHBOURS_OF_MANY, NEIGHBOURS_OF_GROUPS = 40, 8, 20
# New faces that are fewer than this share of a large library bring groups together only by being near to both.
FEW = 0.1
MAX_ROUNDS = 4
# How far above the threshold a face of a large library joins its best match without waiting for its turn.
BULK = 7.0


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
    is_large = len(faces) > FOUND_ANEW
    calibration = _for_so_many(calibration, len(faces))
    begin = start(observations, faces, evidence, is_large)
    constraints = Constraints(observations, faces, evidence, begin, calibration)
    grouping = Grouping(calibration, observations.exemplars, begin.group_of, begin.known)
    is_open = ((begin.known.labels == NOBODY) & (begin.machine == NOBODY))[begin.group_of]
    pairs = _pairs(observations, calibration, is_open, _waiting(observations, evidence), is_large)
    few = is_large and is_open.sum() < FEW * len(is_open)
    touched = _group(grouping, constraints, calibration, pairs, is_large, few)
    movable = touched & (is_open if is_large else (begin.known.labels == NOBODY)[begin.group_of])
    verdicts = judge(grouping, constraints, calibration, pairs, movable)
    return _assignments(faces, evidence, observations, verdicts)


def _for_so_many(calibration: Calibration, count: int) -> Calibration:
    """With the threshold that so many faces need: the likeliest of N strangers looks log N likelier than one.

    The coefficients' threshold holds up to FOUND_ANEW faces.
    """
    return replace(calibration, threshold=calibration.threshold + max(0.0, float(np.log(count / FOUND_ANEW))))


def _waiting(observations: Observations, evidence: Evidence) -> Flags:
    """(M,) which observations an earlier assignment left waiting, with no new face in them."""
    waiting = np.zeros(len(observations), bool)
    if evidence.waited is not None:
        taking_part = observations.of_face >= 0
        waiting[observations.of_face[taking_part & evidence.waited]] = True
        waiting[observations.of_face[taking_part & ~evidence.waited]] = False
    return waiting


def _pairs(
    observations: Observations, calibration: Calibration, is_open: Flags, waiting: Flags, is_large: bool
) -> Rows:
    """(P, 2) neighbours among observations; in a large library, of those that wait only if near a new one."""
    vectors = alike(observations.exemplars, calibration)
    if not is_large:
        return nearest_pairs(vectors, NEIGHBOURS, np.flatnonzero(is_open))
    pairs = nearest_pairs(vectors, NEIGHBOURS_OF_MANY, np.flatnonzero(is_open & ~waiting))
    again = np.unique(pairs[(is_open & waiting)[pairs]])
    more = nearest_pairs(vectors, NEIGHBOURS_OF_MANY, again)
    return unique_pairs(np.concatenate([pairs, more])) if len(more) else pairs


def _group(
    grouping: Grouping, constraints: Constraints, calibration: Calibration, pairs: Rows, is_large: bool, few: bool
) -> Flags:
    """Merge what is one person, in rounds; (M,) which observations are in groups that came into question."""
    looked_at = np.zeros(len(grouping.group_of), bool)
    looked_at[pairs] = True
    between = _between_groups(grouping.group_of[pairs])
    bulk = calibration.threshold + BULK if is_large else np.inf
    for _ in range(MAX_ROUNDS):
        before, first_of = len(grouping), grouping.group_of
        agglomerate(grouping, between, constraints, calibration.threshold, bulk)
        if len(grouping) == before or few:
            break
        between = _near_groups(grouping, calibration, _changed(grouping, first_of) if is_large else looked_at)
    touched = np.zeros(len(grouping), bool)
    touched[grouping.group_of[looked_at]] = True
    return touched[grouping.group_of]


def _changed(grouping: Grouping, before: Rows) -> Flags:
    """(M,) which observations are in groups of several earlier ones."""
    lowest, highest = np.full(len(grouping), len(before)), np.zeros(len(grouping), np.int64)
    np.minimum.at(lowest, grouping.group_of, before)
    np.maximum.at(highest, grouping.group_of, before)
    return np.asarray((lowest < highest)[grouping.group_of], np.bool_)


def _near_groups(grouping: Grouping, calibration: Calibration, looked_at: Flags) -> Rows:
    """Pairs of groups with exemplars that are near each other."""
    exemplars, group_of = grouping.exemplars()
    touched = np.zeros(len(grouping), bool)
    touched[grouping.group_of[looked_at]] = True
    pairs = nearest_pairs(alike(exemplars, calibration), NEIGHBOURS_OF_GROUPS, np.flatnonzero(touched[group_of]))
    return _between_groups(group_of[pairs])


def _between_groups(pairs: Rows) -> Rows:
    return unique_pairs(pairs[pairs[:, 0] != pairs[:, 1]])


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
