"""Looking at the bodies of one photo for `inspect`: from the index where they are there, else on the spot.

Nothing is written to the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sqlalchemy.orm import Session

from alignimation_index.datatypes import DecodedPhoto, Pixels
from alignimation_index.errors import DecodeError, UserError, in_words
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.scan import content_hash, read_file
from alignimation_index.models.bodies import BodyModelSource
from alignimation_index.pipeline.bodies.templates import as_bodies, as_reference
from alignimation_index.pipeline.stages import BODIES
from alignimation_index.query.inspected import done_photo
from alignimation_index.registration.bodies import Bodies
from alignimation_index.registration.keypoints import choose_side
from alignimation_index.render.inspect.bodies import SeenBodies, draw_body
from alignimation_index.stages.bodies import DECODED_SIDE_PX, detect_bodies
from alignimation_index.store.bodies import BodyToRegister, bodies_to_register, stored_bodies
from alignimation_index.store.body_templates import body_template
from alignimation_index.store.engine import Store


def inspect_bodies(
    paths: Sequence[str],
    store: Store | None,
    source: Callable[[], BodyModelSource],
    numbers: Sequence[int] = (),
    template: str | None = None,
) -> Pixels:
    """Draw what the index sees of a body, and how it is registered: to a template, or to the body on the first photo.

    Args:
        paths: one or two photos, of files or of archives' members.
        store: the index, or None where there is none.
        source: chooses the body detector; called only for a photo whose bodies are not in the index.
        numbers: of the body on each photo; the largest where none is given.
        template: the name of a stored one; None registers a single photo's body to itself.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UserError: a photo cannot be read or has no body of this number, there is no such template or detector.
    """
    seen = [look_at_bodies(path, store, source) for path in paths]
    rows = [choose_body(one, number) for one, number in zip(seen, [*numbers, None, None], strict=False)]
    last, row = seen[-1], rows[-1]
    if len(seen) == 2:
        if rows[0] is None:
            raise UserError(f"{seen[0].path}: there is no body to register to; choose another photo")
        reference = seen[0].bodies.at(rows[0])
        return draw_body(last, row, reference, _keypoints(reference), f"that on {seen[0].name}")
    if template is not None:
        reference, names = _stored_reference(store, template)
        return draw_body(last, row, reference, names, f"the template {template}")
    names = () if row is None else _keypoints(last.bodies.at(row))
    return draw_body(last, row, None, names, "itself, since no template or second photo is named")


def look_at_bodies(path: str, store: Store | None, source: Callable[[], BodyModelSource]) -> SeenBodies:
    """Look at the bodies of a photo.

    Raises:
        UserError: it cannot be read, or there is no detector.
    """
    try:
        data = read_file(path)
        photo = decode(data, DECODED_SIDE_PX)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {in_words(error)}; check the path") from error
    except DecodeError as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    indexed = None
    if store:
        with store.reading() as session:
            indexed = _from_index(session, content_hash(data))
    found = _on_the_spot(photo, data, source()) if indexed is None else indexed
    boxes = np.array([body.box for body in found.values()], np.float32).reshape(-1, 4)
    return SeenBodies(path, photo, list(found), boxes, as_bodies(list(found.values())), indexed is not None)


def choose_body(seen: SeenBodies, number: int | None) -> int | None:
    """The row of the body of this number, else of the largest; None without any.

    Raises:
        UserError: there is no body of this number on the photo.
    """
    if number is not None:
        if number not in seen.numbers:
            known = ", ".join(map(str, seen.numbers)) or "none is there"
            raise UserError(f"{seen.path}: there is no body {number} on this photo; choose from: {known}")
        return list(seen.numbers).index(number)
    sizes = (seen.boxes[:, 2:] - seen.boxes[:, :2]).prod(1)
    return int(sizes.argmax()) if len(sizes) else None


def _from_index(session: Session, photo: str) -> dict[int, BodyToRegister] | None:
    """The bodies of a photo by number; None where they were not looked for."""
    photo_id = done_photo(session, photo, BODIES)
    if photo_id is None:
        return None
    found = stored_bodies(session, [photo_id]).get(photo_id)
    return bodies_to_register(session, found.ids) if found else {}


def _on_the_spot(photo: DecodedPhoto, data: bytes, source: BodyModelSource) -> dict[int, BodyToRegister]:
    found, size = detect_bodies([photo], source.load())[0], (photo.width_px, photo.height_px)
    return {
        row + 1: BodyToRegister(found.keypoints[row], found.masks[row], size, content_hash(data), found.boxes[row])
        for row in range(len(found))
    }


def _keypoints(body: Bodies) -> tuple[str, ...]:
    """Ear, shoulder and hip of the side that the body shows better."""
    return choose_side(body.seen >= 0.5)


def _stored_reference(store: Store | None, name: str) -> tuple[Bodies, tuple[str, ...]]:
    if store:
        with store.reading() as session:
            template = body_template(session, name)
        if template:
            return as_reference(template), template.keypoint_names
    raise UserError(f"{name}: there is no such template of bodies. See which there are: alignindex templates list")
