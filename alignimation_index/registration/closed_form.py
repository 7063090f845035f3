"""The registration of points in closed form: the similarity of least rendered difference, without rendering.

Draw a Gaussian of variance s₁ around each point of a photo after the warp and one of s₂ around each of the template's.
A similarity maps an isotropic Gaussian to an isotropic Gaussian, so the squared difference of the two drawings around a
point at distance d from its place is

    πs₁ + πs₂ − 4π·s₁s₂ / (s₁ + s₂) · exp(−d² / (2 (s₁ + s₂))),

a Welsch M-estimator on d (Holland & Welsch 1977): minimised by repeated least squares, each point weighed by its
exponential.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from alignimation_index.similarity import Matrices, Points, apply, fit_similarity

REWEIGHTINGS = 5


def fit_robustly(source: ArrayLike, target: ArrayLike, weights: ArrayLike, sigma: float) -> Matrices:
    """Fit similarities that bring points to places, each point counting the less the further off it stays.

    Args:
        source: (…, K, 2) points; finite also where their weight is 0.
        target: (…, K, 2) their places; leading dimensions of all three broadcast.
        weights: (…, K) not negative, any scale; 0 leaves a point out.
        sigma: deviation of the Gaussians around the targets and, after the warp, around the sources, in target units.

    Returns:
        (…, 2, 3) float64 `target_from_source`; nan where the weighed points coincide or are fewer than two.
    """
    *_, matrices = successive_fits(source, target, weights, sigma)
    return matrices


def successive_fits(source: ArrayLike, target: ArrayLike, weights: ArrayLike, sigma: float) -> Iterator[Matrices]:
    """The fits that lead to that of `fit_robustly`, whose arguments these are: least squares, then each reweighting."""
    base = np.asarray(weights, np.float64)
    matrices = fit_similarity(source, target, base)
    yield matrices
    for _ in range(REWEIGHTINGS):
        squared = squared_distances(matrices, source, target)
        matrices = fit_similarity(source, target, base * np.exp(-squared / (4 * sigma**2)))
        yield matrices


def drawn_difference(squared: Points, weights: ArrayLike, sigma: float) -> Points:
    """(…,) the module's loss of points at (…, K) squared distances, as a share of its value where none overlap.

    Both Gaussians have the deviation `sigma` after the warp, so that a point's loss is 2πσ² (1 − exp(−d² / 4σ²)).
    """
    base = np.asarray(weights, np.float64)
    difference: Points = (base * -np.expm1(-squared / (4 * sigma**2))).sum(-1) / base.sum(-1)
    return difference


def squared_distances(target_from_source: ArrayLike, source: ArrayLike, target: ArrayLike) -> Points:
    """(…, K) squared distances of the mapped points to their places, in target units."""
    squared: Points = ((apply(target_from_source, source) - np.asarray(target, np.float64)) ** 2).sum(-1)
    return squared


def root_mean_square(squared: Points, weights: ArrayLike) -> Points:
    """(…,) weighted root mean square of (…, K) squared distances; nan where no point has a weight."""
    base = np.asarray(weights, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual: Points = np.sqrt((base * squared).sum(-1) / base.sum(-1))
    return residual
