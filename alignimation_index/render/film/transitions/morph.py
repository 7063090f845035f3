"""One face turns into the next: both are warped half way, and one fades into the other."""

from __future__ import annotations

import numpy as np
import torch

from alignimation_index import similarity
from alignimation_index.datatypes import Pixels
from alignimation_index.render.film.transitions.mesh import Mesh, is_folded, mesh_of, warped
from alignimation_index.render.film.transitions.mixing import as_pixels, premultiplied
from alignimation_index.render.film.transitions.pairs import dissolve
from alignimation_index.render.stills.still import Still

MOST_TURN_DEG = 30
"""Between heads turned further apart a morph looks like wax."""


class Morph:
    """Draws what lies between two stills; what it works out about two is kept until it is asked about two others."""

    def __init__(self) -> None:
        self._pair: tuple[Still, Still] | None = None
        self._meshes: list[Mesh] | None = None
        self._planes = torch.empty(0)

    def __call__(self, a: Still, b: Still, progress: float) -> Pixels:
        """The picture between two stills: a dissolve where their faces do not go into one another."""
        if self._pair is None or self._pair[0] is not a or self._pair[1] is not b:
            self._take(a, b)
        if self._meshes is None:
            return dissolve(a, b, progress)
        between = self._meshes[0] * (1 - progress) + self._meshes[1] * progress
        first, second = warped(self._planes, self._meshes, between)
        return as_pixels(torch.lerp(first, second, progress).permute(1, 2, 0).contiguous().numpy())

    def _take(self, a: Still, b: Still) -> None:
        self._pair, self._meshes = (a, b), meshes_between(a, b)
        if self._meshes is not None:
            both = np.stack([premultiplied(still.pixels) for still in (a, b)])
            self._planes = torch.tensor(both, dtype=torch.float32).permute(0, 3, 1, 2).contiguous()


def meshes_between(a: Still, b: Still) -> list[Mesh] | None:
    """The meshes of two stills; None where a morph would fold, or the heads are turned too far apart."""
    turns = [np.array([still.frame.yaw_deg, still.frame.pitch_deg], np.float64) for still in (a, b)]
    if not np.abs(turns[0] - turns[1]).max() <= MOST_TURN_DEG:
        return None
    meshes = [_mesh(still) for still in (a, b)]
    if any(is_folded(mesh) for mesh in (*meshes, (meshes[0] + meshes[1]) / 2)):
        return None
    return meshes


def _mesh(still: Still) -> Mesh:
    height, width = still.pixels.shape[:2]
    return mesh_of(similarity.apply(still.canvas_from_photo, still.frame.landmarks), width, height)
