"""A film on one page: its frames with their dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from alignimation_index.query.frames import Frame
from alignimation_index.render.film.film import Film, Progress, RenderReport
from alignimation_index.render.film.label_text import label_text
from alignimation_index.render.film.labels import Labels
from alignimation_index.render.sheet import SAVE_OPTIONS, Tile, contact_sheet, save_picture
from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.take import stills

TILE_PX = 200
MOST_TILES = 500
"""What one can look through, and what a page holds; of more frames so many are chosen evenly."""

SUFFIXES = tuple(suffix for suffix in SAVE_OPTIONS if suffix != ".webp")


def is_sheet(out: Path) -> bool:
    """Whether a film of this name is a sheet: a picture in a format that does not move."""
    return out.suffix.lower() in SUFFIXES and not out.is_dir()


def render_sheet(film: Film, out: Path, progress: Progress = lambda _done, _all: None) -> RenderReport:
    """Draw the frames of a film, in its order, with their labels, or their dates and ages.

    Raises:
        UserError: none could be drawn, or `out` cannot be written.
    """
    frames = [frame for track in film.tracks for frame in track.frames]
    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, min(MOST_TILES, len(frames))).round().astype(int)]
    report = RenderReport()
    tiles = _tiles(chosen, film, report, progress)
    save_picture(contact_sheet(tiles, TILE_PX), out, film.comment)
    report.in_words = f"{report.frame_count} of {len(frames)} frames on a sheet"
    return report


def _tiles(frames: Sequence[Frame], film: Film, report: RenderReport, progress: Progress) -> Iterator[Tile]:
    def skip(frame: Frame, reason: str) -> None:
        report.left_out.append((frame.path, reason))

    for still in stills(frames, _small(film.look.framing), skip):
        report.frame_count += 1
        progress(still.index + 1, len(frames))
        yield Tile(still.pixels, _caption(still.frame, film.look.labels))


def _small(framing: Framing) -> Framing:
    """The framing for a tile, at twice its size."""
    shrink = min(1.0, 2 * TILE_PX / max(framing.width_px, framing.height_px))
    width, height = (max(16, round(side * shrink)) for side in (framing.width_px, framing.height_px))
    return replace(framing, width_px=width, height_px=height)


def _caption(frame: Frame, labels: Labels) -> str:
    return label_text(labels.template or "{date:%Y-%m-%d} · {age}", frame, labels.locale)
