"""Asking the store for bodies: as frames registered to a template, and their masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import BodyMask
from alignimation_index.errors import UserError
from alignimation_index.query.choosing.choose import Choice, Chosen, Judged, choose_among
from alignimation_index.query.frames import Frame
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.query.language.tree import conjuncts, in_words
from alignimation_index.query.wanted_bodies import WantedBodies, is_of_bodies
from alignimation_index.store import bodies as rows
from alignimation_index.store import files
from alignimation_index.store.body_tables import Body
from alignimation_index.store.body_templates import body_transforms

TOO_FEW_SEEN = "fewer than two of the keypoints are seen"


def choose_bodies(
    session: Session, bodies: WantedBodies, template: str, wanted: FrameFilter, choice: Choice | None = None
) -> Chosen:
    """Choose the frames of a film among bodies, those that are registered to a template; see `choose_frames`.

    Args:
        session: to read in.
        bodies: what `wanted_bodies` found.
        template: its name.
        wanted: where `size` and `residual` stand by themselves in it they are of the body, all else is of its face.
        choice: how to choose.

    Raises:
        UserError: more photos are pinned than the film has room for.
    """
    judged = [*bodies.left_out, *judged_bodies(session, bodies, template, wanted)]
    return choose_among(session, judged, wanted, choice or Choice(), bodies.notes)


def judged_bodies(session: Session, bodies: WantedBodies, template: str, wanted: FrameFilter) -> Iterator[Judged]:
    """The frames of bodies, registered to a template where they could be, each with why it is left out, or None."""
    found = body_transforms(session, template, [frame.body_id or 0 for frame in bodies.frames])
    for frame in bodies.frames:
        matrix, residual = found.get(frame.body_id or 0, (None, None))
        placed = replace(frame, template=template, template_from_photo=matrix, residual=residual)
        yield placed, _why_not(placed, wanted)


def body_mask(session: Session, body_id: int) -> BodyMask:
    """The person mask of a body, with the matrix from its pixels to those of the photo.

    Raises:
        UserError: there is no such body.
    """
    mask = rows.body_mask(session, body_id)
    if mask is None:
        raise UserError(f"There is no body {body_id}; bodies are numbered anew when they are found anew.")
    return mask


def with_cutouts(session: Session, frames: Sequence[Frame]) -> list[Frame]:
    """Frames with the mask of their body, or of the body of their face; without where none was found."""
    of_faces = rows.bodies_of_faces(session, [frame.face_id for frame in frames if frame.body_id is None])
    body_ids = [of_faces.get(frame.face_id, 0) if frame.body_id is None else frame.body_id for frame in frames]
    found = rows.cutouts(session, body_ids)
    return [replace(frame, cutout=found.get(body_id)) for frame, body_id in zip(frames, body_ids, strict=True)]


def count_bodies(session: Session) -> tuple[int, int]:
    """How many bodies there are on photos at hand, and how many of them have no face."""
    here = select(files.first_paths().c.photo_id)
    statement = select(func.count(), func.count(Body.face_id)).select_from(Body).where(Body.photo_id.in_(here))
    every, with_face = session.execute(statement).one()
    return every, every - with_face


def _why_not(frame: Frame, wanted: FrameFilter) -> str | None:
    if frame.template_from_photo is None or frame.residual is None:
        return TOO_FEW_SEEN
    measured = {"size": frame.size_px, "residual": frame.residual}
    asked = (part for part in conjuncts(wanted.condition) if is_of_bodies(part))
    return next((f"not {in_words(part)}" for part in asked if not part.value.holds(measured[part.name])), None)
