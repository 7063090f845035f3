"""Faces that people framed and named in other programs.

Convention: boxes are xyxy in shares 0..1 of a picture's width and height, from its outer left and top edge, so that a
share s of a side of n pixels lies at pixel s · n − 0.5. Whether the picture is meant as stored or upright is said by
whoever reads the regions; `upright_regions` leads from one to the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

Box = tuple[float, float, float, float]
"""(x1, y1, x2, y2)."""


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """A face that somebody framed and named.

    Attributes:
        name: of the person, never empty.
        box: xyxy, shares of the picture's width and height, within 0..1 and not empty.
    """

    name: str
    box: Box


def face_region(name: str, box: Iterable[float]) -> FaceRegion | None:
    """A region from xyxy shares, clipped to the picture; None without a name or where nothing is left of the box."""
    name = " ".join(name.split())
    x1, y1, x2, y2 = (min(max(share, 0.0), 1.0) if math.isfinite(share) else math.nan for share in box)
    return FaceRegion(name, (x1, y1, x2, y2)) if name and x1 < x2 and y1 < y2 else None


def upright_regions(regions: Iterable[FaceRegion], orientation: int) -> tuple[FaceRegion, ...]:
    """Turn regions of a picture as stored to the upright photo.

    Args:
        regions: on the stored picture.
        orientation: 1 to 8, EXIF 2.32, tag 0x0112.
    """
    return tuple(replace(region, box=_upright(region.box, orientation)) for region in regions)


def _upright(box: Box, orientation: int) -> Box:
    x1, y1, x2, y2 = box
    if orientation in (2, 3, 7, 8):  # stored columns run from right to left, or from bottom to top
        x1, x2 = 1 - x2, 1 - x1
    if orientation in (3, 4, 6, 7):  # stored rows run from bottom to top, or from right to left
        y1, y2 = 1 - y2, 1 - y1
    return (y1, x1, y2, x2) if orientation >= 5 else (x1, y1, x2, y2)
