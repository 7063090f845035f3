"""From frames to a film: stills, their transitions, labels, and the pictures of several people side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np

from alignimation_index import __version__
from alignimation_index.datatypes import Pixels
from alignimation_index.errors import UserError
from alignimation_index.query.choosing.preference import FrameKey, frame_key
from alignimation_index.query.frames import Frame
from alignimation_index.render.files.encode import FilmFormat, open_animation
from alignimation_index.render.film.label_text import label_text
from alignimation_index.render.film.labels import Labels, labelled, with_time_bar
from alignimation_index.render.film.shots import Instant, frame_count
from alignimation_index.render.film.tracks import Track
from alignimation_index.render.film.transitions.transition import Transition, check_dated, needed, play
from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.still import Still
from alignimation_index.render.stills.take import stills

Progress = Callable[[int, int], None]
"""Called with how many pictures are done and how many there will be."""

# Between the pictures of several people, of their shorter side.
GAP = 0.012
KEPT = "keep"
NOBODY = "nobody was found on it to put before another background"


@dataclass(frozen=True, slots=True)
class Look:
    """How a film looks.

    Attributes:
        framing: of each person's pictures.
        transition: from each photo to the next.
        fps: pictures per second.
        labels: what is written on them.
        codec: one that the file's suffix allows, or None for the usual one.
        background: what is behind people, see `parse_background`.
    """

    framing: Framing
    transition: Transition = field(default_factory=Transition)
    fps: float = 24.0
    labels: Labels = field(default_factory=Labels)
    codec: str | None = None
    background: str = KEPT


@dataclass(frozen=True, slots=True)
class Film:
    """All that a film is made of.

    Attributes:
        tracks: one per person, equally long.
        look: of it.
        query: what was asked for, in words.
        columns: in how many the pictures of several people stand; None for about as many as rows.
    """

    tracks: Sequence[Track]
    look: Look
    query: str = ""
    columns: int | None = None

    @property
    def frame_count(self) -> int:
        """How many pictures there will be."""
        return frame_count(self.tracks[0].seconds, self.look.fps)

    @property
    def comment(self) -> str:
        """What made the film, and what was asked for."""
        return f"alignindex {__version__}: {self.query}"

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the film."""
        columns, rows, gap = self.grid
        framing = self.look.framing
        return framing.width_px * columns + gap * (columns - 1), framing.height_px * rows + gap * (rows - 1)

    @property
    def grid(self) -> tuple[int, int, int]:
        """Columns, rows, and the pixels between them."""
        count, framing = len(self.tracks), self.look.framing
        columns = self.columns or math.ceil(math.sqrt(count))
        gap = max(2, round(GAP * min(framing.width_px, framing.height_px)))
        return columns, math.ceil(count / columns), gap


@dataclass
class RenderReport:
    """What became of a film.

    Attributes:
        frame_count: pictures in it.
        left_out: (path, reason) of photos that could not be shown.
        too_close: how many photos lie closer together than a blend tells apart, and are not in it.
        tracks: what was shown: the film's, with what was missing.
        in_words: what was made, for people.
    """

    frame_count: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)
    too_close: int = 0
    tracks: Sequence[Track] = ()
    in_words: str = ""


def not_cut_out(frames: Sequence[Frame], background: str) -> dict[int, str]:
    """Why some of the frames, by index, cannot be shown: they would flash their own background between the others."""
    return {} if background == KEPT else {i: NOBODY for i, frame in enumerate(frames) if frame.cutout is None}


def render_film(
    film: Film,
    out: Path,
    progress: Progress = lambda _done, _all: None,
    finish: Callable[[RenderReport], None] = lambda _report: None,
) -> RenderReport:
    """Render a film; `out` appears when it is complete, see `open_animation`.

    A photo that is gone, changed or broken since it was indexed is left out and named, and its time goes to its
    neighbours.

    Args:
        film: what to render.
        out: where to.
        progress: told after each picture.
        finish: called when all pictures are written, before `out` appears; if it fails, nothing does.

    Raises:
        UserError: nothing could be rendered, or `out` cannot be written.
    """
    if not any(track.frames for track in film.tracks):
        raise UserError("There are no frames to render. Widen the query: more years, --any-pose, a smaller --min-size.")
    for track in film.tracks:
        check_dated(film.look.transition, track.frames)
    report = RenderReport()
    pictures = film_pictures(film, report)
    first = next(pictures, None)
    if first is None:
        raise UserError(_nothing_left(report))
    with open_animation(out, _format(film, first)) as animation:
        for picture in _again(first, pictures):
            animation.write(picture)
            progress(animation.frame_count, film.frame_count)
        report.frame_count = animation.frame_count
        report.in_words = f"{report.frame_count} frames, {report.frame_count / film.look.fps:.1f} s"
        finish(report)
    return report


def film_pictures(film: Film, report: RenderReport) -> Iterator[Pixels]:
    """The pictures of a film, one at a time; what could not be shown is told to the report when all are done."""
    playing = [_Player(track, film.look, len(film.tracks) > 1) for track in film.tracks]
    seconds = film.tracks[0].seconds
    pictures = (_beside(cells, film) for cells in zip_longest(*(player.pictures() for player in playing)))
    for index, picture in enumerate(pictures):
        done = (index + 1) / film.frame_count
        yield with_time_bar(picture, done) if film.look.labels.time_bar and seconds else picture
    report.tracks = [player.track for player in playing]
    report.too_close = sum(player.too_close for player in playing)
    report.left_out = [
        (track.frames[index].path, reason) for track in report.tracks for index, reason in track.missing.items()
    ]


class _Player:
    """Plays one track, and remembers what was missing.

    Attributes:
        track: what is played; what turns out to be missing is added when it has been.
        too_close: how many of its frames the transition does not need.
    """

    def __init__(self, track: Track, look: Look, is_one_of_many: bool) -> None:
        self.track = track
        self.too_close = 0
        self._look = look
        self._workers = 1 if is_one_of_many else None
        self._missing = dict(track.missing)

    def pictures(self) -> Iterator[Pixels | None]:
        """A picture per moment; None before the first frame has its time."""
        track, look = self.track, self._look
        instants = (
            play(look.transition, self._stills(), track.starts_s, track.seconds, look.fps) if track.frames else ()
        )
        written = _Written(look.labels)
        for instant in instants:
            yield None if instant.at_s < track.starts_s[0] else written.on(instant)
        self.track = replace(track, missing=self._missing)

    def _stills(self) -> Iterator[Still]:
        frames = self.track.frames
        wanted = needed(self._look.transition, frames, self.track.starts_s)
        self.too_close = len(frames) - len(wanted)
        reasons: dict[FrameKey, str] = {}

        def skip(frame: Frame, reason: str) -> None:
            reasons[frame_key(frame)] = reason

        # Those that were missing when the film was made are asked for as well: the framing may depend on all of them.
        backdrop = _backdrop(self._look.background)
        for still in stills([frames[index] for index in wanted], self._look.framing, skip, self._workers):
            if wanted[still.index] not in self.track.missing:
                yield backdrop(replace(still, index=wanted[still.index]))
        for index in wanted:
            reason = reasons.get(frame_key(frames[index]))
            if reason is not None:
                self._missing.setdefault(index, reason)


def _backdrop(background: str) -> Callable[[Still], Still]:
    """What becomes of stills where something else is to be behind people."""
    if background == KEPT:
        return lambda still: still
    # Here, since it takes a second and 300 MB.
    from alignimation_index.render.stills.backdrop import Backdrop
    from alignimation_index.render.stills.background import parse_background

    return Backdrop(parse_background(background)).behind


class _Written:
    """Writes labels; of a picture that stays the same it keeps the last result."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._last: tuple[Pixels, Frame, Pixels] | None = None

    def on(self, instant: Instant) -> Pixels:
        """The picture with its label."""
        if not self._labels.template:
            return instant.pixels
        if self._last is None or self._last[0] is not instant.pixels or self._last[1] is not instant.frame:
            text = label_text(self._labels.template, instant.frame, self._labels.locale)
            self._last = instant.pixels, instant.frame, labelled(instant.pixels, text, self._labels)
        return self._last[2]


def _beside(cells: Sequence[Pixels | None], film: Film) -> Pixels:
    """The pictures of one moment in rows; a lone one is itself."""
    if len(cells) == 1 and cells[0] is not None:
        return cells[0]
    (columns, _, gap), framing = film.grid, film.look.framing
    width, height = film.size_px
    channels = max((cell.shape[2] for cell in cells if cell is not None), default=3)
    sheet = np.zeros((height, width, channels), np.uint8)
    for index, cell in enumerate(cells):
        if cell is not None:
            left, top = index % columns * (framing.width_px + gap), index // columns * (framing.height_px + gap)
            sheet[top : top + framing.height_px, left : left + framing.width_px] = cell
    return sheet


def _format(film: Film, picture: Pixels) -> FilmFormat:
    names = ", ".join(track.title for track in film.tracks if track.title)
    return FilmFormat(
        fps=film.look.fps,
        width_px=picture.shape[1],
        height_px=picture.shape[0],
        has_alpha=picture.shape[2] == 4,
        codec=film.look.codec,
        title=names or film.query,
        comment=film.comment,
        frame_count=film.frame_count,
    )


def _again(first: Pixels, others: Iterator[Pixels]) -> Iterator[Pixels]:
    yield first
    yield from others


def _nothing_left(report: RenderReport) -> str:
    path, reason = report.left_out[0]
    return f"None of {len(report.left_out)} photos could be rendered; the first: {path}: {reason}"
