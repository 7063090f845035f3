"""Frames out of line: badly registered, or perhaps of somebody else. Never so many that a film loses its years."""

from __future__ import annotations

import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from alignimation_index.query.choosing.preference import LeftOut
from alignimation_index.query.frames import Frame

DOUBTFUL = "it may be somebody else (people confirm FACE, or --all-outliers, keeps it)"
ASKEW = "it is registered far worse than the others (--all-outliers keeps it)"

MAX_DOUBTFUL_SHARE = 0.2
MAX_ASKEW_SHARE = 0.05
MANY_DEVIATIONS = 4.0
"""So many standard deviations above the median, estimated robustly, a residual is out of line."""
_LEAST_SPREAD = 0.1  # of the median: among frames that are all alike nothing is out of line
_MIN_COUNT = 8  # fewer residuals say nothing of what is usual


def doubtful(frames: Sequence[Frame]) -> list[LeftOut]:
    """Of frames in the order of time: those of which the machine doubts whose they are, at most MAX_DOUBTFUL_SHARE.

    Where there are more of them, those go that sure frames lie nearest to in time: the others hold years together that
    would have no frame.
    """
    doubted = [frame for frame in frames if frame.is_doubtful]
    most = math.floor(MAX_DOUBTFUL_SHARE * len(frames))
    if len(doubted) > most:
        sure = [frame.taken_at for frame in frames if frame.taken_at and not frame.is_doubtful]
        doubted = sorted(doubted, key=lambda frame: _gap(frame, sure))[:most]
    return [LeftOut(frame, DOUBTFUL) for frame in doubted]


def askew(frames: Sequence[Frame]) -> list[LeftOut]:
    """Frames whose residual is out of line among those of their template, the worst first, at most MAX_ASKEW_SHARE."""
    by_template: dict[str | None, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_template[frame.template].append(frame)
    return [LeftOut(frame, ASKEW) for alike in by_template.values() for frame in _askew(alike)]


def kept_in_doubt(frames: Iterable[Frame]) -> int:
    """How many doubtful frames are left."""
    return sum(frame.is_doubtful for frame in frames)


def _askew(frames: Sequence[Frame]) -> list[Frame]:
    if len(frames) < _MIN_COUNT:
        return []
    residuals = [frame.residual or 0.0 for frame in frames]
    middle = median(residuals)
    # The median absolute deviation, as a standard deviation (Rousseeuw & Croux 1993).
    spread = 1.4826 * median(abs(residual - middle) for residual in residuals)
    limit = middle + MANY_DEVIATIONS * max(spread, _LEAST_SPREAD * middle)
    worst = sorted(frames, key=lambda frame: -(frame.residual or 0.0))[: math.ceil(MAX_ASKEW_SHARE * len(frames))]
    return [frame for frame in worst if (frame.residual or 0.0) > limit]


def _gap(frame: Frame, sure: Sequence[datetime]) -> timedelta:
    """To the nearest of the times of sure frames, which rise; an undated frame leaves no hole."""
    if frame.taken_at is None:
        return timedelta(0)
    place = bisect(sure, frame.taken_at)
    return min((abs(frame.taken_at - time) for time in sure[max(place - 1, 0) : place + 1]), default=timedelta.max)
