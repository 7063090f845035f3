"""Distances on the ground, on a sphere. All angles are in degrees: latitudes −90..90, longitudes −180..180."""

from __future__ import annotations

from math import asin, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""

Box = tuple[float, float, list[tuple[float, float]]]
"""Lowest and highest latitude, and ranges of longitude."""

_ROUNDING = 1e-9


def distance_m(
    latitude: float | None, longitude: float | None, of_latitude: float, of_longitude: float
) -> float | None:
    """The great-circle distance of two points, by the haversine formula (Sinnott 1984); None where one is not known."""
    if latitude is None or longitude is None:
        return None
    north, east = radians(latitude - of_latitude) / 2, radians(longitude - of_longitude) / 2
    square = sin(north) ** 2 + cos(radians(latitude)) * cos(radians(of_latitude)) * sin(east) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(square, 1.0)))


def box_around(latitude: float, longitude: float, radius_m: float) -> Box:
    """What holds a circle: its lowest and highest latitude, and one or two ranges of longitude.

    The meridians that touch a circle of angular radius r are asin(sin r / cos latitude) away from its centre; a circle
    around a pole meets all of them.
    """
    angle = radius_m / EARTH_RADIUS_M
    low, high = latitude - degrees(angle), latitude + degrees(angle)
    if low <= -90 or high >= 90:
        return low, high, [(-180.0, 180.0)]
    return low, high, _around(longitude, degrees(asin(sin(angle) / cos(radians(latitude)))))


def box_within(latitude: float, longitude: float, radius_m: float) -> Box:
    """What a circle holds, as `box_around`; without any longitudes at the poles.

    Of all points within so many degrees of latitude and longitude, none is further away than the haversine formula says
    with the greatest of both, and with the cosine of the latitude that is nearest to the equator.
    """
    angle = radius_m / EARTH_RADIUS_M
    north = degrees(angle) / sqrt(2)
    low, high = latitude - north, latitude + north
    if low <= -90 or high >= 90:
        return low, high, []
    widest = cos(radians(max(low, -high, 0.0)))
    square = (sin(angle / 2) ** 2 - sin(radians(north) / 2) ** 2) / (cos(radians(latitude)) * widest)
    return low, high, _around(longitude, 2 * degrees(asin(sqrt(min(square, 1.0)))) * (1 - _ROUNDING))


def _around(longitude: float, half: float) -> list[tuple[float, float]]:
    west, east = longitude - half, longitude + half
    if west < -180:
        return [(west + 360, 180.0), (-180.0, east)]
    if east > 180:
        return [(west, 180.0), (-180.0, east - 360)]
    return [(west, east)]
