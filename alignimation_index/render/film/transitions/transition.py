"""Which transitions there are, and playing stills with one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from alignimation_index.errors import UserError
from alignimation_index.query.frames import Frame
from alignimation_index.render.film.shots import Instant, Shot, instants_s, shots
from alignimation_index.render.film.transitions.blend import blended, sparse_enough
from alignimation_index.render.film.transitions.pairs import Between, dissolve, in_pairs
from alignimation_index.render.stills.still import Still

CUT, CROSSFADE, BLEND, MORPH = "cut", "crossfade", "blend", "morph"
PHOTOS_PER_SECOND = {CUT: 12.0, CROSSFADE: 3.0, BLEND: 12.0, MORPH: 3.0}
"""The transitions there are, and how fast photos come where nothing is said."""

_DAYS = {"d": 1, "w": 7, "m": 30.44, "y": 365.2425}


@dataclass(frozen=True, slots=True)
class Transition:
    """How one photo becomes the next.

    Attributes:
        name: one of PHOTOS_PER_SECOND.
        share: of the time of a photo, how much a crossfade or morph takes, 0 to 1.
        blend_width: standard deviation of a blend's Gaussian, in seconds of the film or days of the calendar.
        blend_in_days: whether it is in days.
    """

    name: str = CUT
    share: float = 0.6
    blend_width: float = 0.25
    blend_in_days: bool = False


def parse_width(text: str) -> tuple[float, bool]:
    """Parse how wide a blend is: `0.5s` of the film, or `10d`, `6w`, `3m`, `1y` of the calendar.

    Returns:
        The number of seconds or days, and whether it is days.

    Raises:
        UserError: it is neither.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([sdwmy])", text.strip())
    if not match or not float(match[1]):
        raise UserError(f"{text!r} is no width of a blend. Write 0.5s (of the film), or 10d, 6w, 3m, 1y (of life).")
    if match[2] == "s":
        return float(match[1]), False
    return float(match[1]) * _DAYS[match[2]], True


def play(
    transition: Transition, stills: Iterator[Still], starts_s: Sequence[float], seconds: float, fps: float
) -> Iterator[Instant]:
    """The pictures of a film, one at a time: round(seconds × fps) of them, or none where there is no still.

    Args:
        transition: from each still to the next.
        stills: in the order of their indices; some may be missing, see `shots`.
        starts_s: when the time of each begins, of all that were asked for.
        seconds: how long the film is.
        fps: pictures per second, whatever the count of stills.
    """
    timed, moments_s = shots(stills, starts_s, seconds), iter(instants_s(seconds, fps).tolist())
    if transition.name == BLEND:
        place = _day_of if transition.blend_in_days else _middle_of
        return blended(timed, moments_s, transition.blend_width, place)
    if transition.name == CUT:
        return in_pairs(timed, moments_s, 0.0, dissolve)
    return in_pairs(timed, moments_s, transition.share, _morph() if transition.name == MORPH else dissolve)


def needed(transition: Transition, frames: Sequence[Frame], starts_s: Sequence[float]) -> list[int]:
    """Which of some frames a transition shows: all, but for a blend of more than it can tell apart."""
    if transition.name != BLEND:
        return list(range(len(frames)))
    places = [_day(frame.taken_at) for frame in frames] if transition.blend_in_days else starts_s
    return sparse_enough(places, transition.blend_width)


def check_dated(transition: Transition, frames: Sequence[Frame]) -> None:
    """Raise UserError where photos are to be blended by their dates and one has none."""
    if transition.name == BLEND and transition.blend_in_days:
        undated = [frame.path for frame in frames if frame.taken_at is None]
        if undated:
            raise UserError(
                f"{undated[0]} has no date, so there is no telling what it is near to. Leave it out with a query for "
                f"years, say when it was taken (alignindex photos set-date), or give the width of the blend in seconds."
            )


def _morph() -> Between:
    # Here, since it needs torch, which takes a second and 300 MB.
    from alignimation_index.render.film.transitions.morph import Morph

    return Morph()


def _middle_of(shot: Shot) -> float:
    return shot.middle_s


def _day_of(shot: Shot) -> float:
    return _day(shot.still.frame.taken_at)


def _day(taken_at: datetime | None) -> float:
    return (taken_at - datetime(1, 1, 1)).total_seconds() / 86400 if taken_at else 0.0
