"""The demo: make photos, index them, render them, and compare with what is known of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from alignimation_index.datatypes import Pixels
from alignimation_index.demo.comparison import cropped, mean_picture, wander_px
from alignimation_index.demo.folder import DemoFolder
from alignimation_index.demo.photos import load_pictures, plan_faceless, plan_photos, write_photos
from alignimation_index.models.faces import EMBEDDED, face_models
from alignimation_index.models.weights import WeightStore
from alignimation_index.pipeline.progress import Progress
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.update import update
from alignimation_index.query.choosing.choose import choose_frames
from alignimation_index.query.frames import Frame
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.query.people import summaries
from alignimation_index.render.film.film import Film, Look, render_film
from alignimation_index.render.film.tracks import evenly
from alignimation_index.render.sheet import Tile, contact_sheet, save_picture
from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.take import render_frame
from alignimation_index.similarity import Points
from alignimation_index.store.engine import Store

PHOTO_COUNT = 60
COMPARED_SIZE_PX = 512
VIDEO_SIZE_PX, VIDEO_FPS = 720, 12
# Every other frame, small: light enough for a web page.
GIF_SIZE_PX, GIF_FPS, GIF_STEP = 256, 6, 2


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made and measured.

    Attributes:
        folder: where everything is.
        photo_count: photos made of the portrait.
        faceless_count: photos made without a face.
        face_count: faces found on all of them.
        people_count: people that these faces were taken for.
        frame_count: faces that were registered on photos of the portrait.
        wander_before_px: mean distance of an eye from its mean position over those photos, each cropped to the largest
            square in its middle and brought to COMPARED_SIZE_PX.
        wander_after_px: the same in registered frames of COMPARED_SIZE_PX.
    """

    folder: DemoFolder
    photo_count: int
    faceless_count: int
    face_count: int
    people_count: int
    frame_count: int
    wander_before_px: float
    wander_after_px: float

    def summary(self) -> str:
        """Some lines for people: the figures, what to look at, what to try next."""
        folder = self.folder
        made = f"{self.photo_count} photos made of one portrait and {self.faceless_count} without a face"
        found = f"{self.face_count} faces, {self.people_count} {'person' if self.people_count == 1 else 'people'}"
        return (
            f"{made}: {folder.photos}\n"
            f"Found on them: {found}; {self.frame_count} frames registered.\n"
            f"The eyes wander by {self.wander_before_px:.1f} pixels from photo to photo, and by "
            f"{self.wander_after_px:.2f} pixels once registered (in frames of {COMPARED_SIZE_PX} pixels).\n"
            f"Look at: {folder.before_after}\n"
            f"         {folder.video}\n"
            f"Next:    alignindex --store {shlex.quote(str(folder.store))} people list"
        )


def run_demo(out: Path, progress: Progress, photo_count: int = PHOTO_COUNT) -> DemoResult:
    """Make a library out of NASA's portrait of Eileen Collins, index it, render it, and measure the registration.

    The same count makes the same photos. Nothing is fetched: the embedder is the embedded one.

    Args:
        out: folder; what an earlier demo made in it is replaced.
        progress: told what is going on.
        photo_count: photos of the portrait; more than a few, or nobody is taken for a person.

    Raises:
        UserError: scikit-image is missing, `out` holds something else than a demo or cannot be written, or no face was
            registered.
    """
    load_pictures()
    folder = DemoFolder(out.expanduser().absolute())
    photos, faceless = plan_photos(folder.photos, photo_count), plan_faceless(folder.photos)
    folder.prepare([*(photo.path for photo in photos), *faceless])
    for done, _ in enumerate(write_photos(photos, faceless), 1):
        progress("making photos", done, len(photos) + len(faceless))
    index = _index(folder, progress)
    eyes = {str(photo.path): photo.eyes for photo in photos}
    frames = [frame for frame in index.frames if frame.path in eyes]
    _render(frames, folder, progress)
    before_px, after_px = _compare(frames, [eyes[frame.path] for frame in frames], folder.before_after, progress)
    return DemoResult(
        folder, len(photos), len(faceless), index.face_count, index.people_count, len(frames), before_px, after_px
    )


@dataclass(frozen=True, slots=True)
class _Index:
    face_count: int
    people_count: int
    frames: list[Frame]


def _index(folder: DemoFolder, progress: Progress) -> _Index:
    """Index the photos; what was found, and the frames of whoever is on most of them."""
    models = face_models(EMBEDDED, WeightStore(folder.path / "weights"))
    with closing(Store.open(folder.store)) as store:
        add_roots(store, [folder.photos])
        report = update(store, models, progress)
        with store.reading() as session:
            frames = choose_frames(session, FrameFilter()).frames
            return _Index(report.faces_found, len(summaries(session)), frames)


def _render(frames: Sequence[Frame], folder: DemoFolder, progress: Progress) -> None:
    def show(done: int, total: int) -> None:
        progress("video", done, total)

    render_film(_film(frames, VIDEO_FPS, VIDEO_SIZE_PX), folder.video, show)
    render_film(_film(frames[::GIF_STEP], GIF_FPS, GIF_SIZE_PX), folder.gif)


def _film(frames: Sequence[Frame], fps: float, size_px: int) -> Film:
    """A picture per frame."""
    return Film([evenly(frames, fps)], Look(Framing(size_px, size_px), fps=fps), "alignindex demo")


def _compare(frames: Sequence[Frame], eyes: Sequence[Points], out: Path, progress: Progress) -> tuple[float, float]:
    """Draw the mean pictures before and after registration, and measure the wander of the true eyes in both."""
    tiles, wanders = [], []
    for title, shown in ("before", [cropped(frame) for frame in frames]), ("after", frames):
        wanders.append(wander_px(shown, eyes, COMPARED_SIZE_PX))
        mean = mean_picture(_rendered(shown, f"mean {title}", progress))
        tiles.append(Tile(mean, f"{title}: eyes wander {wanders[-1]:.1f} px"))
    save_picture(contact_sheet(tiles, COMPARED_SIZE_PX, columns=2), out)
    return wanders[0], wanders[1]


def _rendered(frames: Sequence[Frame], phase: str, progress: Progress) -> Iterator[Pixels]:
    for done, frame in enumerate(frames, 1):
        yield render_frame(frame, COMPARED_SIZE_PX)
        progress(phase, done, len(frames))
