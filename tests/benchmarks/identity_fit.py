"""Fit the coefficients of `people.calibration` to faces whose person and age are known."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from alignimation_index.people.calibration import AGE_OFFSET, Calibration

KNOTS = (0.0, 5.0, 12.0, 20.0, 40.0, 70.0)
DRIFT_OFFSET = 3.0
DIMENSIONS = 30.0
THRESHOLD = 1.0
# How strongly neighbouring knots are held together, in faces; and the regression of age to its mean.
SMOOTH_MEAN, SMOOTH_SPREAD, RIDGE = 3.0, 15.0, 0.3

Array = np.ndarray[Any, np.dtype[Any]]


def fit_calibration(vectors: Array, people: Array, ages: Array, provenance: str = "") -> Calibration:
    """Fit to (N, D) vectors of (N,) people at (N,) ages in years."""
    vectors, ages = vectors.astype(np.float64), np.floor(ages)
    weights = np.stack([np.interp(ages, KNOTS, row) for row in np.eye(len(KNOTS))], axis=1)
    mean = vectors.mean(0)
    mean_at_knots = _smooth(weights, vectors - mean, SMOOTH_MEAN)
    rest = vectors - mean - weights @ mean_at_knots
    spread = _smooth(weights, (rest**2).sum(1), SMOOTH_SPREAD)
    scaled = rest / np.sqrt(weights @ spread)[:, None]
    scaled /= np.sqrt((scaled**2).sum(1).mean())
    correlation, drift = _fit_drift(scaled, people, ages)
    told = np.log(ages + AGE_OFFSET)
    slope, intercept = _fit_age(vectors - mean, told)
    return Calibration(
        provenance=provenance,
        mean=_rounded(mean),
        knots=KNOTS,
        mean_at_knots=tuple(_rounded(row) for row in mean_at_knots),
        spread_at_knots=_rounded(spread),
        correlation=round(correlation, 3),
        drift=round(drift, 2),
        drift_offset=DRIFT_OFFSET,
        dimensions=DIMENSIONS,
        age_weights=_rounded(slope),
        age_intercept=round(float(intercept), 4),
        age_error=round(_age_error(vectors - mean, people, told), 3),
        threshold=THRESHOLD,
    )


def write(calibration: Calibration, path: Path) -> None:
    """Write coefficients as the package reads them, one key a line."""
    lines = [
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in asdict(calibration).items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _smooth(weights: Array, values: Array, smoothness: float) -> Array:
    steps = np.diff(np.eye(weights.shape[1]), axis=0)
    return np.asarray(np.linalg.solve(weights.T @ weights + smoothness * steps.T @ steps, weights.T @ values))


def _fit_drift(scaled: Array, people: Array, ages: Array) -> tuple[float, float]:
    """Correlation at no drift, and the drift length, least squares over pairs of one person."""
    i, j = np.triu_indices(len(scaled), 1)
    same = people[i] == people[j]
    i, j = i[same], j[same]
    correlations = (scaled[i] * scaled[j]).sum(1)
    drifts = abs(np.log(ages[i] + DRIFT_OFFSET) - np.log(ages[j] + DRIFT_OFFSET))
    fits = []
    for length in np.arange(0.3, 4, 0.05):
        falling = np.exp(-drifts / length)
        top = falling @ correlations / (falling @ falling)
        fits.append((((correlations - top * falling) ** 2).sum(), float(top), float(length)))
    _, top, length = min(fits)
    return top, length


def _fit_age(centred: Array, told: Array) -> tuple[Array, float]:
    offset = centred.mean(0)
    gram = (centred - offset).T @ (centred - offset) + RIDGE * np.eye(centred.shape[1])
    slope = np.linalg.solve(gram, (centred - offset).T @ (told - told.mean()))
    return slope, float(told.mean() - offset @ slope)


def _age_error(centred: Array, people: Array, told: Array) -> float:
    """Standard deviation of the error for people who were left out of the fit."""
    errors = []
    for person in np.unique(people):
        out = people == person
        slope, intercept = _fit_age(centred[~out], told[~out])
        errors.append(centred[out] @ slope + intercept - told[out])
    return float(np.concatenate(errors).std())


def _rounded(values: Array) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
