"""Registering bodies: from their keypoints in closed form, then by what the person masks show.

The recipe draws Gaussians around the photo's own keypoints and compares the drawings. Where a keypoint is off by some
per cent of the body, its Gaussian is off as much, and the best fit of the drawings is that of the wrong keypoints. Here
the Gaussians stay around the template's keypoints and weigh the comparison of the person masks; the photo's keypoints
give the start, and then count for as much as their noise allows, beside a contour that is itself only so certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignimation_index.datatypes import Float
from alignimation_index.errors import UserError
from alignimation_index.registration.closed_form import fit_robustly, root_mean_square, squared_distances
from alignimation_index.registration.engine import PointPairs, Registrations, Settings, join, register_masks
from alignimation_index.registration.keypoints import LEAST_KEYPOINTS, columns_of
from alignimation_index.registration.masks import BODY_SHARE, FramedMasks, gaussians
from alignimation_index.similarity import Matrices, apply, compose

METHOD = "masks-and-keypoints"
BATCH = 64
BLUR_PX = 1.5
# Differences of smoothed masks above it are another shape (a belly, a bag), not another place.
BOUND = 0.2
# What a contour is worth, in body heights: by how much a mask's edge is off, and over what length it stays so.
EDGE_DEVIATION, EDGE_LENGTH = 0.01, 0.1
# Deviation of a keypoint, in body heights: COCO's annotators differ by 1.3, 3 and 4 % of a standing body's height at
# ear, shoulder and hip (the sigmas of its keypoint similarity).
KEYPOINT_DEVIATION = 0.03
# Gaussians in which keypoints agree for the start, as a share of the side: the recipe's.
SIGMA_OF_START = 0.04
# Gaussians within which masks are compared, as a share of the side, and what counts beyond them.
REACH, FLOOR = 0.16, 0.25

SETTINGS = Settings(blur_px=BLUR_PX, bound=BOUND)


@dataclass(frozen=True, slots=True)
class Bodies:
    """One body in each of N photos.

    Attributes:
        masks: their person masks, framed.
        keypoints: (N, 17, 2) float32 in pixels of the photo, in the order of KEYPOINT_NAMES; any value where not seen.
        seen: (N, 17) float32 in 0..1, how sure each keypoint is; 0 where it is missing.
    """

    masks: FramedMasks
    keypoints: Float
    seen: Float

    def __len__(self) -> int:
        return len(self.masks)

    def at(self, rows: ArrayLike) -> Bodies:
        """Those of these photos."""
        index = np.atleast_1d(np.asarray(rows))
        return Bodies(self.masks.at(index), self.keypoints[index], self.seen[index])


@dataclass(frozen=True, slots=True)
class BodyRegistrations:
    """Transforms of N bodies.

    Attributes:
        template_from_photo: (N, 2, 3) float32 similarities, photo pixels to the unit square, which is the square around
            the reference body. Nan where a photo shows fewer than two of the keypoints that the reference shows.
        residual: (N,) float32, root mean square distance of the keypoints to the reference's, template units.
        loss_before: (N,) float32, of the closed form; see `engine`.
        loss_after: (N,) float32, after the refinement.
        iterations: (N,) int64.
        converged: (N,) bool.
    """

    template_from_photo: Float
    residual: Float
    loss_before: Float
    loss_after: Float
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]


def register_bodies(
    bodies: Bodies,
    reference: Bodies,
    names: Sequence[str],
    *,
    deviation: float = KEYPOINT_DEVIATION,
    device: str | None = None,
) -> BodyRegistrations:
    """Register bodies to a reference body.

    Args:
        bodies: N of them.
        reference: one, whose square becomes the template's unit square.
        names: of the keypoints that are to come to rest; those that a photo or the reference lacks are left out.
        deviation: of a keypoint that is quite sure, in body heights; the surer, the more the keypoints count beside the
            masks.
        device: where to compute; None for the CPU.

    Raises:
        UserError: the reference shows fewer than two of the keypoints.
    """
    pairs = _pair_keypoints(bodies, reference, names, deviation)
    found = _register_in_batches(bodies, reference, pairs, device)
    side = bodies.masks.pixels.shape[-1]
    matrices = _unit_from_frame(compose(found.template_from_photo, bodies.masks.frame_from_photo), side)
    squared = squared_distances(found.template_from_photo, pairs.photo, pairs.template)
    residual = root_mean_square(squared, pairs.weight) / side
    losses = found.loss_before, found.loss_after
    return BodyRegistrations(
        matrices.astype(np.float32), residual.astype(np.float32), *losses, found.iterations, found.converged
    )


def template_from_reference(reference: Bodies) -> NDArray[np.float64]:
    """(2, 3): pixels of the reference's photo to the unit square."""
    return _unit_from_frame(reference.masks.frame_from_photo[0], reference.masks.pixels.shape[-1])


def _pair_keypoints(bodies: Bodies, reference: Bodies, names: Sequence[str], deviation: float) -> PointPairs:
    """The keypoints in pixels of the squares, and their weight beside that of the contours (see the constants).

    A smoothed edge that is off by d differs by d² / (2√π · blur) per pixel of its length, summed across it. So the loss
    is a likelihood's logarithm if a keypoint's squared distance, over its variance, weighs what EDGE_LENGTH of a
    contour that is off by EDGE_DEVIATION does.
    """
    columns = columns_of(names)
    shown = reference.seen[0, columns] > 0
    if shown.sum() < LEAST_KEYPOINTS:
        raise UserError(f"the reference shows {shown.sum()} of {', '.join(names)}; choose another photo or keypoints")
    height = BODY_SHARE * bodies.masks.pixels.shape[-1]
    edge = EDGE_LENGTH * height * (EDGE_DEVIATION / deviation) ** 2 / (2 * np.sqrt(np.pi) * BLUR_PX)
    weight = edge * bodies.seen[:, columns] * shown
    photo = apply(bodies.masks.frame_from_photo, np.where(weight[..., None] > 0, bodies.keypoints[:, columns], 0))
    place = apply(reference.masks.frame_from_photo[0], np.where(shown[:, None], reference.keypoints[0, columns], 0))
    return PointPairs(photo, place, weight)


def _register_in_batches(bodies: Bodies, reference: Bodies, pairs: PointPairs, device: str | None) -> Registrations:
    """From the closed form of the keypoints by the masks, in pixels of the squares."""
    weight, start = _weigh_pixels(reference, pairs), _start(pairs, bodies.masks.pixels.shape[-1])
    parts = []
    for first in range(0, max(len(bodies), 1), BATCH):
        rows = slice(first, first + BATCH)
        own = PointPairs(pairs.photo[rows], pairs.template, pairs.weight[rows])
        moving, known = bodies.masks.pixels[rows], bodies.masks.known[rows]
        target = reference.masks.pixels[0]
        parts.append(
            register_masks(
                moving, target, start[rows], weight=weight, known=known, points=own, settings=SETTINGS, device=device
            )
        )
    return join(parts)


def _start(pairs: PointPairs, side_px: int) -> Matrices:
    """(N, 2, 3) closed forms; nan where there are too few keypoints."""
    start = fit_robustly(pairs.photo, pairs.template, pairs.weight, SIGMA_OF_START * side_px)
    start[(pairs.weight > 0).sum(-1) < LEAST_KEYPOINTS] = np.nan
    return start


def _weigh_pixels(reference: Bodies, pairs: PointPairs) -> Float:
    """(1, S, S): near the reference's keypoints the masks count most, beyond its photo's edges not at all."""
    shown = pairs.weight.any(0)
    drawn = gaussians(pairs.template[shown], reference.masks.pixels.shape[-1], REACH)
    near = np.maximum(FLOOR, drawn.max(0, initial=0))
    weighed: Float = near * reference.masks.known[0]
    return weighed


def _unit_from_frame(matrices: ArrayLike, side_px: int) -> Matrices:
    """Follow (…, 2, 3) matrices to pixels of a square by the step from those to the unit square."""
    return compose(np.array([[1, 0, 0.5], [0, 1, 0.5]]) / side_px, matrices)
