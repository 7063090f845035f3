"""What is said of each observation once groups are formed: its person and how sure, a doubt, or a suggestion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alignimation_index.people.calibration import Calibration
from alignimation_index.people.constraints import Constraints
from alignimation_index.people.faces import NOBODY, Flags, Labels, Reals, Rows
from alignimation_index.people.groups import Grouping

# A face is its person's if it is likelier than with anybody else by this much, in log-odds; below, it is a suggestion.
MARGIN = 0.5
# How far below the threshold a suggestion may be, in log-odds.
SUGGESTED = 3.0
RIVALS = 3


@dataclass(frozen=True)
class Verdicts:
    """Of M observations and G groups.

    Attributes:
        groups: (M,) the group of each observation, or NOBODY.
        scores: (M,) log-odds that it is; nan where not looked at.
        suggested: (M,) the group it may be of, or NOBODY.
        suggestion_scores: (M,) log-odds of that.
        known: (G,) the label that a group is known to have, or NOBODY.
    """

    groups: Labels
    scores: Reals
    suggested: Labels
    suggestion_scores: Reals
    known: Labels


def judge(
    grouping: Grouping, constraints: Constraints, calibration: Calibration, pairs: Rows, movable: Flags
) -> Verdicts:
    """Compare each movable observation with its own group and with those of its neighbours."""
    count = len(grouping.group_of)
    sizes = np.bincount(grouping.group_of, minlength=len(grouping))
    is_person = (sizes > 1) | (grouping.known.labels != NOBODY)
    own = np.where(is_person[grouping.group_of], grouping.group_of, NOBODY)
    looked_at = np.flatnonzero(movable & (sizes[grouping.group_of] > 1))
    scores = np.full(count, np.nan)
    scores[looked_at] = grouping.scores_of_members(looked_at)
    rival, rival_scores = _best_rivals(grouping, constraints, pairs, is_person)
    doubtful = (own != NOBODY) & (rival_scores > scores - MARGIN) & (rival_scores > calibration.threshold)
    doubtful &= movable
    moves = doubtful & (rival_scores > scores + MARGIN)
    suggested = np.where((own == NOBODY) & (rival_scores > calibration.threshold - SUGGESTED), rival, NOBODY)
    suggested = np.where(doubtful & ~moves, np.where(rival_scores > scores, rival, own), suggested)
    groups = np.where(moves, rival, np.where(doubtful, NOBODY, own))
    likeliest = np.where(suggested == own, scores, rival_scores)
    scores = np.where(moves, rival_scores, scores)
    wrong = _likelier_rejected(grouping, constraints, pairs, np.where(movable, groups, NOBODY), scores)
    suggested, likeliest = np.where(wrong, groups, suggested), np.where(wrong, scores, likeliest)
    return Verdicts(np.where(wrong, NOBODY, groups), scores, suggested, likeliest, grouping.known.labels)


def _likelier_rejected(
    grouping: Grouping, constraints: Constraints, pairs: Rows, groups: Labels, scores: Reals
) -> Flags:
    """(M,) whether an observation is likelier one with a neighbour that is not its person than with its person."""
    wrong = np.zeros(len(groups), bool)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.isin(both[:, 1], constraints.rejected[:, 0])]
    for row, anchor in constraints.rejected.tolist():
        near = both[(both[:, 1] == row) & (groups[both[:, 0]] == grouping.group_of[anchor]), 0]
        near = near[grouping.group_of[near] != grouping.group_of[row]]
        candidates = np.stack([near, np.full(len(near), grouping.group_of[row])], axis=1)
        wrong[near] |= grouping.scores_of_strangers(candidates) > scores[near]
    return wrong


def _best_rivals(grouping: Grouping, constraints: Constraints, pairs: Rows, is_person: Flags) -> tuple[Labels, Reals]:
    """(M,) the likeliest other person of each observation among its neighbours', and the log-odds of that."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    candidates = np.stack([both[:, 0], grouping.group_of[both[:, 1]]], axis=1)
    other = (grouping.group_of[candidates[:, 0]] != candidates[:, 1]) & is_person[candidates[:, 1]]
    candidates, near = np.unique(candidates[other], axis=0, return_counts=True)
    candidates = _first_of_each(candidates, near)
    candidates = candidates[~constraints.forbidden_members(grouping, candidates)]
    scores = grouping.scores_of_strangers(candidates)
    rival = np.full(len(grouping.group_of), NOBODY)
    best = np.full(len(grouping.group_of), -np.inf)
    order = np.argsort(scores, kind="stable")
    rival[candidates[order, 0]], best[candidates[order, 0]] = candidates[order, 1], scores[order]
    return rival, best


def _first_of_each(candidates: Rows, near: Rows) -> Rows:
    """Of each observation's candidates the RIVALS with most neighbours."""
    order = np.lexsort((-near, candidates[:, 0]))
    candidates = candidates[order]
    begins = np.searchsorted(candidates[:, 0], candidates[:, 0])
    return candidates[np.arange(len(candidates)) - begins < RIVALS]
