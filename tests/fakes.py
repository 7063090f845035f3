"""Drawn photos, and models that know what is on them: a face is a square, its colour is who it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from sqlalchemy import select

from alignimation_index.datatypes import Detections, Float, Images, Pixels
from alignimation_index.models.faces import DETECTOR, MIN_FACE_SHARE, REFINER, FaceModelIds, FaceModels, FaceModelSource
from alignimation_index.people.calibration import CALIBRATIONS
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.update import update
from alignimation_index.query.frames import Frame, select_frames
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Assignment, Embedding, Face
from alignimation_index.store.tables import Base, File, Photo

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
EMBEDDER = "dlib-resnet"
FACE_PX = 40
LANDMARKS_IN_BOX = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.57], [0.34, 0.75], [0.66, 0.75]], np.float32)


def draw_photo(path: Path, *people: str, shade: int = 128, taken_at: datetime | None = None) -> Path:
    """Draw a 160 × 120 photo with a face for each of `people` (names in COLOURS) on a grey of this shade."""
    image = Image.new("RGB", (160, 120), (shade, shade, shade))
    for position, person in enumerate(people):
        left = 10 + 50 * position
        ImageDraw.Draw(image).rectangle((left, 40, left + FACE_PX - 1, 40 + FACE_PX - 1), COLOURS[person])
    exif = Image.Exif()
    if taken_at is not None:
        exif.get_ifd(0x8769)[0x9003] = taken_at.strftime("%Y:%m:%d %H:%M:%S")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=95, exif=exif)
    return path


@dataclass
class FakeModels:
    """A detector, a refiner and an embedder; `images` counts what each looked at, `before` is called ahead of it.

    `shift_px` moves the boxes that the detector reports. On a GPU, `fits` is how many images its memory holds at once;
    `batches` are the sizes of those that the detector was given.
    """

    detector_id: str = DETECTOR
    refiner_id: str = REFINER
    embedder_id: str = EMBEDDER
    shift_px: float = 0
    device: str = "cpu"
    min_face_share: float = MIN_FACE_SHARE
    fits: int = 1000
    batches: list[int] = field(default_factory=list)
    loads: int = 0
    images: dict[str, int] = field(default_factory=lambda: {"detector": 0, "refiner": 0, "embedder": 0})
    before: dict[str, Callable[[Pixels], None]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def source(self) -> FaceModelSource:
        ids = FaceModelIds(self.embedder_id, self.detector_id, self.refiner_id, self.min_face_share)
        return FaceModelSource(ids, self._load)

    def _load(self) -> FaceModels:
        self.loads += 1
        return FaceModels(
            FakeDetector(self, self.detector_id),
            FakeRefiner(self, self.refiner_id),
            FakeEmbedder(self, self.embedder_id),
            device=self.device,
            min_face_share=self.min_face_share,
        )

    def look(self, model: str, images: Images) -> None:
        for image in images:
            with self.lock:
                self.images[model] += 1
            self.before.get(model, lambda _: None)(image)


class OutOfMemoryError(RuntimeError):
    """As torch says it."""


@dataclass
class FakeDetector:
    fakes: FakeModels
    model_id: str

    def detect(self, images: Images, min_face_share: float) -> list[Detections]:  # noqa: ARG002
        self.fakes.batches.append(len(images))
        if len(images) > self.fakes.fits:
            raise OutOfMemoryError("MPS backend out of memory (MPS allocated: 20.00 GiB)")
        self.fakes.look("detector", images)
        return [_squares(image, self.fakes.shift_px) for image in images]


@dataclass
class FakeRefiner:
    fakes: FakeModels
    model_id: str

    def refine(self, images: Images, landmarks: Sequence[Float]) -> list[Float]:
        self.fakes.look("refiner", images)
        return [points + np.float32(0.5) for points in landmarks]


@dataclass
class FakeEmbedder:
    """An axis for each colour, off the mean face as far as faces are; the shade tells photos apart."""

    fakes: FakeModels
    model_id: str

    def embed(self, images: Images, faces: Sequence[Detections]) -> list[Float]:
        self.fakes.look("embedder", images)
        return [self._vectors(image, found) for image, found in zip(images, faces, strict=True)]

    def _vectors(self, image: Pixels, faces: Detections) -> Float:
        calibration = CALIBRATIONS[self.model_id]
        off = float(np.sqrt(calibration.spread.mean()))
        vectors = np.tile(np.array(calibration.mean, np.float32), (len(faces), 1))
        for row, (left, top, right, bottom) in enumerate(faces.boxes):
            centre = image[round((top + bottom) / 2), round((left + right) / 2)].astype(int)
            gaps = [abs(centre - colour).sum() for colour in COLOURS.values()]
            vectors[row, int(np.argmin(gaps))] += off
        vectors[:, -1] += off * image[0, 0, 0] / 2550
        return vectors


def _squares(image: Pixels, shift_px: float) -> Detections:
    boxes = []
    for colour in COLOURS.values():
        rows, columns = np.nonzero((abs(image.astype(int) - colour) < 90).all(2))
        if len(rows) > FACE_PX:
            boxes.append((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    corners = np.array(boxes, np.float32).reshape(-1, 2, 2) + np.float32(shift_px)
    sides = corners[:, 1:] - corners[:, :1]
    scores = np.linspace(0.99, 0.9, len(boxes), dtype=np.float32)
    return Detections(corners.reshape(-1, 4), scores, corners[:, :1] + LANDMARKS_IN_BOX * sides)


def index(
    store: Store,
    fakes: FakeModels,
    *roots: Path,
    workers: int | None = None,
    progress: Progress = lambda *_: None,
) -> UpdateReport:
    """Add the roots, and bring the store up to date with the fakes."""
    add_roots(store, roots)
    return update(store, fakes.source(), progress, workers=workers)


def frames(store: Store) -> list[Frame]:
    """All frames, in the order of time."""
    with store.reading() as session:
        return select_frames(session, FrameFilter())


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, ids included, the moments of writing left out."""
    with store.reading() as session:
        return {
            table.name: [
                tuple(value.tolist() if isinstance(value, np.ndarray) else str(value) for value in row)
                for row in session.execute(
                    select(*(c for c in table.columns if not c.name.endswith("_utc"))).order_by(*table.primary_key)
                )
            ]
            for table in Base.metadata.sorted_tables
        }


@dataclass(frozen=True)
class Held:
    """What a store holds, whatever the order in which it came there: photos by file, faces by photo, people by face."""

    files: dict[str, str]
    faces: dict[str, list[tuple[Any, ...]]]
    people: set[frozenset[tuple[Any, ...]]]


def held(store: Store) -> Held:
    """What the files at hand hold."""
    here = File.missing_since_utc.is_(None) & File.error.is_(None)
    columns = (Photo.content_hash, Face.box, Face.landmarks, Embedding.vector, Assignment.person_id)
    with store.reading() as session:
        files = dict(session.execute(select(File.path, Photo.content_hash).outerjoin(Photo).where(here)).all())
        found = select(*columns).join(Face, Face.photo_id == Photo.id).join(Embedding).outerjoin(Assignment)
        rows = session.execute(found.where(Photo.content_hash.in_(set(files.values())))).all()
    faces: dict[str, list[tuple[Any, ...]]] = {}
    people: dict[int | None, set[tuple[Any, ...]]] = {}
    for content_hash, *arrays, person_id in rows:
        box, landmarks, vector = (tuple(array.ravel().tolist()) for array in arrays)
        faces.setdefault(content_hash, []).append((box, landmarks, vector))
        people.setdefault(person_id, set()).add((content_hash, box))
    return Held(files, {one: sorted(found) for one, found in faces.items()}, set(map(frozenset, people.values())))
