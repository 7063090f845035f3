"""Of some frames, which to show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from alignimation_index.query.choosing.score import score
from alignimation_index.query.frames import Frame

FrameKey = tuple[str, int, int | None]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A frame that is not shown, why, and which one is shown in its place, if any."""

    frame: Frame
    reason: str
    instead: Frame | None = None


def frame_key(frame: Frame) -> FrameKey:
    """What tells frames apart."""
    return frame.kind, frame.face_id, frame.body_id


class Preference:
    """Pinned frames come first, then those of the highest score."""

    def __init__(self, pins: Collection[str] = ()) -> None:
        """Prefer photos with these content hashes."""
        self._pins = frozenset(pins)
        self._scores: dict[FrameKey, float] = {}

    def is_pinned(self, frame: Frame) -> bool:
        """Whether a frame is shown whatever it looks like."""
        return frame.content_hash in self._pins

    def rank(self, frame: Frame) -> tuple[bool, float]:
        """The greater, the better."""
        key = frame_key(frame)
        if key not in self._scores:
            self._scores[key] = score(frame)
        return self.is_pinned(frame), self._scores[key]

    def others(self, frames: Sequence[Frame], reason: str) -> list[LeftOut]:
        """All but the best one, which is shown in their place; all that are pinned are."""
        best = max(frames, key=self.rank)
        return [LeftOut(one, reason, best) for one in frames if one is not best and not self.is_pinned(one)]


def without(frames: Iterable[Frame], left_out: Iterable[LeftOut]) -> list[Frame]:
    """The frames that are not left out."""
    gone = {frame_key(one.frame) for one in left_out}
    return [frame for frame in frames if frame_key(frame) not in gone]


def shown_instead(left_out: Iterable[LeftOut]) -> list[LeftOut]:
    """The same, where a frame in whose place another is shown may have been left out in turn."""
    told = list(left_out)
    after = {frame_key(one.frame): one.instead for one in told}

    def shown(frame: Frame | None) -> Frame | None:
        while frame is not None and frame_key(frame) in after:
            frame = after[frame_key(frame)]
        return frame

    return [replace(one, instead=shown(one.instead)) for one in told]
