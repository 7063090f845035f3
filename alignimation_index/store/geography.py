"""Distances on the ground, on a sphere. All angles are in degrees: latitudes −90..90, longitudes −180..180."""

from __future__ import annotations

from math import asin, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""


def distance_m(
    latitude: float | None, longitude: float | None, of_latitude: float, of_longitude: float
) -> float | None:
    """The great-circle distance of two points, by the haversine formula (Sinnott 1984); None where one is not known."""
    if latitude is None or longitude is None:
        return None
    north, east = radians(latitude - of_latitude) / 2, radians(longitude - of_longitude) / 2
    square = sin(north) ** 2 + cos(radians(latitude)) * cos(radians(of_latitude)) * sin(east) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(square, 1.0)))


def box_around(latitude: float, longitude: float, radius_m: float) -> tuple[float, float, list[tuple[float, float]]]:
    """What holds a circle: its lowest and highest latitude, and one or two ranges of longitude.

    The meridians that touch a circle of angular radius r are asin(sin r / cos latitude) away from its centre; a circle
    around a pole meets all of them.
    """
    angle = radius_m / EARTH_RADIUS_M
    low, high = latitude - degrees(angle), latitude + degrees(angle)
    if low <= -90 or high >= 90:
        return low, high, [(-180.0, 180.0)]
    half = degrees(asin(sin(angle) / cos(radians(latitude))))
    west, east = longitude - half, longitude + half
    if west < -180:
        return low, high, [(west + 360, 180.0), (-180.0, east)]
    if east > 180:
        return low, high, [(west, 180.0), (-180.0, east - 360)]
    return low, high, [(west, east)]
