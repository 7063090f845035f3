"""What a place is called: by GeoNames where its names are installed, else its coordinates."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec

from alignimation_index.store.geography import distance_m

# A large city names what is around it, where its suburbs and quarters are nearer; elsewhere the next village does.
CITY_POPULATION, CITY_M, VILLAGE_M = 100_000, 15_000.0, 30_000.0


def place_in_words(latitude_deg: float | None, longitude_deg: float | None) -> str:
    """`Paris, France`; `48.86° N, 2.35° E`, to about a kilometre, far from towns; nothing where it is not known."""
    if latitude_deg is None or longitude_deg is None:
        return ""
    named = _named(latitude_deg, longitude_deg) if _has_names() else None
    return named or _coordinates(latitude_deg, longitude_deg)


@cache
def _has_names() -> bool:
    return find_spec("reverse_geocode") is not None


@lru_cache(maxsize=10_000)
def _named(latitude_deg: float, longitude_deg: float) -> str | None:
    # Takes some seconds and 200 MB.
    import reverse_geocode

    for population, within_m in ((CITY_POPULATION, CITY_M), (0, VILLAGE_M)):
        found = reverse_geocode.get((latitude_deg, longitude_deg), population)
        away_m = distance_m(found["latitude"], found["longitude"], latitude_deg, longitude_deg)
        if away_m is not None and away_m <= within_m:
            return f"{found['city']}, {found['country']}"
    return None


def _coordinates(latitude_deg: float, longitude_deg: float) -> str:
    north, east = "NS"[latitude_deg < 0], "EW"[longitude_deg < 0]
    return f"{abs(latitude_deg):.2f}° {north}, {abs(longitude_deg):.2f}° {east}"
