"""Frames and their times; several people's on one clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

import numpy as np

from alignimation_index.query.frames import Frame

Place = Callable[[Frame], float | None]
"""Where a frame lies on the axis that several tracks share; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Track:
    """What is shown in one picture of the film, from its beginning to its end.

    Attributes:
        frames: in the order in which they are shown.
        starts_s: when each appears, in seconds of the film, rising; it stays until the next one does.
        seconds: of the film.
        title: whose they are.
        missing: why some of the frames, by index, cannot be shown.
    """

    frames: Sequence[Frame]
    starts_s: Sequence[float]
    seconds: float
    title: str = ""
    missing: Mapping[int, str] = field(default_factory=dict)


def evenly(frames: Sequence[Frame], photos_per_second: float, title: str = "") -> Track:
    """A track on which every frame is shown equally long."""
    starts_s = [index / photos_per_second for index in range(len(frames))]
    return Track(frames, starts_s, len(frames) / photos_per_second, title)


def on_one_clock(tracks: Sequence[Track], place: Place) -> list[Track]:
    """Let what belongs together be seen together: the film runs along the axis, the same for all tracks.

    A frame is shown while no other of its track is nearer on the axis, the first one from its own place on. Frames
    whose place is not known are left out.

    Args:
        tracks: with frames in the order of their places.
        place: the axis: `day_of` or `age_of`.
    """
    placed = [[(at, frame) for frame in track.frames if (at := place(frame)) is not None] for track in tracks]
    all_places = [at for one in placed for at, _ in one]
    if not all_places:
        return [replace(track, frames=[], starts_s=[]) for track in tracks]
    first, span, seconds = min(all_places), np.ptp(all_places) or 1.0, max(track.seconds for track in tracks)
    return [
        replace(
            track,
            frames=[frame for _, frame in one],
            starts_s=[float((start - first) / span * seconds) for start in _starts([at for at, _ in one])],
            seconds=seconds,
        )
        for track, one in zip(tracks, placed, strict=True)
    ]


def compared(tracks: Sequence[Track]) -> list[Track]:
    """Two people on one clock, by age if it is known of both, else by date; two times of one life equally long."""
    people = [next((frame.person_id for frame in track.frames), None) for track in tracks]
    if people[0] == people[1]:
        return stretched(tracks)
    has_age = all(any(frame.age_years is not None for frame in track.frames) for track in tracks)
    return on_one_clock(tracks, age_of if has_age else day_of)


def stretched(tracks: Sequence[Track]) -> list[Track]:
    """Let all tracks take as long as the longest: for two times of a life, which have nothing to be matched by."""
    seconds = max(track.seconds for track in tracks)
    return [
        replace(track, starts_s=[start * seconds / track.seconds for start in track.starts_s], seconds=seconds)
        if track.seconds
        else replace(track, seconds=seconds)
        for track in tracks
    ]


def day_of(frame: Frame) -> float | None:
    """When a frame was taken, in days."""
    return None if frame.taken_at is None else (frame.taken_at - datetime(1, 1, 1)).total_seconds() / 86400


def age_of(frame: Frame) -> float | None:
    """How old the person is on a frame, in years."""
    return frame.age_years


def _starts(places: Sequence[float]) -> list[float]:
    """From where on each place is the nearest one."""
    return [*places[:1], *((a + b) / 2 for a, b in pairwise(places))]
