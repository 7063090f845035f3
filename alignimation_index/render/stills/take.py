"""From frames to stills: read, decode and warp, several photos at once and in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from alignimation_index import similarity
from alignimation_index.datatypes import DecodedPhoto, Pixels
from alignimation_index.errors import DecodeError, in_words
from alignimation_index.library.decoding.decode import TooLargeToShareError, decode
from alignimation_index.library.scan import content_hash, read_file
from alignimation_index.pipeline.flow import ordered_map, pool, processor_count
from alignimation_index.query.frames import Frame
from alignimation_index.render.stills.framing import MIRROR, VIEWS, Framing, canvas_from_template
from alignimation_index.render.stills.inside import fit_inside
from alignimation_index.render.stills.light import Light, light_of_face, relit, typical_light
from alignimation_index.render.stills.still import Still
from alignimation_index.render.stills.warp import decode_side_needed, part_needed, warp_photo
from alignimation_index.similarity import Matrices

OnSkip = Callable[[Frame, str], None]

# Stills that wait to be taken, beside those that are being made.
AHEAD = 2
# Faces by which the light of a person's photos is known.
LIT_FACES = 24
LIT_SIZE_PX = 96

_large_one = Lock()


@dataclass(frozen=True)
class _Shot:
    """How each frame becomes a still."""

    framing: Framing
    canvas_from_template: Mapping[str, Matrices]
    lights: Mapping[int | None, Light] = field(default_factory=dict)

    @property
    def edges(self) -> str:
        """Where photos fill the canvas, their very edges are mirrored instead of mixed with a colour."""
        return MIRROR if self.framing.inside else self.framing.edges

    def take(self, frame: Frame, index: int) -> Still:
        if frame.template_from_photo is None:
            raise ValueError(f"face {frame.face_id} is not registered")
        canvas_from_photo = similarity.compose(self.canvas_from_template[frame.kind], frame.template_from_photo)
        photo = _decoded(frame, canvas_from_photo, self.framing.size, self.edges)
        pixels = warp_photo(photo, canvas_from_photo, self.framing.size, self.edges)
        return Still(frame, index, self._relit(pixels, frame, canvas_from_photo), canvas_from_photo)

    def _relit(self, pixels: Pixels, frame: Frame, canvas_from_photo: Matrices) -> Pixels:
        target = self.lights.get(frame.person_id)
        own = light_of_face(pixels, similarity.apply(canvas_from_photo, frame.landmarks)) if target else None
        return relit(pixels, own, target) if own and target else pixels


def stills(
    frames: Sequence[Frame], framing: Framing, on_skip: OnSkip, workers: int | None = None
) -> Generator[Still, None, None]:
    """Bring frames to the canvas, in order, while they are asked for: memory does not grow with their count.

    Photos are read, decoded and warped in threads, a few ahead of what has been taken. Closing the iterator, or any
    exception, ends that with the photos in hand.

    Args:
        frames: registered ones; all there are, if they are to have a view or a light in common.
        framing: the canvas.
        on_skip: called, in this thread, with each frame that is left out and the reason: its photo is gone, changed or
            broken, or would narrow the view too far.
        workers: threads; None for one per processor.

    Raises:
        UserError: no view is filled by all frames.
        ValueError: a frame is not registered.
    """
    workers = workers or processor_count()
    kept, matrices = _in_view(list(enumerate(frames)), framing, on_skip)
    with pool(workers, "stills") as executor:
        lights: dict[int | None, Light] = {}
        if framing.match_light:
            sample = _to_be_lit([frame for _, frame in kept])
            lights = typical_light(ordered_map(executor, _face_light, sample, workers + AHEAD))
        shot = _Shot(framing, matrices, lights)
        tried = ordered_map(executor, lambda item: _tried(shot, *item), kept, workers + AHEAD)
        for (_, frame), still in zip(kept, tried, strict=True):
            if isinstance(still, Still):
                yield still
            else:
                on_skip(frame, failure(still))


def still_of(frame: Frame, framing: Framing) -> Still:
    """Bring one frame to the canvas; `inside` and `match_light` of the framing are about many, and left aside.

    Raises:
        OSError: the file is gone, cannot be read, or holds another photo than when it was indexed.
        DecodeError: the photo is broken.
        ValueError: the frame is not registered.
    """
    return _Shot(framing, _plain_views(framing)).take(frame, 0)


def render_frame(frame: Frame, size_px: int) -> Pixels:
    """The template's square of a frame's photo: (size_px, size_px, 3) uint8 RGB, black beyond the photo.

    Raises:
        OSError: as `still_of`, as the next two.
        DecodeError: see there.
        ValueError: see there.
    """
    return still_of(frame, Framing(size_px, size_px)).pixels


def failure(error: OSError | DecodeError) -> str:
    """Why a photo could not be rendered, in words."""
    return in_words(error) if isinstance(error, OSError) else str(error)


def _plain_views(framing: Framing) -> dict[str, Matrices]:
    return {kind: canvas_from_template(framing, kind) for kind in VIEWS}


def _in_view(
    numbered: list[tuple[int, Frame]], framing: Framing, on_skip: OnSkip
) -> tuple[list[tuple[int, Frame]], Mapping[str, Matrices]]:
    """The frames that are shown, with their places, and the matrix to the canvas for each kind of them."""
    if not framing.inside:
        return numbered, _plain_views(framing)
    fit = fit_inside([frame for _, frame in numbered], framing)
    for index, reason in sorted(fit.left_out.items()):
        on_skip(numbered[index][1], reason)
    return [item for item in numbered if item[0] not in fit.left_out], fit.canvas_from_template


def _tried(shot: _Shot, index: int, frame: Frame) -> Still | OSError | DecodeError:
    try:
        return shot.take(frame, index)
    except (OSError, DecodeError) as error:
        return error


def _decoded(frame: Frame, canvas_from_photo: Matrices, size: tuple[int, int], edges: str) -> DecodedPhoto:
    """What the canvas sees of a frame's photo, at no more than the resolution that it needs."""
    data = read_file(frame.path)
    if content_hash(data) != frame.content_hash:
        raise OSError("the file has changed since it was indexed; run alignindex update")
    side = decode_side_needed(canvas_from_photo, frame.width_px, frame.height_px)
    part = part_needed(canvas_from_photo, size, (frame.width_px, frame.height_px), edges)
    try:
        return decode(data, side, is_alone=False, part=part)
    except TooLargeToShareError:
        with _large_one:
            return decode(data, side, part=part)


def _to_be_lit(frames: Sequence[Frame]) -> list[Frame]:
    """Of each person some frames, evenly chosen."""
    of_person: dict[int | None, list[Frame]] = {}
    for frame in frames:
        of_person.setdefault(frame.person_id, []).append(frame)
    return [
        theirs[i * len(theirs) // min(LIT_FACES, len(theirs))]
        for theirs in of_person.values()
        for i in range(min(LIT_FACES, len(theirs)))
    ]


def _face_light(frame: Frame) -> tuple[int | None, Light | None]:
    """The light on a frame's face, or None; whose face it is comes first."""
    shot = _Shot(Framing(LIT_SIZE_PX, LIT_SIZE_PX), _plain_views(Framing(LIT_SIZE_PX, LIT_SIZE_PX)))
    still = _tried(shot, 0, frame)
    if not isinstance(still, Still):
        return frame.person_id, None
    return frame.person_id, light_of_face(still.pixels, similarity.apply(still.canvas_from_photo, frame.landmarks))
