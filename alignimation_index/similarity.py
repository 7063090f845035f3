"""Similarity transforms of the plane: the closed-form fit, and composing, inverting and applying 2x3 matrices.

Convention: points are (x, y), y down; a matrix is (…, 2, 3) and says its direction right to left,
`target_from_source @ [x, y, 1]`. Every function works on whole batches at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrices = NDArray[np.float64]
Points = NDArray[np.float64]


def fit_similarity(source: ArrayLike, target: ArrayLike, weights: ArrayLike | None = None) -> Matrices:
    """Fit the rotation, uniform scale and translation that take `source` nearest to `target`.

    Minimises Σ wᵢ ‖qᵢ - a·sᵢ - t‖² (Umeyama 1991, without reflections). In the plane, with points as complex
    numbers and centred on their weighted means, the solution is a = Σ wᵢ s̄ᵢ qᵢ / Σ wᵢ |sᵢ|².

    Args:
        source: (…, N, 2) points; leading dimensions of all three arguments broadcast.
        target: (…, N, 2) points.
        weights: (…, N) not negative, any scale; None weighs all points alike.

    Returns:
        (…, 2, 3) float64 `target_from_source`; nan where the weighed source points coincide, since a single
        point fixes neither rotation nor scale.
    """
    s, q = _as_complex(source), _as_complex(target)
    w = np.ones(s.shape[-1]) if weights is None else np.asarray(weights, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        w = w / w.sum(-1, keepdims=True)
        s_mean, q_mean = (w * s).sum(-1), (w * q).sum(-1)
        s = s - s_mean[..., None]
        a = (w * s.conj() * (q - q_mean[..., None])).sum(-1) / (w * np.abs(s) ** 2).sum(-1)
    return _from_complex(a, q_mean - a * s_mean)


def compose(c_from_b: ArrayLike, b_from_a: ArrayLike) -> Matrices:
    """Chain two (…, 2, 3) affine matrices into `c_from_a`; leading dimensions broadcast."""
    outer, inner = np.asarray(c_from_b, np.float64), np.asarray(b_from_a, np.float64)
    composed = outer[..., :2] @ inner
    composed[..., 2] += outer[..., 2]
    return composed


def invert(b_from_a: ArrayLike) -> Matrices:
    """Invert (…, 2, 3) affine matrices into `a_from_b`.

    Raises:
        numpy.linalg.LinAlgError: a matrix maps the plane to a line or a point.
    """
    matrix = np.asarray(b_from_a, np.float64)
    linear = np.linalg.inv(matrix[..., :2])
    return np.concatenate([linear, -linear @ matrix[..., 2:]], axis=-1)


def apply(b_from_a: ArrayLike, points: ArrayLike) -> Points:
    """Map (…, N, 2) points of `a` by (…, 2, 3) affine matrices to (…, N, 2) float64 points of `b`."""
    matrix = np.asarray(b_from_a, np.float64)
    mapped: Points = np.asarray(points, np.float64) @ matrix[..., :2].swapaxes(-1, -2) + matrix[..., None, :, 2]
    return mapped


def scale_of(b_from_a: ArrayLike) -> NDArray[np.float64]:
    """Length in `b` of a unit of length in `a`, (…,) float64: the root of the area ratio, where axes differ."""
    scales: NDArray[np.float64] = np.sqrt(np.abs(np.linalg.det(np.asarray(b_from_a, np.float64)[..., :2])))
    return scales


def _as_complex(points: ArrayLike) -> NDArray[np.complex128]:
    xy = np.asarray(points, np.float64)
    return xy[..., 0] + 1j * xy[..., 1]


def _from_complex(a: NDArray[np.complex128], t: NDArray[np.complex128]) -> Matrices:
    a, t = np.broadcast_arrays(a, t)
    return np.stack([np.stack([a.real, -a.imag, t.real], -1), np.stack([a.imag, a.real, t.imag], -1)], -2)
