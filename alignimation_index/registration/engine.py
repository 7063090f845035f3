"""The registration engine: a batch of masks brought onto a template by similarities, each by its squared difference.

It knows neither bodies nor faces. From a start near the solution it minimises, for each photo on its own,

    Σ over channels and template pixels of weight · ρ(warped − template)  +  Σ over points of weight · distance²

by Levenberg-Marquardt from coarse to fine. ρ is the square, or Welsch's bounded version of it (Holland & Welsch 1977):
ρ(r) = 2c² (1 − exp(−r² / (2c²))).

Convention: pixel coordinates with the centre of the first pixel at (0, 0), x to the right, y down; matrices are (2, 3)
and say their direction right to left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from alignimation_index.datatypes import Float
from alignimation_index.registration.descent import Level, descend, loss_of
from alignimation_index.registration.pyramid import build_levels, coarser, finer
from alignimation_index.similarity import invert

MaskArray: TypeAlias = "ArrayLike | Tensor"
"""Anything that torch.as_tensor takes: an array, or a tensor on any device."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How masks are compared, and when a photo is done.

    Attributes:
        levels: full size, half size and so on; 1 works at full size only.
        blur_px: deviation of a Gaussian that smooths both masks at every level, in pixels of that level.
        bound: c of the module's ρ, in the masks' units: larger differences count little. None for squares.
        max_iterations: per photo and level.
        tolerance_px: a level is done when its step moves no pixel of the template's middle, as far as half its longer
            side, by more; in pixels of that level.
    """

    levels: int = 3
    blur_px: float = 0.0
    bound: float | None = None
    max_iterations: int = 40
    tolerance_px: float = 0.01


@dataclass(frozen=True, slots=True)
class PointPairs:
    """Points that the transform should bring together, whatever the masks say.

    Attributes:
        photo: (N, K, 2) in pixels of each photo's mask; ignored where the weight is 0.
        template: (K, 2), or (N, K, 2), in pixels of the template's mask.
        weight: (N, K), in units of the loss per squared pixel of the template.
    """

    photo: NDArray[np.floating[Any]]
    template: NDArray[np.floating[Any]]
    weight: NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Registrations:
    """Transforms of N photos, and how they were reached.

    Attributes:
        template_from_photo: (N, 2, 3) float32 similarities, pixels of the photo's mask to pixels of the template's.
        loss_before: (N,) float32, the loss of the start at full size, divided by the sum of the pixels' weights.
        loss_after: (N,) float32, that of the result; never above loss_before.
        iterations: (N,) int64, over all levels.
        converged: (N,) bool: the last step at full size was below the tolerance, or changed the loss by a thousandth of
            it at most.
    """

    template_from_photo: Float
    loss_before: Float
    loss_after: Float
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]


def register_masks(
    moving: MaskArray,
    template: MaskArray,
    start: ArrayLike,
    *,
    weight: MaskArray | None = None,
    known: MaskArray | None = None,
    points: PointPairs | None = None,
    settings: Settings | None = None,
    device: str | torch.device | None = None,
) -> Registrations:
    """Register a batch of masks to a template, each with its own damping and stopping.

    Args:
        moving: (N, C, h, w) masks of the photos; 0 outside.
        template: (C, H, W), or (N, C, H, W) for one template per photo.
        start: (N, 2, 3) similarities `template_from_photo`; `similarity.fit_similarity` makes them from points.
        weight: of the template's pixels, broadcast to (N, C, H, W); None weighs all alike.
        known: (N, 1, h, w), 1 where `moving` is known, 0 where not, as beyond the photo's edges; what is unknown does
            not count. Outside, its edges go on. None: all is known, and outside is empty.
        points: pairs of points whose distances count as well.
        settings: of the comparison and the stopping; None for plain squares.
        device: where to compute; None stays where `moving` is, which for arrays is the CPU.

    Returns:
        The transforms. Where a start is not finite, they and the losses are nan.

    Raises:
        ValueError: shapes do not belong together.
    """
    chosen = settings or Settings()
    full = _full_level(moving, template, weight, known, points, device)
    begin = np.asarray(start, np.float64)
    if begin.shape != (len(full.moving), 2, 3):
        raise ValueError(f"start has the shape {begin.shape}, expected {(len(full.moving), 2, 3)}")
    usable: NDArray[np.bool_] = np.asarray(np.isfinite(begin).all(axis=(1, 2)), np.bool_)
    if not usable.any():
        return _unusable(len(usable))
    rows = torch.as_tensor(np.flatnonzero(usable), device=full.moving.device)
    return _spread(_register(full.at(rows), begin[usable], chosen), usable)


def join(parts: Sequence[Registrations]) -> Registrations:
    """Batches of photos as one."""
    return Registrations(*(np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].__slots__))


def _register(full: Level, start: NDArray[np.float64], settings: Settings) -> Registrations:
    """Descend level by level; at full size from the better of the start and what the coarse levels found."""
    begin = torch.as_tensor(invert(start), dtype=torch.float32, device=full.moving.device)
    photo_from_template, iterations = begin, torch.zeros(len(begin), dtype=torch.int64, device=begin.device)
    *coarse, last = build_levels(full, settings.levels, settings.blur_px)
    for level in coarse:
        fit = descend(level.seen_by(coarser(photo_from_template, level.factor)), settings)
        photo_from_template = finer(fit.photo_from_template, level.factor)
        iterations = iterations + fit.iterations
    level = last.seen_by(photo_from_template)
    before, found = loss_of(level, begin, settings.bound), loss_of(level, photo_from_template, settings.bound)
    entry = torch.where((before < found)[:, None, None], begin, photo_from_template)
    fit = descend(replace(level, start=entry), settings)
    total = level.total_weight()
    return Registrations(
        invert(fit.photo_from_template.cpu().numpy()).astype(np.float32),
        (before / total).cpu().numpy(),
        (fit.loss / total).cpu().numpy(),
        (iterations + fit.iterations).cpu().numpy(),
        fit.converged.cpu().numpy(),
    )


def _full_level(
    moving: MaskArray,
    template: MaskArray,
    weight: MaskArray | None,
    known: MaskArray | None,
    points: PointPairs | None,
    device: str | torch.device | None,
) -> Level:
    """The masks as float32 tensors on one device, with a batch dimension each, checked against each other."""
    photos = _tensor(moving, device)
    if photos.ndim != 4:
        raise ValueError(f"moving has the shape {tuple(photos.shape)}, expected (N, C, h, w)")
    count, where = len(photos), photos.device
    target = _tensor(template, where)
    target = target.expand(count, *target.shape[-3:])
    if target.shape[1] != photos.shape[1]:
        raise ValueError(f"template has {target.shape[1]} channels, moving has {photos.shape[1]}")
    weights = torch.ones(1, 1, 1, 1, device=where) if weight is None else _tensor(weight, where)
    channels = weights.shape[-3] if weights.ndim > 2 else 1
    weights = weights.expand(count, channels, *target.shape[-2:])
    seen = None if known is None else _tensor(known, where).expand(count, 1, *photos.shape[-2:])
    return Level(photos, target, weights, seen, *_pairs(points, count, where))


def _pairs(points: PointPairs | None, count: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Points as (N, K, 2), (N, K, 2) and (N, K) tensors, zero where the weight is."""
    if points is None:
        none = torch.zeros(count, 0, 2, device=device)
        return none, none, none[..., 0]
    photo, weight = _tensor(points.photo, device), _tensor(points.weight, device)
    template = _tensor(points.template, device).expand_as(photo)
    used = weight[..., None] > 0
    return torch.where(used, photo, 0), torch.where(used, template, 0), weight


def _tensor(values: MaskArray, device: str | torch.device | None) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32, device=device)


def _spread(found: Registrations, usable: NDArray[np.bool_]) -> Registrations:
    """The results of the usable photos among those of all."""
    everyone = _unusable(len(usable))
    for name in everyone.__slots__:
        getattr(everyone, name)[usable] = getattr(found, name)
    return everyone


def _unusable(count: int) -> Registrations:
    """So many photos without a start."""
    matrices, loss = np.full((count, 2, 3), np.nan, np.float32), np.full(count, np.nan, np.float32)
    return Registrations(matrices, loss, loss.copy(), np.zeros(count, np.int64), np.zeros(count, bool))
