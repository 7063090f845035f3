"""From one still to the next: cuts, and whatever lies between two stills."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alignimation_index.datatypes import Pixels
from alignimation_index.render.film.shots import Instant, Shot
from alignimation_index.render.film.transitions.mixing import mixed
from alignimation_index.render.stills.still import Still

Between = Callable[[Still, Still, float], Pixels]
"""The picture between two stills, 0 being the first and 1 the second."""


def dissolve(a: Still, b: Still, progress: float) -> Pixels:
    """One fades out while the other fades in."""
    return mixed([a.pixels, b.pixels], [1 - progress, progress])


def in_pairs(shots: Iterator[Shot], moments_s: Iterator[float], share: float, between: Between) -> Iterator[Instant]:
    """Play shots one after another, with a transition around each boundary.

    Args:
        shots: in order.
        moments_s: the moments of the pictures, in order.
        share: of the shorter of two shots, how much the transition between them takes: 0 cuts, with 1 it begins in the
            middle of one and ends in the middle of the other.
        between: draws the transition.

    Yields:
        A picture for each moment; none where there is no shot.
    """
    now, after = next(shots, None), next(shots, None)
    if now is None:
        return
    for moment_s in moments_s:
        while after is not None and moment_s >= now.end_s + _reach_s(now, after, share):
            now, after = after, next(shots, None)
        yield _instant(now, after, moment_s, share, between)


def _instant(now: Shot, after: Shot | None, moment_s: float, share: float, between: Between) -> Instant:
    if after is None:
        return Instant(now.still.pixels, now.still.frame, moment_s)
    reach_s = _reach_s(now, after, share)
    progress = _eased((moment_s - now.end_s + reach_s) / (2 * reach_s)) if reach_s else 0.0
    shown = (after if progress >= 0.5 else now).still
    pixels = now.still.pixels if progress <= 0 else between(now.still, after.still, progress)
    return Instant(pixels, shown.frame, moment_s)


def _reach_s(now: Shot, after: Shot, share: float) -> float:
    """How long before and after their boundary the transition lasts."""
    return share * min(now.seconds, after.seconds) / 2


def _eased(progress: float) -> float:
    """Slow at both ends: 3p² − 2p³, so that movement neither starts nor stops with a jerk."""
    p = min(max(progress, 0.0), 1.0)
    return p * p * (3 - 2 * p)
