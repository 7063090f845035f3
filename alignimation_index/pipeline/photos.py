"""The stages that look at one photo at a time: what each computes, and how its result is stored.

A stage that fails on a batch is tried photo by photo, so that one bad photo is one error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from alignimation_index.datatypes import DecodedPhoto, Detections
from alignimation_index.errors import DecodeError
from alignimation_index.library.decode import decode
from alignimation_index.library.metadata import PhotoMetadata, read_metadata
from alignimation_index.models.faces import FaceModels
from alignimation_index.pipeline import stages as names
from alignimation_index.registration import faces as registration
from alignimation_index.stages.close_up import close_up_side, embed_faces, refine_landmarks
from alignimation_index.stages.detect import DECODE_SIDE_PX, detect_faces
from alignimation_index.stages.pose import Pose, face_poses
from alignimation_index.stages.quality import Quality, measure_quality
from alignimation_index.stages.stage import Key
from alignimation_index.store import faces as rows
from alignimation_index.store import runs
from alignimation_index.store.tables import Face, Photo

log = logging.getLogger(__name__)


@dataclass
class Work:
    """A photo with stale stages: what is known of it, and what the stages add.

    Attributes:
        photo_id: the photo's row.
        stale: names of the stages to run.
        data: the file's bytes; None where no stale stage reads pixels.
        results: result by stage, of earlier runs (from the store) and of this one.
        failures: reason by stage; empty for a stage that was skipped, and for one that failed in an earlier run.
    """

    photo_id: int
    stale: set[str]
    data: bytes | None = None
    results: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    _decoded: DecodedPhoto | None = None

    @property
    def detections(self) -> Detections:
        """The photo's faces, in pixels of the full upright photo."""
        found: Detections = self.results[names.DETECT]
        return found

    def decode(self, min_side_px: int) -> DecodedPhoto:
        """The photo's pixels with a shorter side of at least `min_side_px`, or all there are."""
        have = self._decoded
        if have is None or min(have.pixels.shape[:2]) < min(min_side_px, have.width_px, have.height_px):
            self._decoded = have = decode(self._bytes(), min_side_px)
        return have

    def close_up(self) -> DecodedPhoto:
        """The photo at the scale at which its faces keep their detail."""
        photo = self.decode(DECODE_SIDE_PX)
        return self.decode(close_up_side(self.detections, photo.width_px, photo.height_px))

    def metadata(self) -> PhotoMetadata:
        """What the file says about itself."""
        return read_metadata(self._bytes())

    def _bytes(self) -> bytes:
        if self.data is None:
            raise ValueError(f"photo {self.photo_id} was not read, yet a stage needs its bytes")
        return self.data


# Loads the networks at the first call: stages that read only rows never make it.
Models = Callable[[], FaceModels]
Compute = Callable[[Sequence[Work], Models], list[Any]]
Store = Callable[[Session, Photo, list[Face], Any, Key], None]


@dataclass(frozen=True)
class Step:
    """How a stage is computed over a batch, how one result is stored, and whether it reads the photo's bytes."""

    compute: Compute
    store: Store
    reads_photo: bool = True


def _metadata(works: Sequence[Work], _models: Models) -> list[PhotoMetadata]:
    return [work.metadata() for work in works]


def _store_metadata(_s: Session, photo: Photo, _f: list[Face], found: PhotoMetadata, _key: Key) -> None:
    photo.width_px, photo.height_px = found.width_px, found.height_px
    photo.taken_at, photo.taken_at_source, photo.utc_offset = found.taken_at, found.taken_at_source, found.utc_offset
    photo.camera = found.camera


def _detect(works: Sequence[Work], models: Models) -> list[Detections]:
    return detect_faces([work.decode(DECODE_SIDE_PX) for work in works], models().detector)


def _store_detections(session: Session, photo: Photo, faces: list[Face], found: Detections, _key: Key) -> None:
    faces[:] = rows.replace_faces(session, photo.id, found)


def _landmarks(works: Sequence[Work], models: Models) -> list[Any]:
    photos = [work.close_up() for work in works]
    return refine_landmarks(photos, [work.detections.landmarks for work in works], models().refiner)


def _store_landmarks(_s: Session, _p: Photo, faces: list[Face], found: Any, _key: Key) -> None:  # noqa: ANN401
    for face, landmarks in zip(faces, found, strict=True):
        face.landmarks = landmarks


def _embed(works: Sequence[Work], models: Models) -> list[Any]:
    faces = [Detections(w.detections.boxes, w.detections.scores, w.results[names.LANDMARKS]) for w in works]
    return embed_faces([work.close_up() for work in works], faces, models().embedder)


def _store_embeddings(session: Session, _p: Photo, faces: list[Face], found: Any, key: Key) -> None:  # noqa: ANN401
    embedder = key.made_of["model"]
    rows.pin_embedder(session, embedder)
    rows.replace_embeddings(session, faces, embedder, found)


def _pose(works: Sequence[Work], _models: Models) -> list[Pose]:
    return [face_poses(work.detections.landmarks, work.results[names.LANDMARKS]) for work in works]


def _store_pose(_s: Session, _p: Photo, faces: list[Face], found: Pose, _key: Key) -> None:
    for i, face in enumerate(faces):
        face.yaw_deg, face.pitch_deg = float(found.yaw_deg[i]), float(found.pitch_deg[i])
        face.roll_deg, face.frontal = float(found.roll_deg[i]), bool(found.frontal[i])


def _quality(works: Sequence[Work], _models: Models) -> list[Quality]:
    return [measure_quality(work.close_up(), work.detections, work.results[names.LANDMARKS]) for work in works]


def _store_quality(_s: Session, _p: Photo, faces: list[Face], found: Quality, _key: Key) -> None:
    for i, face in enumerate(faces):
        face.size_px, face.sharpness = float(found.size_px[i]), float(found.sharpness[i])
        face.brightness, face.quality = float(found.brightness[i]), float(found.quality[i])


def _register(works: Sequence[Work], _models: Models) -> list[registration.Registration]:
    return [registration.register_faces(work.results[names.LANDMARKS]) for work in works]


def _store_transforms(
    session: Session, _p: Photo, faces: list[Face], found: registration.Registration, _key: Key
) -> None:
    template = rows.put_template(session, registration.FACE_TEMPLATE_NAME, registration.FACE_TEMPLATE)
    matrices, residuals = found.template_from_photo, found.residual
    rows.replace_transforms(session, faces, template, matrices, residuals, registration.METHOD)


STEPS: dict[str, Step] = {
    names.METADATA: Step(_metadata, _store_metadata),
    names.DETECT: Step(_detect, _store_detections),
    names.LANDMARKS: Step(_landmarks, _store_landmarks),
    names.EMBED: Step(_embed, _store_embeddings),
    names.POSE: Step(_pose, _store_pose, reads_photo=False),
    names.QUALITY: Step(_quality, _store_quality),
    names.REGISTER: Step(_register, _store_transforms, reads_photo=False),
}


def needs_bytes(stale: set[str]) -> bool:
    """Whether one of these stages reads the photo itself."""
    return any(STEPS[stage].reads_photo for stage in stale)


def analyse(works: Sequence[Work], models: Models, keys: Mapping[str, Key]) -> None:
    """Run the stale stages of each photo in order; results and failures are added to the works."""
    for stage in names.PHOTO_STAGES:
        above = keys[stage].made_of["upstream"]
        ready = [work for work in works if stage in work.stale and not above.keys() & work.failures.keys()]
        blocked = [work for work in works if stage in work.stale and above.keys() & work.failures.keys()]
        for work in blocked:
            work.failures[stage] = ""
        if ready:
            _run(stage, ready, models)


def _run(stage: str, works: Sequence[Work], models: Models) -> None:
    try:
        results = STEPS[stage].compute(works, models)
    except Exception as error:
        if len(works) > 1:
            for work in works:
                _run(stage, [work], models)
            return
        log.debug("photo %d, stage %s", works[0].photo_id, stage, exc_info=True)
        works[0].failures[stage] = _reason(error)
    else:
        for work, result in zip(works, results, strict=True):
            work.results[stage] = result


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, DecodeError) else f"{type(error).__name__}: {error}"


def known_results(faces: list[Face]) -> dict[str, Any]:
    """What earlier runs found on a photo, as stages read it."""
    landmarks = [face.landmarks for face in faces if face.landmarks is not None]
    return {
        names.DETECT: Detections(
            np.array([face.box for face in faces], np.float32).reshape(-1, 4),
            np.array([face.score for face in faces], np.float32),
            np.array([face.detected_landmarks for face in faces], np.float32).reshape(-1, 5, 2),
        ),
        names.LANDMARKS: np.array(landmarks, np.float32).reshape(-1, 5, 2),
    }


def store_results(session: Session, work: Work, faces: list[Face], keys: Mapping[str, Key]) -> None:
    """Write what the stages found on a photo, together with the records that they are done."""
    photo = session.get_one(Photo, work.photo_id)
    for stage in names.PHOTO_STAGES:
        if stage not in work.stale:
            continue
        if stage not in work.failures:
            STEPS[stage].store(session, photo, faces, work.results[stage], keys[stage])
            runs.record_run(session, [photo.id], stage, keys[stage].key)
        elif work.failures[stage]:
            runs.record_run(session, [photo.id], stage, keys[stage].key, runs.ERROR, work.failures[stage])
        else:
            runs.record_run(session, [photo.id], stage, keys[stage].key, runs.SKIPPED)
