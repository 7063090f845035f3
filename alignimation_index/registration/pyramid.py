"""Masks from coarse to fine, and what halving does to coordinates and transforms."""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from alignimation_index.registration.descent import Level

# Where less than this of a pixel's surroundings is known, its smoothed value says nothing.
LEAST_KNOWN = 1e-3


def build_levels(full: Level, count: int, blur_px: float) -> list[Level]:
    """Halve masks and points `count - 1` times, as far as 8 pixels remain, and smooth each level; coarsest first."""
    raw = [full]
    while len(raw) < count and min(*raw[-1].moving.shape[-2:], *raw[-1].template.shape[-2:]) >= 16:
        raw.append(_halved(raw[-1]))
    return [_smoothed(level, blur_px) for level in reversed(raw)]


def coarser(photo_from_template: Tensor, factor: int) -> Tensor:
    """The (N, 2, 3) similarity of full-size masks, in pixels of masks reduced `factor` times on both sides."""
    shift = (factor - 1) / 2
    moved = photo_from_template[..., :2].sum(-1) * shift + photo_from_template[..., 2] - shift
    return _with_shift(photo_from_template, moved / factor)


def finer(photo_from_template: Tensor, factor: int) -> Tensor:
    """The inverse of `coarser`."""
    shift = (factor - 1) / 2
    moved = photo_from_template[..., 2] * factor + shift - photo_from_template[..., :2].sum(-1) * shift
    return _with_shift(photo_from_template, moved)


def _with_shift(matrix: Tensor, shift: Tensor) -> Tensor:
    changed = matrix.clone()
    changed[..., 2] = shift
    return changed


def _halved(level: Level) -> Level:
    """Half the size; pixel x of the finer level lies at (x − 0.5) / 2. A smoothed edge shrinks with the pixels, so a
    distance's share of the loss falls with the cube of the size, and so does that of the points."""
    known = None if level.known is None else _pooled(level.known)
    return Level(
        _pooled(level.moving),
        _pooled(level.template),
        _pooled(level.weight),
        known,
        (level.points - 0.5) / 2,
        (level.targets - 0.5) / 2,
        level.point_weight / 2,
        factor=2 * level.factor,
    )


def _pooled(masks: Tensor) -> Tensor:
    return F.avg_pool2d(masks, 2, ceil_mode=True, count_include_pad=False)


def _smoothed(level: Level, blur_px: float) -> Level:
    """Both masks smoothed; the photo's by what is known around each pixel."""
    if not blur_px:
        return level
    moving, template = _blurred(level.moving, blur_px), _blurred(level.template, blur_px)
    if level.known is not None:
        share = _blurred(level.known, blur_px)
        moving = _blurred(level.moving * level.known, blur_px) / share.clamp(min=LEAST_KNOWN)
    return replace(level, moving=moving, template=template)


def _blurred(masks: Tensor, deviation_px: float) -> Tensor:
    from kornia.filters import gaussian_blur2d

    size = 2 * int(3 * deviation_px + 1) + 1
    blurred: Tensor = gaussian_blur2d(masks, (size, size), (deviation_px, deviation_px), border_type="constant")
    return blurred
