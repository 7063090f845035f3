"""Pages about bodies: how one is registered to a template, or to that on another photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from alignimation_index.datatypes import KEYPOINT_NAMES, DecodedPhoto, Float, Pixels
from alignimation_index.registration.bodies import Bodies, BodyRegistrations, register_bodies, template_from_reference
from alignimation_index.registration.keypoints import columns_of
from alignimation_index.registration.masks import SIGMA
from alignimation_index.render.inspect.overlays import drawn_points, glowing, loss_chart, marked, semantic
from alignimation_index.render.inspect.page import Panel, Row, Words, draw_page, width_of
from alignimation_index.render.inspect.seen import fitted_view, framed, height_of, whole_square
from alignimation_index.render.inspect.words import place_in_words
from alignimation_index.render.stills.background import Background, mask_on_canvas, replace_background
from alignimation_index.similarity import Matrices, apply, compose, invert

SIDE_PX = 480
# A mask glows so much where it lies alone, so that keypoints are seen on it.
MASK_LIGHT = 0.6
SKELETON = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *(
        (f"{side}_{upper}", f"{side}_{lower}")
        for side in ("left", "right")
        for upper, lower in (
            ("ear", "shoulder"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("shoulder", "hip"),
            ("hip", "knee"),
            ("knee", "ankle"),
        )
    ),
)
HOW_TO_READ = (
    "Orange is this photo's person, blue is the template, and where both meet it is white. Only the chosen keypoints "
    "and the shape of the person around them count. First the keypoints are brought together, then the shapes; a belly "
    "that grows is a difference that stays."
)


@dataclass(frozen=True, slots=True)
class SeenBodies:
    """A photo, and the bodies on it.

    Attributes:
        path: of its file.
        photo: decoded.
        numbers: of the N bodies.
        boxes: (N, 4) xyxy in pixels of the upright photo.
        bodies: the same ones, as the engine takes them.
        is_indexed: whether they are from the index.
    """

    path: str
    photo: DecodedPhoto
    numbers: Sequence[int]
    boxes: Float
    bodies: Bodies
    is_indexed: bool

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.path).name


def draw_body(
    seen: SeenBodies, row: int | None, reference: Bodies | None, names: Sequence[str], template: str
) -> Pixels:
    """The page about the body in a row, (H, W, 3) uint8 RGB; without a body it says that there is none.

    Args:
        seen: the photo.
        row: of the body; None where there is none.
        reference: one body, what it is registered to; None for itself.
        names: of the keypoints that are to come to rest.
        template: what the reference is called.

    Raises:
        UserError: the reference shows fewer than two of the keypoints.
    """
    if row is None:
        words = Words([("No body", "No body was found on this photo, so there is nothing to register.")], columns=2)
        picture = fitted_view(seen.photo, width_of(2))[0]
        return draw_page(seen.name, _count_in_words(seen), [Row([Panel("The photo", picture, columns=2), words])])
    body = seen.bodies.at(row)
    target = body if reference is None else reference
    found = register_bodies(body, target, names)
    picture = _whole_photo(seen, row, names)
    top = Row([Panel("The photo", picture, columns=2), _words(body, names, found, template)], height_of(picture))
    subtitle = f"{_count_in_words(seen)} This page is about body {seen.numbers[row]}, registered to {template}."
    return draw_page(seen.name, subtitle, [top, *_body_rows(seen.photo, body, target, names, found)])


def _body_rows(
    photo: DecodedPhoto, body: Bodies, target: Bodies, names: Sequence[str], found: BodyRegistrations
) -> list[Row]:
    square = template_from_reference(body)  # the body's own square, as if it were the template
    picture, mask = framed(photo, square, SIDE_PX), _mask_at(body, square)
    points = _points_at(body, square, names)
    belongs = template_from_reference(target)
    template = np.maximum(
        MASK_LIGHT * _mask_at(target, belongs), drawn_points(_points_at(target, belongs, names), SIDE_PX, SIGMA)
    )
    before = _overlay(photo, body, whole_square(photo), template, names)
    first = [
        Panel("1  Person mask", _dimmed_around(picture, mask), "Who it is about, without what is behind."),
        Panel(
            "2  Gaussians",
            glowing(picture, drawn_points(points, SIDE_PX, SIGMA), None, SIDE_PX),
            f"A soft spot around each of the keypoints: {_listed(names)}.",
        ),
        Panel("3  Semantic mask", semantic(mask, points, SIGMA), "Spot times person, one colour for each keypoint."),
        Panel("4  Template", glowing(None, None, template, SIDE_PX), "Where person and keypoints belong."),
    ]
    if not np.isfinite(found.template_from_photo).all():
        return [Row(first)]
    after = found.template_from_photo[0].astype(np.float64)
    second = [
        Panel("5  Before", before, "The photo as it is."),
        Panel("6  After", _overlay(photo, body, after, template, names), "White is where they meet."),
        _chart(found),
        Panel("Registered", _before_white(photo, body, after), "The person alone, edges refined."),
    ]
    return [Row(first), Row(second)]


def _words(body: Bodies, names: Sequence[str], found: BodyRegistrations, template: str) -> Words:
    sure = [
        f"{name.replace('_', ' ')} {100 * seen:.0f} %"
        for name, seen in zip(names, body.seen[0, columns_of(names)], strict=True)
    ]
    paragraphs = [("Keypoints", f"How sure they are: {', '.join(sure)}. Left and right are the body's own.")]
    if np.isfinite(found.template_from_photo).all():
        paragraphs.append(("Registered", place_in_words(found.template_from_photo[0], float(found.residual[0]))))
    else:
        paragraphs.append(("Not registered", f"Fewer than two keypoints are seen here and on {template}."))
    return Words([*paragraphs, ("How to read the pictures", HOW_TO_READ)], columns=2)


def _chart(found: BodyRegistrations) -> Panel:
    """The losses as shares of the one before; both are tiny shares of the largest possible."""
    before, after = float(found.loss_before[0]), float(found.loss_after[0])
    share = after / before if before > 0 else 0.0
    picture = loss_chart([1.0 if before > 0 else 0.0, share], ["keypoints", "masks"], (width_of(1), width_of(1)))
    return Panel("The loss", picture, f"After {int(found.iterations[0])} steps, as a share of what the keypoints left.")


def _whole_photo(seen: SeenBodies, chosen: int, names: Sequence[str]) -> Pixels:
    """The photo with a box and number for each body, and the skeleton of the chosen one."""
    view, view_from_photo = fitted_view(seen.photo, width_of(2))
    boxes = [
        (apply(view_from_photo, box.reshape(2, 2)).ravel(), str(number), row == chosen)
        for row, (box, number) in enumerate(zip(seen.boxes, seen.numbers, strict=True))
    ]
    body = seen.bodies.at(chosen)
    points = _points_at(body, view_from_photo, KEYPOINT_NAMES)
    lines = [points[columns_of(pair)] for pair in SKELETON]
    radii = np.where(np.isin(np.arange(len(points)), columns_of(names)), 8.0, 4.0)
    return marked(view, boxes, points, radii, [(line[0], line[1]) for line in lines if np.isfinite(line).all()])


def _overlay(photo: DecodedPhoto, body: Bodies, matrix: Matrices, template: Float, names: Sequence[str]) -> Pixels:
    """A photo after a matrix to the unit square, with its person and keypoints, and the template."""
    drawn = drawn_points(_points_at(body, matrix, names), SIDE_PX, SIGMA)
    person = np.maximum(MASK_LIGHT * _mask_at(body, matrix), drawn)
    return glowing(framed(photo, matrix, SIDE_PX), person, template, SIDE_PX)


def _before_white(photo: DecodedPhoto, body: Bodies, matrix: Matrices) -> Pixels:
    white = Background("colour", (255, 255, 255))
    return replace_background(framed(photo, matrix, SIDE_PX), _mask_at(body, matrix), white)


def _mask_at(body: Bodies, unit_from_photo: ArrayLike) -> Float:
    """(SIDE_PX, SIDE_PX): a body's mask after a matrix from pixels of its photo to the unit square."""
    canvas_from_photo = compose([[SIDE_PX, 0, -0.5], [0, SIDE_PX, -0.5]], unit_from_photo)
    canvas_from_mask = compose(canvas_from_photo, invert(body.masks.frame_from_photo[0]))
    return mask_on_canvas(body.masks.pixels[0, 0], canvas_from_mask, SIDE_PX, SIDE_PX)


def _points_at(body: Bodies, matrix: ArrayLike, names: Sequence[str]) -> Float:
    """(K, 2): a body's keypoints after a matrix from pixels of its photo; nan where they are not seen."""
    columns = columns_of(names)
    seen = body.seen[0, columns, None] > 0
    return np.where(seen, apply(matrix, np.where(seen, body.keypoints[0, columns], 0)), np.nan).astype(np.float32)


def _dimmed_around(picture: Pixels, mask: Float) -> Pixels:
    return np.asarray(picture * (0.2 + 0.8 * mask[..., None]), np.uint8)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _count_in_words(seen: SeenBodies) -> str:
    count = len(seen.numbers)
    where = "From the index." if seen.is_indexed else "Not in the index; looked at just now."
    return f"{'No body' if not count else '1 body' if count == 1 else f'{count} bodies'}. {where}"
