"""Stills on a film's clock: from when to when each is on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignimation_index.datatypes import Pixels
from alignimation_index.query.frames import Frame
from alignimation_index.render.stills.still import Still


@dataclass(frozen=True, slots=True)
class Shot:
    """A still with its time.

    Attributes:
        still: what is shown.
        start_s: seconds of the film at which its time begins.
        end_s: and ends, where the next one's begins.
    """

    still: Still
    start_s: float
    end_s: float

    @property
    def middle_s(self) -> float:
        """The moment that is the still's alone."""
        return (self.start_s + self.end_s) / 2

    @property
    def seconds(self) -> float:
        """For how long it is on."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Instant:
    """A picture of the film.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, or (H, W, 4) with alpha; it may be the still's own: not to be written to.
        frame: of which photo it shows most.
        at_s: seconds of the film.
    """

    pixels: Pixels
    frame: Frame
    at_s: float


def frame_count(seconds: float, fps: float) -> int:
    """How many pictures a film has: at least one."""
    return max(1, round(seconds * fps))


def instants_s(seconds: float, fps: float) -> NDArray[np.float64]:
    """The moments that the pictures of a film stand for: the middles of their times, so that no rounding decides."""
    return np.asarray((np.arange(frame_count(seconds, fps)) + 0.5) / fps, np.float64)


def shots(stills: Iterator[Still], starts_s: Sequence[float], seconds: float) -> Iterator[Shot]:
    """Give each still its time; the time of those that are missing goes to their neighbours, half each.

    The first begins with its own time if it is the first of all, else when the film does.

    Args:
        stills: in the order of their indices.
        starts_s: when each begins, of all that were asked for.
        seconds: how long the film is.
    """
    before, start_s = next(stills, None), 0.0
    if before is None:
        return
    start_s = starts_s[0]
    for still in stills:
        end_s = (starts_s[before.index + 1] + starts_s[still.index]) / 2
        yield Shot(before, start_s, end_s)
        before, start_s = still, end_s
    yield Shot(before, start_s, seconds)
