"""Plain ways to find people, to compare with: each returns labels by the setting of its threshold."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering
from sklearn.linear_model import LogisticRegression

from alignimation_index.people.faces import Faces
from alignimation_index.people.observations import SECONDS_PER_YEAR

Array = np.ndarray[Any, np.dtype[Any]]
Cuts = dict[Hashable, Array]


def _distances(faces: Faces) -> Array:
    squares = (faces.vectors[:, None].astype(np.float64) - faces.vectors[None]) ** 2
    return np.asarray(np.sqrt(squares.sum(2)))


def dbscan(_: Faces, __: Array, faces: Faces) -> Cuts:
    """By density, as several photo servers cluster."""
    distances = _distances(faces)
    return {
        (reach, least): DBSCAN(eps=reach, min_samples=least, metric="precomputed").fit_predict(distances)
        for reach in np.arange(0.3, 0.6, 0.02)
        for least in (2, 3)
    }


def hdbscan(_: Faces, __: Array, faces: Faces) -> Cuts:
    """By density at all scales."""
    distances = _distances(faces)
    return {
        (least, samples): HDBSCAN(
            min_cluster_size=least, min_samples=samples, metric="precomputed", copy=True
        ).fit_predict(distances)
        for least in (2, 3, 4)
        for samples in (1, 2, 3)
    }


def average_linkage(_: Faces, __: Array, faces: Faces) -> Cuts:
    """On distance."""
    distances = _distances(faces)
    return {cut: _linked(distances, cut) for cut in np.arange(0.4, 0.72, 0.02)}


def dated_average_linkage(fitted: Faces, who: Array, faces: Faces) -> Cuts:
    """On the log-likelihood ratio by distance and years between, a logistic regression with their interaction."""
    i, j = np.triu_indices(len(fitted), 1)
    same = who[i] == who[j]
    regression = LogisticRegression(C=1e3, max_iter=2000).fit(_features(fitted)[i, j], same)
    features = _features(faces)
    prior = np.log(same.mean() / (1 - same.mean()))
    ratios = regression.decision_function(features.reshape(-1, 3)).reshape(features.shape[:2]) - prior
    shift = 100.0  # distances are not negative
    dissimilar = shift - (ratios + ratios.T) / 2
    np.fill_diagonal(dissimilar, 0)
    return {cut: _linked(dissimilar, shift - cut) for cut in np.arange(-6, 4, 0.25)}


def _features(faces: Faces) -> Array:
    distances = _distances(faces)
    years = faces.taken_at_s / SECONDS_PER_YEAR
    gaps = np.log1p(abs(years[:, None] - years[None]))
    return np.stack([distances, gaps, distances * gaps], axis=-1)


def _linked(dissimilar: Array, cut: float) -> Array:
    linkage = AgglomerativeClustering(
        n_clusters=None, linkage="average", metric="precomputed", distance_threshold=float(cut)
    )
    return np.asarray(linkage.fit_predict(dissimilar))


PLAIN: dict[str, Callable[[Faces, Array, Faces], Cuts]] = {
    "DBSCAN": dbscan,
    "HDBSCAN": hdbscan,
    "average linkage": average_linkage,
    "average linkage, dated": dated_average_linkage,
}
