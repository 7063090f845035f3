"""Choosing the frames of a film, step by step; whatever is left out is told with its reason."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.query.choosing.alike import TWICE, near_duplicates, twice_on_a_photo
from alignimation_index.query.choosing.outliers import askew, doubtful, kept_in_doubt
from alignimation_index.query.choosing.pacing import Pace, Schedule, schedule
from alignimation_index.query.choosing.periods import UNDATED, Every, best_of_periods
from alignimation_index.query.choosing.preference import (
    FrameKey,
    LeftOut,
    Preference,
    frame_key,
    shown_instead,
    without,
)
from alignimation_index.query.choosing.thinning import Candidates, Times, thin
from alignimation_index.query.frames import Frame, stream_judged_frames
from alignimation_index.query.language.expression import FrameFilter, term
from alignimation_index.query.language.selection import remarks
from alignimation_index.query.language.tree import mentions
from alignimation_index.query.people import ME, who_is
from alignimation_index.query.variants import LEFT_OUT, VariantFace, faces_to_leave_out, of_one_shot, ranks

DROPPED = "it is dropped"
NOT_REGISTERED = "the face could not be registered"
BY_DURATION = "there are more than --duration has room for"
BY_TIME = "its time is shown by a better photo (--even photos keeps it)"
_EVEN_IF_PINNED = {NOT_REGISTERED, TWICE}

Judged = tuple[Frame, "str | None"]
"""A frame, and why the filter does not want it."""
Step = Callable[[Sequence[Frame]], list[LeftOut]]
"""Takes frames in the order of time, and tells which to leave out. Pinned ones stay, but for _EVEN_IF_PINNED."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How frames are chosen among those that a filter wants.

    Attributes:
        pace: of the film.
        every: one frame per period, or None.
        limit: at most so many frames, or None.
        pins: content hashes of photos that are in, whatever the filter and the steps say.
        drops: content hashes of photos that are not, nor are other variants of the same shot.
        all_alike: whether near-duplicates stay in.
        all_outliers: whether faces stay in that are in doubt, or badly registered.
    """

    pace: Pace = field(default_factory=Pace)
    every: Every | None = None
    limit: int | None = None
    pins: frozenset[str] = frozenset()
    drops: frozenset[str] = frozenset()
    all_alike: bool = False
    all_outliers: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The frames of a film.

    Attributes:
        frames: in the order in which they are shown.
        starts_s: when each appears, in seconds, rising from 0; it is shown until the next one, or until the end.
        seconds: of the film.
        left_out: all others of the person, in the order of time.
        note: lines to tell the user, or None.
    """

    frames: list[Frame]
    starts_s: list[float]
    seconds: float
    left_out: list[LeftOut]
    note: str | None

    @property
    def reasons(self) -> dict[str, int]:
        """How many are left out for each reason, most first."""
        return dict(Counter(one.reason for one in self.left_out).most_common())


def choose_frames(session: Session, wanted: FrameFilter, choice: Choice | None = None) -> Chosen:
    """Choose the frames of a film of one person: without one in `wanted`, that is "me", see `who_is`.

    Raises:
        UserError: there is no such person, or more photos are pinned than the film has room for.
    """
    choice = choice or Choice()
    wanted, notes = _of_somebody(session, wanted)
    judged = list(_judged(session, wanted))
    missing = choice.pins - {frame.content_hash for frame, _ in judged}
    if missing:
        everyone = _judged(session, wanted, of_whole_person=True)
        judged += [one for one in everyone if one[0].content_hash in missing]
    return choose_among(session, judged, wanted, choice, notes)


def choose_among(
    session: Session, judged: Sequence[Judged], wanted: FrameFilter, choice: Choice, notes: Sequence[str]
) -> Chosen:
    """Choose the frames of a film among some, each with why the filter does not want it; see `choose_frames`.

    Raises:
        UserError: more photos are pinned than the film has room for.
    """
    preference = Preference(choice.pins)
    unwanted = {frame_key(frame): reason for frame, reason in judged if reason}
    candidates = sorted((frame for frame, _ in judged), key=_moment)
    frames, left_out = candidates, []
    for step in _steps(session, wanted, unwanted, choice, preference):
        out = [one for one in step(frames) if not preference.is_pinned(one.frame) or one.reason in _EVEN_IF_PINNED]
        left_out += out
        frames = without(frames, out)
    planned = schedule(_as_candidates(frames, preference), choice.pace)
    left_out += _thinned(frames, planned, choice.pace)
    shown = [frames[index] for index in planned.kept]
    lines = [*notes, _absent_pins(shown, choice.pins), _doubts(shown, choice)]
    return Chosen(
        shown,
        planned.starts_s.tolist(),
        planned.seconds,
        _in_order(shown_instead(left_out), candidates),
        "\n".join(line for line in lines if line) or None,
    )


def _of_somebody(session: Session, wanted: FrameFilter) -> tuple[FrameFilter, list[str]]:
    """The frames of "me" where a filter says nothing of whose they are; and what a user should know of that."""
    if mentions(wanted.condition, "person"):
        return wanted, remarks(session, wanted)
    person, guess = who_is(session, ME)
    return wanted.narrowed(term("person", person)), [*([guess] if guess else []), *remarks(session, wanted)]


def _steps(
    session: Session, wanted: FrameFilter, unwanted: Mapping[FrameKey, str], choice: Choice, preference: Preference
) -> Iterator[Step]:
    dropped = of_one_shot(session, choice.drops) - choice.pins
    yield lambda frames: _leave_out(frames, lambda frame: DROPPED if frame.content_hash in dropped else None)
    yield lambda frames: _leave_out(frames, lambda frame: unwanted.get(frame_key(frame)))
    if not wanted.all_variants:
        yield lambda frames: _variants(session, frames)
    yield lambda frames: twice_on_a_photo(frames, preference)
    if not choice.all_outliers:
        yield doubtful
        yield askew
    if not choice.all_alike:
        yield lambda frames: near_duplicates(frames, preference)
    if choice.pace.even == "time":
        yield lambda frames: _leave_out(frames, lambda frame: None if frame.taken_at else UNDATED)
    every = choice.every
    if every is not None:
        yield lambda frames: best_of_periods(frames, every, preference)
    if choice.limit is not None:
        yield lambda frames: _limited(frames, choice, preference)


def _judged(session: Session, wanted: FrameFilter, *, of_whole_person: bool = False) -> Iterator[Judged]:
    """The frames among which some are chosen, in the order of time."""
    judged = stream_judged_frames(session, replace(wanted, all_variants=True), of_whole_person=of_whole_person)
    for frame, reasons in judged:
        yield frame, NOT_REGISTERED if frame.template_from_photo is None else next(iter(reasons), None)


def _moment(frame: Frame) -> tuple[bool, datetime, str, FrameKey]:
    return frame.taken_at is None, frame.taken_at or datetime.min, frame.path, frame_key(frame)


def _leave_out(frames: Sequence[Frame], why: Callable[[Frame], str | None]) -> list[LeftOut]:
    return [LeftOut(frame, reason) for frame in frames if (reason := why(frame))]


def _variants(session: Session, frames: Sequence[Frame]) -> list[LeftOut]:
    """The frames that are on a better photo of their group of variants as well."""
    in_group = ranks(session)
    grouped = (frame for frame in frames if frame.content_hash in in_group)
    faces = (VariantFace(_number(frame), frame.person_id, *in_group[frame.content_hash]) for frame in grouped)
    left_out = faces_to_leave_out(faces)
    return [LeftOut(frame, LEFT_OUT) for frame in frames if _number(frame) in left_out]


def _number(frame: Frame) -> int:
    """Of the body, or of the face; the frames of a film are all of one kind."""
    return frame.face_id if frame.body_id is None else frame.body_id


def _limited(frames: Sequence[Frame], choice: Choice, preference: Preference) -> list[LeftOut]:
    limit = choice.limit or 0
    pinned = sum(map(preference.is_pinned, frames))
    if pinned > limit:
        raise UserError(f"{pinned} photos are pinned, and --limit is {limit}. Raise it, or pin fewer photos.")
    kept = set(thin(_as_candidates(frames, preference), limit).tolist())
    return [LeftOut(frame, f"more than --limit {limit}") for i, frame in enumerate(frames) if i not in kept]


def _as_candidates(frames: Sequence[Frame], preference: Preference) -> Candidates:
    ranked = [preference.rank(frame) for frame in frames]
    order = sorted(range(len(frames)), key=lambda i: ranked[i], reverse=True)
    pinned = np.array([is_pinned for is_pinned, _ in ranked], bool)
    return Candidates(_times_s(frames), np.array(order, np.int64), pinned)


def _times_s(frames: Sequence[Frame]) -> Times:
    """(N,) strictly rising seconds by the wall clock; undated frames follow, as far apart as the others are on average.

    A millisecond tells those of one moment apart.
    """
    dated = [(frame.taken_at - datetime(1970, 1, 1)).total_seconds() for frame in frames if frame.taken_at]
    mean_gap = (dated[-1] - dated[0]) / max(len(dated) - 1, 1) if dated else 1.0
    after = (dated[-1] if dated else 0.0) + mean_gap * np.arange(1, len(frames) - len(dated) + 1)
    times: Times = np.concatenate([dated, after]) + 1e-3 * np.arange(len(frames))
    return times


def _thinned(frames: Sequence[Frame], planned: Schedule, pace: Pace) -> Iterator[LeftOut]:
    """The frames that the schedule leaves out, each with the one that is shown at its time."""
    shown = planned.kept.tolist()
    kept, why = set(shown), BY_TIME if pace.even == "time" else BY_DURATION
    for index, frame in enumerate(frames):
        if index not in kept:
            place = bisect(shown, index)
            near = shown[max(place - 1, 0) : place + 1]
            yield LeftOut(frame, why, frames[min(near, key=lambda other: _apart(frames[other], frame))])


def _apart(one: Frame, other: Frame) -> timedelta:
    return abs(one.taken_at - other.taken_at) if one.taken_at and other.taken_at else timedelta.max


def _absent_pins(shown: Sequence[Frame], pins: frozenset[str]) -> str | None:
    absent = len(pins - {frame.content_hash for frame in shown})
    if not absent:
        return None
    return f"{_counted(absent, 'pinned photo')} cannot be shown: the person is not found on it, or it is not at hand."


def _doubts(shown: Sequence[Frame], choice: Choice) -> str | None:
    """What is kept although it is in doubt, since leaving out more would leave holes."""
    count = 0 if choice.all_outliers else kept_in_doubt(shown)
    if not count:
        return None
    return (
        f"{_counted(count, 'frame')} may be somebody else, and kept: too many are in doubt to leave them all out. "
        "Confirm or reject them: alignindex people suggestions"
    )


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _in_order(left_out: Sequence[LeftOut], candidates: Sequence[Frame]) -> list[LeftOut]:
    place = {frame_key(frame): index for index, frame in enumerate(candidates)}
    return sorted(left_out, key=lambda one: place[frame_key(one.frame)])
