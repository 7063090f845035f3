"""Pages about faces: what is on a photo, and how one face is registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from alignimation_index.datatypes import DecodedPhoto, Pixels
from alignimation_index.query.frames import Frame
from alignimation_index.registration.closed_form import drawn_difference, squared_distances, successive_fits
from alignimation_index.registration.faces import FACE_TEMPLATE, LANDMARK_WEIGHTS, SIGMA
from alignimation_index.render.inspect import words
from alignimation_index.render.inspect.overlays import blended, drawn_points, glowing, loss_chart, marked
from alignimation_index.render.inspect.page import Panel, Row, Words, draw_page, width_of
from alignimation_index.render.inspect.seen import (
    SeenPhoto,
    framed,
    height_of,
    landmarks_in,
    upright_square,
    whole_photo,
    whole_square,
)
from alignimation_index.similarity import Matrices, apply

SIDE_PX = 480
COLOURS = (
    "How to read the pictures",
    (
        "Orange is what the photo shows, blue is where it belongs, and where both meet it is white. Only the five "
        "spots are compared. The photo is turned, scaled and shifted until they overlap as far as they can; a spot "
        "that does not fit, such as the corner of a mouth that laughs, counts less."
    ),
)
_CHART_STEPS = ("as it is", "least\nsquares")


@dataclass(frozen=True, slots=True)
class Registered:
    """How a face is registered: matrices from pixels of its photo to the unit square, and what each leaves.

    Attributes:
        target: (5, 2) where the landmarks belong.
        steps: the photo as it is, then each fit.
        losses: of these steps, as shares of the largest possible.
    """

    target: np.ndarray
    steps: Sequence[Matrices]
    losses: Sequence[float]


def draw_photo(seen: SeenPhoto, face: Frame | None) -> Pixels:
    """The page about a photo and one of its faces, (H, W, 3) uint8 RGB; without a face it says that there is none."""
    picture = whole_photo(seen, face)
    row = Row([Panel("The photo", picture, columns=2), Words(_paragraphs(seen, face), columns=2)], height_of(picture))
    if face is None or face.template_from_photo is None:
        return draw_page(seen.name, _count_in_words(seen), [row])
    registered = register(seen, face, FACE_TEMPLATE)
    subtitle = f"{_count_in_words(seen)} This page is about face {face.face_id}."
    return draw_page(seen.name, subtitle, [row, *_face_rows(seen.photo, face, registered)])


def draw_pair(first: SeenPhoto, first_face: Frame, second: SeenPhoto, second_face: Frame) -> Pixels:
    """The page about a face of each of two photos, the second registered to the first; both have to be registered."""
    pictures = [whole_photo(first, first_face), whole_photo(second, second_face)]
    photos = [Panel(seen.name, picture, columns=2) for seen, picture in zip((first, second), pictures, strict=True)]
    texts = [
        Words(_paragraphs(first, first_face)[:4], columns=2),
        Words(_paragraphs(second, second_face)[:4], columns=2),
    ]
    registered = register(second, second_face, landmarks_in(_matrix(first_face), first_face))
    rows = [
        Row(photos, max(map(height_of, pictures))),
        Row(texts, 0),
        *_pair_rows(first.photo, first_face, second.photo, second_face, registered),
    ]
    return draw_page(f"{second.name} registered to {first.name}", "The first photo is blue, the second orange.", rows)


def register(seen: SeenPhoto, face: Frame, target: ArrayLike) -> Registered:
    """Register a face to landmarks in the unit square, step by step."""
    steps = [whole_square(seen.photo), *successive_fits(face.landmarks, target, LANDMARK_WEIGHTS, SIGMA)]
    squared = [squared_distances(step, face.landmarks, target) for step in steps]
    losses = [float(drawn_difference(one, LANDMARK_WEIGHTS, SIGMA)) for one in squared]
    return Registered(np.asarray(target), steps, losses)


def _paragraphs(seen: SeenPhoto, face: Frame | None) -> list[tuple[str, str]]:
    when = ("When", words.date_in_words(seen.taken_at, seen.taken_at_source))
    if face is None:
        return [("No face", "No face was found on this photo, so there is nothing to register."), when]
    about = [
        ("Who", words.identity_in_words(face, is_indexed=seen.is_indexed)),
        (when[0], when[1] + words.age_in_words(face)),
        ("Which way", words.pose_in_words(face.yaw_deg, face.pitch_deg, face.roll_deg, face.frontal)),
        ("Quality", words.quality_in_words(face)),
    ]
    if face.template_from_photo is None or face.residual is None:
        return [*about, ("Not registered", "Its landmarks lie on one spot: no transform follows from them.")]
    return [*about, ("Registered", words.place_in_words(face.template_from_photo, face.residual, "landmarks")), COLOURS]


def _face_rows(photo: DecodedPhoto, face: Frame, registered: Registered) -> Iterator[Row]:
    near = upright_square(registered.steps[-1])
    close_up, found = framed(photo, near, SIDE_PX), landmarks_in(near, face)
    blobs, places = drawn_points(found, SIDE_PX, SIGMA), drawn_points(registered.target, SIDE_PX, SIGMA)
    yield Row(
        [
            Panel(
                "1  Landmarks", marked(close_up, (), found * SIDE_PX - 0.5, 8), "Eyes, nose and corners of the mouth."
            ),
            Panel(
                "2  Gaussians",
                glowing(close_up, blobs, None, SIDE_PX),
                "A soft spot around each: hair and background no longer count.",
            ),
            Panel("3  Template", glowing(None, None, places, SIDE_PX), "Where the spots shall be, on every photo."),
            Panel("4  Before", _overlay(photo, face, registered, 0), "The photo as it is; both kinds of spots."),
        ]
    )
    yield Row(
        [
            Panel("5  After", _overlay(photo, face, registered, -1), "White is where they meet."),
            _chart(registered),
            Panel("Registered", framed(photo, registered.steps[-1], SIDE_PX), "A frame of the film."),
        ]
    )


def _pair_rows(
    first: DecodedPhoto, first_face: Frame, second: DecodedPhoto, second_face: Frame, registered: Registered
) -> Iterator[Row]:
    template = framed(first, _matrix(first_face), SIDE_PX)
    near = upright_square(registered.steps[-1])
    spots = [drawn_points(points, SIDE_PX, SIGMA) for points in (registered.target, landmarks_in(near, second_face))]
    whole = [framed(photo, whole_square(photo), SIDE_PX) for photo in (first, second)]
    after = framed(second, registered.steps[-1], SIDE_PX)
    yield Row(
        [
            Panel("1  The first photo's spots", glowing(template, None, spots[0], SIDE_PX), "Where its landmarks are."),
            Panel(
                "2  The second's",
                glowing(framed(second, near, SIDE_PX), spots[1], None, SIDE_PX),
                "Not turned yet.",
            ),
            Panel("3  Before", blended(whole[1], whole[0]), "Both photos as they are, over each other."),
            Panel("4  After", blended(after, template), "Grey is where they agree."),
        ]
    )
    yield Row(
        [
            Panel("5  Spots, after", _overlay(second, second_face, registered, -1), "White is where they meet."),
            _chart(registered),
            Panel("The second, registered", after, "As the first photo shows it."),
        ]
    )


def _overlay(photo: DecodedPhoto, face: Frame, registered: Registered, step: int) -> Pixels:
    """A photo after a step of its registration, with its spots and those of the target."""
    matrix = registered.steps[step]
    found, places = (
        drawn_points(points, SIDE_PX, SIGMA) for points in (apply(matrix, face.landmarks), registered.target)
    )
    return glowing(framed(photo, matrix, SIDE_PX), found, places, SIDE_PX)


def _chart(registered: Registered) -> Panel:
    later = [f"{number}" for number in range(1, len(registered.losses) - len(_CHART_STEPS) + 1)]
    picture = loss_chart(registered.losses, [*_CHART_STEPS, *later], (width_of(2), width_of(1)))
    caption = "How much of the spots does not overlap: as the photo is, after a fit, and after each reweighting."
    return Panel("The loss, step by step", picture, caption, columns=2)


def _matrix(face: Frame) -> np.ndarray:
    if face.template_from_photo is None:
        raise ValueError(f"face {face.face_id} is not registered")
    return face.template_from_photo


def _count_in_words(seen: SeenPhoto) -> str:
    count = len(seen.faces)
    where = "From the index." if seen.is_indexed else "Not in the index; looked at just now."
    return f"{'No face' if not count else '1 face' if count == 1 else f'{count} faces'}. {where}"
