"""Levenberg-Marquardt over one size of the masks, many photos at once, each with its own damping and stopping.

The step is compositional (Baker & Matthews 2004): the transform so far is followed by a small similarity of the
template's plane. So the Jacobian of a warped mask is its own gradient times four fixed displacement fields, one warp
serves an iteration, and the normal equations are products of squared gradients with ten fixed polynomials.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from alignimation_index.registration.engine import Settings

FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-7
EASE, BRAKE = 0.2, 8.0
# A step that changes the loss by less than this share of it, up or down, is the last.
LEAST_CHANGE = 1e-3


@dataclass(frozen=True, slots=True)
class Level:
    """Masks of N photos and their templates at one size.

    Attributes:
        moving: (N, C, h, w).
        template: (N, C, H, W).
        weight: (N, 1 or C, H, W) of the template's pixels.
        known: (N, 1, h, w) or None.
        points: (N, K, 2) in pixels of `moving`.
        targets: (N, K, 2) in pixels of `template`.
        point_weight: (N, K) per squared pixel.
        factor: how many pixels of full size a pixel stands for, along each side.
        start: (N, 2, 3) photo_from_template, where the descent begins.
    """

    moving: Tensor
    template: Tensor
    weight: Tensor
    known: Tensor | None
    points: Tensor
    targets: Tensor
    point_weight: Tensor
    factor: int = 1
    start: Tensor = field(default_factory=lambda: torch.zeros(0, 2, 3))

    def at(self, rows: Tensor) -> Level:
        """The photos of these rows; a level without starts stays one."""
        return Level(
            self.moving[rows],
            self.template[rows],
            self.weight[rows],
            None if self.known is None else self.known[rows],
            self.points[rows],
            self.targets[rows],
            self.point_weight[rows],
            self.factor,
            self.start[rows] if len(self.start) else self.start,
        )

    def seen_by(self, photo_from_template: Tensor) -> Level:
        """Begin there, and count only template pixels that lie on known pixels of the photo then."""
        if self.known is None:
            return replace(self, start=photo_from_template)
        seen = warp(self.known, photo_from_template, self.template.shape[-2:], beyond="border") > 0.99
        return replace(self, start=photo_from_template, weight=self.weight * seen, known=None)

    def total_weight(self) -> Tensor:
        """(N,) sums of the weights of all channels' pixels."""
        return self.weight.expand(self.template.shape).sum((1, 2, 3))


@dataclass(frozen=True, slots=True)
class Fit:
    """Where N photos stand: transforms (N, 2, 3), and (N,) losses, damping, steps taken, and whether each is done."""

    photo_from_template: Tensor
    loss: Tensor
    damping: Tensor
    iterations: Tensor
    converged: Tensor

    def put(self, rows: Tensor, part: Fit) -> None:
        """Take over what became of these rows."""
        for name in self.__slots__:
            getattr(self, name)[rows] = getattr(part, name)

    def at(self, rows: Tensor) -> Fit:
        """The photos of these rows."""
        return Fit(*(getattr(self, name)[rows] for name in self.__slots__))


def descend(level: Level, settings: Settings) -> Fit:
    """Lower the loss of every photo from `level.start` until it is done, or for `max_iterations`."""
    fields = _Fields(level.template)
    difference = difference_of(level, level.start)
    fit = _begin(level, difference, settings.bound)
    everyone = fit.at(torch.arange(len(fit.loss)))
    rows = torch.arange(len(fit.loss), device=fit.loss.device)
    for _ in range(settings.max_iterations):
        fit, difference = _iterate(level, fit, difference, fields, settings)
        everyone.put(rows, fit)
        going = (~fit.converged).nonzero()[:, 0]
        if len(going) == 0:
            break
        if len(going) < len(rows):
            level, fit, difference, rows = level.at(going), fit.at(going), difference[going], rows[going]
    return everyone


def loss_of(level: Level, photo_from_template: Tensor, bound: float | None) -> Tensor:
    """(N,) losses of these transforms, summed over pixels, channels and points."""
    return _loss(level, difference_of(level, photo_from_template), photo_from_template, bound)


def warp(masks: Tensor, photo_from_template: Tensor, size: torch.Size, beyond: str = "zeros") -> Tensor:
    """(N, C, H, W): the photos' masks as the template's pixels see them, bilinear; `beyond` as kornia pads."""
    from kornia.geometry.transform import warp_affine

    matrix = inverse(photo_from_template)
    warped: Tensor = warp_affine(masks, matrix, (size[0], size[1]), align_corners=True, padding_mode=beyond)
    return warped


def inverse(similarity: Tensor) -> Tensor:
    """Invert (N, 2, 3) similarities."""
    linear = similarity[..., :2].mT / torch.linalg.det(similarity[..., :2])[:, None, None]
    return torch.cat([linear, -linear @ similarity[..., 2:]], -1)


def difference_of(level: Level, photo_from_template: Tensor) -> Tensor:
    """(N, C, H, W): the warped masks less the template's."""
    return warp(level.moving, photo_from_template, level.template.shape[-2:]) - level.template


def _begin(level: Level, difference: Tensor, bound: float | None) -> Fit:
    loss = _loss(level, difference, level.start, bound)
    nothing = torch.zeros_like(loss, dtype=torch.int64)
    return Fit(level.start.clone(), loss, torch.full_like(loss, FIRST_DAMPING), nothing, nothing.bool())


def _iterate(level: Level, fit: Fit, difference: Tensor, fields: _Fields, settings: Settings) -> tuple[Fit, Tensor]:
    """Try one step per photo, and take it where it lowers the loss."""
    hessian, gradient = _normal_equations(level, fit.photo_from_template, difference, fields, settings.bound)
    step = _damped_step(hessian, gradient, fit.damping)
    trial = fields.followed_by(fit.photo_from_template, step)
    trial_difference = difference_of(level, trial)
    loss = _loss(level, trial_difference, trial, settings.bound)
    better = loss <= fit.loss
    moved = torch.where(better[:, None, None], trial, fit.photo_from_template)
    damping = (fit.damping * torch.where(better, EASE, BRAKE)).clamp(min=LEAST_DAMPING)
    small = step[:, :2].norm(dim=1) + step[:, 2:].norm(dim=1) < settings.tolerance_px
    levelled = (loss - fit.loss).abs() <= LEAST_CHANGE * fit.loss
    result = Fit(moved, torch.where(better, loss, fit.loss), damping, fit.iterations + 1, small | levelled)
    return result, torch.where(better[:, None, None, None], trial_difference, difference)


def _damped_step(hessian: Tensor, gradient: Tensor, damping: Tensor) -> Tensor:
    """(N, 4) solutions of the damped normal equations; no step where there is none, as with empty masks."""
    diagonal = torch.diagonal(hessian, dim1=1, dim2=2)
    damped = hessian + torch.diag_embed(damping[:, None] * diagonal + 1e-12)
    step = -torch.linalg.solve_ex(damped, gradient)[0]
    return torch.where(step.isfinite().all(-1, keepdim=True), step, 0)


def _loss(level: Level, difference: Tensor, photo_from_template: Tensor, bound: float | None) -> Tensor:
    squared = difference.square()
    if bound is not None:
        squared = -2 * bound**2 * torch.expm1(squared / (-2 * bound**2))
    off = _offsets(level, photo_from_template)
    return (level.weight * squared).sum((1, 2, 3)) + (level.point_weight * off.square().sum(-1)).sum(-1)


def _offsets(level: Level, photo_from_template: Tensor) -> Tensor:
    """(N, K, 2) from the template's points to the photo's, in template pixels."""
    template_from_photo = inverse(photo_from_template)
    return level.points @ template_from_photo[..., :2].mT + template_from_photo[:, None, :, 2] - level.targets


def _normal_equations(
    level: Level, photo_from_template: Tensor, difference: Tensor, fields: _Fields, bound: float | None
) -> tuple[Tensor, Tensor]:
    """(N, 4, 4) Gauss-Newton Hessians and (N, 4) gradients of half the loss."""
    right, down = _slopes(difference + level.template)
    weight = level.weight
    if bound is not None:
        weight = weight * torch.exp(difference.square() / (-2 * bound**2))
    weighted_right, weighted_down = weight * right, weight * down
    hessian = fields.second_moments(
        (weighted_right * right).sum(1), (weighted_right * down).sum(1), (weighted_down * down).sum(1)
    )
    gradient = fields.first_moments((weighted_right * difference).sum(1), (weighted_down * difference).sum(1))
    pull, pulled = _pull_of_points(level, photo_from_template, fields)
    return hessian + pull, gradient + pulled


def _slopes(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and along y; none at the edges."""
    right, down = torch.zeros_like(masks), torch.zeros_like(masks)
    torch.sub(masks[..., 2:], masks[..., :-2], out=right[..., 1:-1]).mul_(0.5)
    torch.sub(masks[..., 2:, :], masks[..., :-2, :], out=down[..., 1:-1, :]).mul_(0.5)
    return right, down


def _pull_of_points(level: Level, photo_from_template: Tensor, fields: _Fields) -> tuple[Tensor, Tensor]:
    """The points' part of the normal equations. The step moves the template under them: their own sign is reversed."""
    off = _offsets(level, photo_from_template)
    across, along = fields.at(off + level.targets)
    weight = level.point_weight[..., None]
    hessian = (weight * across).mT @ across + (weight * along).mT @ along
    return hessian, -(level.point_weight[..., None] * (off[..., :1] * across + off[..., 1:] * along)).sum(1)


class _Fields:
    """The four displacement fields of a small similarity: growing, turning, and shifting right and down.

    Growing and turning are measured by what they do half the template's longer side from its middle, so that all four
    parameters are pixels.
    """

    def __init__(self, template: Tensor) -> None:
        height, width = template.shape[-2:]
        self.reach = max(height, width) / 2
        self.middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=template.device)
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        pixels = torch.stack([x, y], -1).reshape(-1, 2).to(self.middle)
        self.across, self.along = self.at(pixels)
        self.across2, self.cross, self.along2 = (
            _outer(self.across, self.across),
            _outer(self.across, self.along) + _outer(self.along, self.across),
            _outer(self.along, self.along),
        )

    def at(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(…, 4) displacements along x, and along y, of (…, 2) template points per unit of each parameter."""
        x, y = ((points - self.middle) / self.reach).unbind(-1)
        one, zero = torch.ones_like(x), torch.zeros_like(x)
        return torch.stack([x, -y, one, zero], -1), torch.stack([y, x, zero, one], -1)

    def second_moments(self, right2: Tensor, cross: Tensor, down2: Tensor) -> Tensor:
        """(N, 4, 4) from three (N, H, W) products of gradients."""
        total = right2.flatten(1) @ self.across2 + cross.flatten(1) @ self.cross + down2.flatten(1) @ self.along2
        return total.reshape(-1, 4, 4)

    def first_moments(self, right: Tensor, down: Tensor) -> Tensor:
        """(N, 4) from two (N, H, W) products of gradient and difference."""
        return right.flatten(1) @ self.across + down.flatten(1) @ self.along

    def followed_by(self, photo_from_template: Tensor, step: Tensor) -> Tensor:
        """The transforms after the template's plane has moved by (N, 4) steps."""
        grow, turn = (step[:, :2] / self.reach).unbind(1)
        change = torch.stack([torch.stack([grow, -turn], -1), torch.stack([turn, grow], -1)], -2)
        shift = step[:, 2:] - change @ self.middle
        linear = photo_from_template[..., :2]
        moved = photo_from_template[..., 2] + (linear @ shift[..., None])[..., 0]
        return torch.cat([linear + linear @ change, moved[..., None]], -1)


def _outer(first: Tensor, second: Tensor) -> Tensor:
    """(P, 16) from two (P, 4)."""
    return (first[:, :, None] * second[:, None, :]).flatten(1)
