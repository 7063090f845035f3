"""A mesh of triangles over face and background, the same for every face, and warping by it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from alignimation_index.registration.faces import FACE_TEMPLATE

Mesh = NDArray[np.float64]
"""(21, 2) float64, pixels of the canvas: 5 landmarks, 8 points around the head, 8 far out that never move."""

# Around the head of FACE_TEMPLATE: an ellipse through crown and chin, from the top clockwise as seen.
_DIRECTIONS = np.array([[np.sin(angle), -np.cos(angle)] for angle in np.arange(8) * np.pi / 4])
_HEAD_OUTLINE = np.array([0.5, 0.49]) + _DIRECTIONS * [0.3, 0.37]
# Of the far ring, in half diagonals of the canvas: an octagon reaches in to 0.92 of its radius.
_FAR = 1.3

_LEFT_EYE, _RIGHT_EYE, _NOSE, _MOUTH_LEFT, _MOUTH_RIGHT = range(5)
_FACE = [(0, 1, 2), (0, 2, 3), (1, 4, 2), (2, 4, 3)]
# Each corner of the face sees three points of the outline; between two corners one is shared.
_CORNERS = [(_RIGHT_EYE, 0), (_MOUTH_RIGHT, 2), (_MOUTH_LEFT, 4), (_LEFT_EYE, 6)]


def _triangles() -> list[tuple[int, int, int]]:
    head, far = range(5, 13), range(13, 21)
    found = list(_FACE)
    for position, (corner, first) in enumerate(_CORNERS):
        following, _ = _CORNERS[(position + 1) % 4]
        found += [(head[(first + i) % 8], head[(first + i + 1) % 8], corner) for i in (0, 1)]
        found.append((corner, head[(first + 2) % 8], following))
    for i in range(8):
        j = (i + 1) % 8
        found += [(head[i], far[i], far[j]), (head[i], far[j], head[j])]
    return found


TRIANGLES = np.array(_triangles())


def mesh_of(landmarks: ArrayLike, width_px: int, height_px: int) -> Mesh:
    """The mesh of a face.

    The outline of the head is that of the template, moved, scaled and sheared as the landmarks are: nobody has found
    it on the photo, but it goes along, so that a chin lies below its mouth.

    Args:
        landmarks: (5, 2) in pixels of the canvas.
        width_px: of the canvas.
        height_px: of the canvas.
    """
    points = np.asarray(landmarks, np.float64)
    homogeneous = np.column_stack([FACE_TEMPLATE, np.ones(5)])
    canvas_from_template = np.linalg.lstsq(homogeneous, points, rcond=None)[0]
    outline = np.column_stack([_HEAD_OUTLINE, np.ones(8)]) @ canvas_from_template
    middle = np.array([width_px - 1, height_px - 1]) / 2
    far = middle + _DIRECTIONS * _FAR * np.hypot(width_px, height_px) / 2
    return np.concatenate([points, outline, far])


def is_folded(mesh: Mesh) -> bool:
    """Whether a triangle is turned over or flat: what is warped by such a mesh shows something twice or not at all."""
    areas = _areas(mesh)
    return not bool((areas > 1e-4 * areas.sum() / len(areas)).all())


def warped(pictures: torch.Tensor, meshes: list[Mesh], target: Mesh) -> torch.Tensor:
    """Warp pictures, each by its mesh onto the target's: affine within each triangle, bicubic.

    Args:
        pictures: (N, C, H, W) float32.
        meshes: N meshes, one of each picture.
        target: where their points go.

    Returns:
        (N, C, H, W) float32.
    """
    height, width = pictures.shape[2:]
    grid = np.stack([_sources(mesh, target, width, height) for mesh in meshes])
    coarse = torch.from_numpy(grid).permute(0, 3, 1, 2)
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)
    places = fine.permute(0, 2, 3, 1)
    return torch.nn.functional.grid_sample(pictures, places, mode="bicubic", padding_mode="border", align_corners=True)


# The way from target to source bends at the sides of triangles only: every so many pixels are enough.
_STEP_PX = 6


def _sources(mesh: Mesh, target: Mesh, width_px: int, height_px: int) -> NDArray[np.float32]:
    """Where on a picture the pixels of the target come from: (h, w, 2) float32, −1 to 1, every _STEP_PX pixels."""
    x = np.linspace(0, width_px - 1, max(2, -(-width_px // _STEP_PX)))
    y = np.linspace(0, height_px - 1, max(2, -(-height_px // _STEP_PX)))
    points = np.stack([*np.meshgrid(x, y), np.ones((len(y), len(x)))]).reshape(3, -1)
    barycentric = np.linalg.inv(_corners(target)) @ points
    inside = barycentric.min(1).argmax(0)
    weights = barycentric[inside, :, np.arange(points.shape[1])]
    places = (weights[..., None] * mesh[TRIANGLES[inside]]).sum(1)
    scaled = 2 * places / [width_px - 1, height_px - 1] - 1
    return np.asarray(scaled.reshape(len(y), len(x), 2), np.float32)


def _corners(mesh: Mesh) -> NDArray[np.float64]:
    """(T, 3, 3): of each triangle, the corners as columns (x, y, 1)."""
    corners = mesh[TRIANGLES].swapaxes(1, 2)
    return np.concatenate([corners, np.ones((len(TRIANGLES), 1, 3))], 1)


def _areas(mesh: Mesh) -> NDArray[np.float64]:
    """Twice the signed area of each triangle, positive where it is the right way up."""
    doubled: NDArray[np.float64] = np.linalg.det(_corners(mesh))
    return doubled
