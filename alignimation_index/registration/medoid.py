"""The reference body where nobody named one: the medoid, the photo nearest to all others after registration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignimation_index.errors import UserError
from alignimation_index.registration.bodies import SIGMA_OF_START, Bodies, register_bodies
from alignimation_index.registration.closed_form import fit_robustly, squared_distances
from alignimation_index.registration.keypoints import LEAST_KEYPOINTS, columns_of
from alignimation_index.similarity import apply

# Registering every photo to every other would take hours for a thousand of them: keypoints choose the candidates, and
# masks decide among those, each against a spread of the photos.
MOST_PAIRED, CANDIDATES, JUDGES = 256, 12, 48
# The loss of a photo that cannot be registered to a candidate.
NO_MATCH = 1.0


def choose_reference(bodies: Bodies, names: Sequence[str], *, device: str | None = None) -> int:
    """Choose the medoid among bodies; of a long series, among photos spread evenly over it.

    Args:
        bodies: N, in any order that is the same each time.
        names: of the keypoints that they will be registered by.
        device: where to compute; None for the CPU.

    Returns:
        Its row: of the candidates, that to which the others come nearest, by the mean of their losses.

    Raises:
        UserError: no body shows two of the keypoints.
    """
    shown = (bodies.seen[:, columns_of(names)] > 0).sum(1) >= LEAST_KEYPOINTS
    rows = np.flatnonzero(shown & np.isfinite(bodies.masks.frame_from_photo).all((1, 2)))
    if len(rows) == 0:
        raise UserError(f"no body shows two of {', '.join(names)}; choose other keypoints")
    paired = rows[_spread(len(rows), MOST_PAIRED)]
    candidates = paired[np.argsort(_keypoint_distances(bodies.at(paired), names).mean(0), kind="stable")[:CANDIDATES]]
    judges = bodies.at(rows[_spread(len(rows), JUDGES)])
    losses = [
        np.nan_to_num(register_bodies(judges, bodies.at(row), names, device=device).loss_after, nan=NO_MATCH).mean()
        for row in candidates
    ]
    return int(candidates[np.argmin(losses)])


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """So many of `count` rows at most, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _keypoint_distances(bodies: Bodies, names: Sequence[str]) -> NDArray[np.float64]:
    """(N, N) how far row i's keypoints stay from column j's, 0..1 as Welsch's estimator counts; 1 for too few."""
    columns, side = columns_of(names), bodies.masks.pixels.shape[-1]
    seen = bodies.seen[:, columns] > 0
    points = apply(bodies.masks.frame_from_photo, np.where(seen[..., None], bodies.keypoints[:, columns], 0))
    both = (seen[:, None] & seen[None]).astype(np.float64)
    matrices = fit_robustly(points[:, None], points[None], both, SIGMA_OF_START * side)
    squared = squared_distances(matrices, points[:, None], points[None])
    far = -np.expm1(-squared / (4 * (SIGMA_OF_START * side) ** 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (both * far).sum(-1) / both.sum(-1)
    return np.where(both.sum(-1) >= LEAST_KEYPOINTS, np.nan_to_num(mean, nan=1.0), 1.0)
