"""Drawn photos of whole bodies, and a detector that knows what is on them.

A body is coloured, all else is grey; its keypoints are dots of colours of their own, its face is a square that the
fakes of faces find. Bodies stand apart from left to right.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from fakes import COLOURS, LANDMARKS_IN_BOX
from made_bodies import PLACES, body_mask, similarity
from PIL import Image

from alignimation_index.datatypes import KEYPOINT_NAMES, BodyDetections
from alignimation_index.models.bodies import BodyModelSource
from alignimation_index.similarity import apply

DOTS = {
    "nose": (160, 0, 255),
    "left_ear": (0, 255, 255),
    "left_shoulder": (255, 0, 255),
    "left_hip": (255, 128, 0),
    "left_knee": (0, 128, 255),
}
SKIN = (120, 70, 30)
SIZE = (320, 400)
# Where a face square lies, in body heights: its corner, and its side.
FACE_CORNER, FACE_SIDE = (0.47, 0.03), 0.12


@dataclass(frozen=True)
class Drawn:
    """A body on a photo: whose (a colour, or None for no face), how it is photographed, and its belly."""

    person: str | None = "red"
    photo_from_body: np.ndarray = field(default_factory=lambda: similarity(300, 0, 0, 50))
    belly: float = 0.0
    without: tuple[str, ...] = ()


def draw_bodies(path, *bodies, size=SIZE, shade=128, taken_at=None):
    """Draw a photo of bodies; a PNG, so that colours are what they are."""
    pixels = np.full((size[1], size[0], 3), shade, np.uint8)
    for body in bodies:
        pixels[body_mask(body.photo_from_body, *size, body.belly) >= 0.5] = SKIN
        _draw_face(pixels, body)
        for name, colour in DOTS.items():
            if name not in body.without:
                _dot(pixels, apply(body.photo_from_body, [place_of(name)])[0], colour)
    exif = Image.Exif()
    if taken_at is not None:
        exif.get_ifd(0x8769)[0x9003] = taken_at.strftime("%Y:%m:%d %H:%M:%S")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif.tobytes())
    return path


def place_of(name):
    """Where a body has a keypoint, in body heights."""
    if name == "nose":
        return tuple(np.array(FACE_CORNER) + LANDMARKS_IN_BOX[2] * FACE_SIDE)
    return PLACES[name]


def _draw_face(pixels, body):
    if body.person is None:
        return
    corners = apply(body.photo_from_body, [FACE_CORNER, np.array(FACE_CORNER) + FACE_SIDE])
    (left, top), (right, bottom) = np.rint(corners).astype(int)
    pixels[top:bottom, left:right] = COLOURS[body.person]


def _dot(pixels, place, colour):
    x, y = np.rint(place).astype(int)
    pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = colour


@dataclass
class FakeBodies:
    """A body detector, and how often it was loaded and looked; `before` is called ahead of each image.

    What covers fewer pixels than `smallest_px` is no body.
    """

    model_id: str = "fake-bodies"
    loads: int = 0
    looked: int = 0
    smallest_px: int = 0
    before: object = lambda _: None

    def source(self):
        return BodyModelSource(self.model_id, self.load)

    def load(self):
        self.loads += 1
        return self

    def detect(self, images):
        return [self._look(image) for image in images]

    def _look(self, image):
        self.before(image)
        self.looked += 1
        pixels = np.asarray(image).astype(int)
        coloured = np.ptp(pixels, axis=2) > 25
        found = [_body(pixels, coloured, *columns) for columns in _runs(coloured.any(0))]
        found = [body for body in found if np.count_nonzero(body[3]) >= self.smallest_px]
        found.sort(key=lambda body: -np.count_nonzero(body[3]))
        boxes, scores, keypoints, masks = zip(*found, strict=True) if found else ((), (), (), ())
        return BodyDetections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(scores, np.float32),
            np.array(keypoints, np.float32).reshape(-1, 17, 3),
            masks,
        )


def _runs(filled):
    """(first, end) of runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], filled.astype(int), [0]])))
    return zip(edges[::2], edges[1::2], strict=True)


def _body(pixels, coloured, left, right):
    mask = np.zeros(coloured.shape, np.uint8)
    mask[:, left:right] = 255 * coloured[:, left:right]
    rows = np.flatnonzero(mask.any(1))
    keypoints = np.zeros((17, 3))
    for name, colour in DOTS.items():
        y, x = np.nonzero((abs(pixels[:, left:right] - colour) < 10).all(2))
        if len(x):
            keypoints[KEYPOINT_NAMES.index(name)] = (x.mean() + left, y.mean(), 1)
    return (left, rows[0], right, rows[-1] + 1), 0.9, keypoints, mask
