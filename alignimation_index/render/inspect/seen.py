"""What is known of one photo, as plain values, and pictures cut out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from alignimation_index.datatypes import LANDMARK_NAMES, DecodedPhoto, Float, Pixels
from alignimation_index.errors import UserError
from alignimation_index.query.frames import Frame
from alignimation_index.render.inspect.overlays import marked
from alignimation_index.render.inspect.page import width_of
from alignimation_index.render.stills.framing import Framing, canvas_from_template
from alignimation_index.render.stills.warp import warp_photo
from alignimation_index.similarity import Matrices, apply, compose, invert, scale_of

# Radius of a landmark's mark, as a share of the face's size.
POINT = 0.04


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """A photo, and what the index sees on it.

    Attributes:
        path: of its file.
        photo: decoded.
        faces: on it; of a photo that is not in the index they are numbered from 1.
        taken_at: local wall-clock time, or None.
        taken_at_source: see `library.dates.sources`, or None.
        is_indexed: whether all this is from the index.
    """

    path: str
    photo: DecodedPhoto
    faces: Sequence[Frame]
    taken_at: datetime | None
    taken_at_source: str | None
    is_indexed: bool

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.path).name


def choose_face(seen: SeenPhoto, number: int | None = None, like: Frame | None = None) -> Frame | None:
    """The face of this number; else that of the same person as another one's, else the largest; None without any.

    Raises:
        UserError: there is no face of this number on the photo.
    """
    if number is not None:
        return _numbered(seen, number)
    same = [face for face in seen.faces if like and face.person_id is not None and face.person_id == like.person_id]
    return max(same or seen.faces, key=lambda face: face.size_px, default=None)


def whole_photo(seen: SeenPhoto, chosen: Frame | None) -> Pixels:
    """The photo with a box, a number or name, and landmarks for each face; the chosen one's box stands out."""
    view, view_from_photo = fitted_view(seen.photo, width_of(2))
    boxes = [
        (apply(view_from_photo, face.box.reshape(2, 2)).ravel(), label_of(face), face is chosen) for face in seen.faces
    ]
    landmarks = np.array([apply(view_from_photo, face.landmarks) for face in seen.faces])
    sizes_px = np.array([face.size_px for face in seen.faces]) * float(scale_of(view_from_photo))
    return marked(view, boxes, landmarks, np.repeat(np.clip(POINT * sizes_px, 1.5, 9), len(LANDMARK_NAMES)))


def label_of(face: Frame) -> str:
    """What a face is called on a picture: its number, and a name where there is one."""
    return f"{face.face_id}: {face.person}" if face.person else str(face.face_id)


def upright_square(template_from_photo: ArrayLike) -> Matrices:
    """(2, 3): pixels of the photo to the unit square, as large and about the same middle as registered, not turned."""
    scale = float(scale_of(template_from_photo))
    middle = apply(invert(template_from_photo), [[0.5, 0.5]])[0]
    return np.array([[scale, 0, 0.5 - scale * middle[0]], [0, scale, 0.5 - scale * middle[1]]])


def whole_square(photo: DecodedPhoto) -> Matrices:
    """(2, 3): pixels of the photo to the unit square that just holds the whole of it."""
    side = max(photo.width_px, photo.height_px)
    left, top = (photo.width_px - 1 - side) / 2, (photo.height_px - 1 - side) / 2
    return np.array([[1 / side, 0, -left / side], [0, 1 / side, -top / side]])


def decoded_side_for(width_px: int, height_px: int, face_px: float) -> int:
    """The shorter side to decode so that both the whole photo and a face of this size are shown sharply."""
    shorter = min(width_px, height_px)
    # A registered frame is some three faces wide.
    close_up = shorter * 2 * width_of(1) / max(3 * face_px, 1)
    return int(np.clip(max(close_up, width_of(2)), 1, shorter))


def _numbered(seen: SeenPhoto, number: int) -> Frame:
    for face in seen.faces:
        if face.face_id == number:
            return face
    known = ", ".join(str(face.face_id) for face in seen.faces)
    there = f"choose from {known}" if known else "there is none at all"
    raise UserError(f"{seen.path}: there is no face {number} on this photo; {there}")


def framed(photo: DecodedPhoto, unit_from_photo: ArrayLike, side_px: int) -> Pixels:
    """What the unit square sees of a photo: (side_px, side_px, 3) uint8 RGB."""
    canvas = compose(canvas_from_template(Framing(side_px, side_px)), unit_from_photo)
    return warp_photo(photo, canvas, (side_px, side_px))


def fitted_view(photo: DecodedPhoto, width_px: int) -> tuple[Pixels, Matrices]:
    """The photo at a size of at most so many pixels in width, and half as many again in height.

    Returns:
        (H, W, 3) uint8 RGB, and the (2, 3) matrix from pixels of the full upright photo to its.
    """
    pixels = np.asarray(photo.pixels)
    image = Image.fromarray(pixels)
    image.thumbnail((width_px, 3 * width_px // 2), Image.Resampling.LANCZOS)
    scale = image.width / pixels.shape[1]
    shift = (scale - 1) / 2
    return np.asarray(image), compose([[scale, 0, shift], [0, scale, shift]], invert(photo.photo_from_decoded))


def height_of(picture: Pixels) -> float:
    """How many columns high a row is that shows a picture two columns wide."""
    height, width = map(int, picture.shape[:2])
    return min(2.6, height / width * width_of(2) / width_of(1))


def landmarks_in(matrix: ArrayLike, face: Frame) -> Float:
    """(5, 2): a face's landmarks after a matrix from pixels of its photo."""
    return np.asarray(apply(matrix, face.landmarks), np.float32)
