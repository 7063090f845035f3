"""What the stages that look at one photo at a time compute, and from what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, TypeVar

import numpy as np

from alignimation_index.datatypes import DecodedPhoto, Detections, Float, PhotoBodies
from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.metadata import PhotoFacts, read_facts
from alignimation_index.models.faces import FaceModels
from alignimation_index.pipeline import stages as names
from alignimation_index.registration.faces import Registration, register_faces
from alignimation_index.stages.bodies import DECODED_SIDE_PX
from alignimation_index.stages.close_up import close_up_side, embed_faces, refine_landmarks
from alignimation_index.stages.detect import decode_side_px, detect_faces, without_forgotten
from alignimation_index.stages.fingerprint import fingerprint_photos
from alignimation_index.stages.pose import Pose, face_poses
from alignimation_index.stages.quality import Quality, measure_quality

Rows = TypeVar("Rows", Pose, Registration)


@dataclass
class Work:
    """A photo with stale stages: what is known of it, and what the stages add.

    Attributes:
        name: what the log calls it.
        stale: names of the stages to run.
        data: the file's bytes; None where no stale stage reads pixels, and once the stages are through.
        results: result by stage, of earlier runs (from the store) and of this one.
        failures: reason by stage; empty for a stage that was skipped, and for one that failed in an earlier run.
        forgotten: (K, 4) boxes of faces that are not to be found again, in pixels of the upright photo.
        pixels: the photo at the largest scale that a stage has asked for, or why there is none.
    """

    name: str
    stale: set[str]
    data: bytes | None = None
    results: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    forgotten: Float | None = None
    pixels: DecodedPhoto | DecodeError | None = None

    @property
    def bytes(self) -> bytes:
        """The file's bytes."""
        if self.data is None:
            raise ValueError(f"{self.name} was not read, yet a stage needs its bytes")
        return self.data

    @property
    def photo(self) -> DecodedPhoto:
        """The decoded photo; DecodeError if it cannot be decoded."""
        if isinstance(self.pixels, DecodeError):
            raise self.pixels
        if self.pixels is None:
            raise ValueError(f"{self.name} was not decoded, yet a stage needs its pixels")
        return self.pixels

    @property
    def detections(self) -> Detections:
        """The photo's faces, in pixels of the full upright photo."""
        found: Detections = self.results[names.DETECT]
        return found

    def is_decoded(self, min_side_px: int) -> bool:
        """Whether decoding to a shorter side of `min_side_px` would bring nothing new."""
        if not isinstance(self.pixels, DecodedPhoto):
            return self.pixels is not None
        photo = self.pixels
        side_px: int = min(photo.pixels.shape[:2])
        return side_px >= min(min_side_px, photo.width_px, photo.height_px)


class PictureReader(Protocol):
    """Reads pictures: here, or in other processes."""

    @property
    def at_once(self) -> int:
        """How many it may be asked to decode side by side."""

    def decode(self, data: bytes, min_side_px: int | None = None) -> DecodedPhoto:
        """See `library.decoding.decode`."""

    def read_facts(self, data: bytes) -> PhotoFacts:
        """See `library.metadata`."""


@dataclass(frozen=True)
class ReadHere:
    """Reads pictures in this process, whatever they do to it. Satisfies PictureReader.

    Attributes:
        is_alone: whether no other process is reading a large picture; TooLargeToShareError says that one is needed.
        at_once: how many it may be asked to decode side by side.
    """

    is_alone: bool = True
    at_once: int = 1

    def decode(self, data: bytes, min_side_px: int | None = None) -> DecodedPhoto:
        """See `library.decoding.decode`."""
        return decode(data, min_side_px, is_alone=self.is_alone)

    def read_facts(self, data: bytes) -> PhotoFacts:
        """See `library.metadata`."""
        return read_facts(data)


@dataclass(frozen=True)
class Tools:
    """What the steps work with; stages that read only rows never call what would load a network.

    Attributes:
        models: the networks of the stages of faces, loaded at the first call.
        reader: reads pictures.
        device: where networks look at pixels.
        find_bodies: finds bodies on photos, see `stages.bodies`; by a network that it loads at the first call.
    """

    models: Callable[[], FaceModels]
    reader: PictureReader
    device: Callable[[], str]
    find_bodies: Callable[[Sequence[DecodedPhoto]], list[PhotoBodies]]

    @classmethod
    def of_faces(cls, models: Callable[[], FaceModels], reader: PictureReader) -> Tools:
        """What the stages of faces work with."""
        return cls(models, reader, lambda: models().device, _no_bodies)

    @classmethod
    def of_bodies(
        cls, find_bodies: Callable[[Sequence[DecodedPhoto]], list[PhotoBodies]], reader: PictureReader
    ) -> Tools:
        """What the stage of bodies works with; photos are decoded on the CPU, wherever its network runs."""
        return cls(_no_faces, reader, lambda: "cpu", find_bodies)


def _no_bodies(_photos: Sequence[DecodedPhoto]) -> list[PhotoBodies]:
    raise ValueError("no network for bodies, yet a stage needs one")


def _no_faces() -> FaceModels:
    raise ValueError("no networks for faces, yet a stage needs them")


@dataclass(frozen=True)
class Step:
    """How a stage is computed.

    Attributes:
        compute: a result for each photo of a batch.
        reads_photo: whether it reads the photo's bytes or pixels.
        views: what the pixels have to show: a name for the decoding, and the shorter side that it needs at least. Those
            later in line may look at what those before them decoded.
    """

    compute: Callable[[Sequence[Work], Tools], Sequence[Any]]
    reads_photo: bool = True
    views: Mapping[str, Callable[[Work, Tools], int]] = field(default_factory=dict)


def _whole_side(_work: Work, tools: Tools) -> int:
    return decode_side_px(tools.models().min_face_share)


def _bodies_side(_work: Work, _tools: Tools) -> int:
    return DECODED_SIDE_PX


def _close_up_side(work: Work, _tools: Tools) -> int:
    return close_up_side(work.detections, work.photo.width_px, work.photo.height_px)


_WHOLE = {"decode": _whole_side}
_CLOSE_UP = {**_WHOLE, "close-up decode": _close_up_side}


def _metadata(works: Sequence[Work], tools: Tools) -> list[PhotoFacts]:
    return [tools.reader.read_facts(work.bytes) for work in works]


def _detect(works: Sequence[Work], tools: Tools) -> list[Detections | DecodeError]:
    found = detect_faces([work.photo for work in works], tools.models().detector, tools.models().min_face_share)
    return [
        faces if isinstance(faces, DecodeError) else without_forgotten(faces, work.forgotten)
        for work, faces in zip(works, found, strict=True)
    ]


def _fingerprint(works: Sequence[Work], _tools: Tools) -> list[bytes | None]:
    return fingerprint_photos([work.photo for work in works])


def _landmarks(works: Sequence[Work], tools: Tools) -> list[Any]:
    landmarks = [work.detections.landmarks for work in works]
    return refine_landmarks([work.photo for work in works], landmarks, tools.models().refiner)


def _embed(works: Sequence[Work], tools: Tools) -> list[Any]:
    faces = [Detections(w.detections.boxes, w.detections.scores, w.results[names.LANDMARKS]) for w in works]
    return embed_faces([work.photo for work in works], faces, tools.models().embedder)


def _pose(works: Sequence[Work], _tools: Tools) -> list[Pose]:
    detected, refined = (np.concatenate(points) for points in zip(*map(_landmark_pair, works), strict=True))
    return _by_photo(face_poses(detected, refined), works)


def _quality(works: Sequence[Work], _tools: Tools) -> list[Quality]:
    landmarks = [work.results[names.LANDMARKS] for work in works]
    return measure_quality([work.photo for work in works], [work.detections for work in works], landmarks)


def _register(works: Sequence[Work], _tools: Tools) -> list[Registration]:
    return _by_photo(register_faces(np.concatenate([work.results[names.LANDMARKS] for work in works])), works)


def _bodies(works: Sequence[Work], tools: Tools) -> list[PhotoBodies]:
    return tools.find_bodies([work.photo for work in works])


def _landmark_pair(work: Work) -> tuple[Float, Float]:
    return work.detections.landmarks, work.results[names.LANDMARKS]


def _by_photo(found: Rows, works: Sequence[Work]) -> list[Rows]:
    """Split a record of arrays with a row per face into one record per photo."""
    ends = np.cumsum([len(work.detections) for work in works])[:-1]
    columns = (np.split(getattr(found, column.name), ends) for column in fields(found))
    return [type(found)(*of_photo) for of_photo in zip(*columns, strict=True)]


STEPS: dict[str, Step] = {
    names.METADATA: Step(_metadata),
    names.DETECT: Step(_detect, views=_WHOLE),
    names.FINGERPRINT: Step(_fingerprint, views=_WHOLE),
    names.LANDMARKS: Step(_landmarks, views=_CLOSE_UP),
    names.EMBED: Step(_embed, views=_CLOSE_UP),
    names.POSE: Step(_pose, reads_photo=False),
    names.QUALITY: Step(_quality, views=_CLOSE_UP),
    names.REGISTER: Step(_register, reads_photo=False),
    names.BODIES: Step(_bodies, views={"decode": _bodies_side}),
}


def needs_bytes(stale: set[str]) -> bool:
    """Whether one of these stages reads the photo itself."""
    return any(STEPS[stage].reads_photo for stage in stale)
