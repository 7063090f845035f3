"""Asking the store for bodies: as frames registered to a template, and their masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import BodyMask
from alignimation_index.errors import UserError
from alignimation_index.query.expression import FrameFilter
from alignimation_index.query.frames import Chosen, Frame
from alignimation_index.query.variants import LEFT_OUT, VariantFace, faces_to_leave_out, ranks
from alignimation_index.query.wanted_bodies import WantedBodies
from alignimation_index.store import bodies as rows
from alignimation_index.store import files
from alignimation_index.store.body_tables import Body
from alignimation_index.store.body_templates import body_transforms


def body_frames(
    session: Session, bodies: WantedBodies, template: str, wanted: FrameFilter, limit: int | None = None
) -> Chosen:
    """Frames of those bodies that are registered to a template, at most `limit`, evenly; others are counted by reason.

    Args:
        session: to read in.
        bodies: what `wanted_bodies` found.
        template: its name.
        wanted: for the smallest body, the largest residual, and whether variants are wanted.
        limit: how many at most.
    """
    left_out = Counter(bodies.left_out)
    frames: list[Frame] = []
    for frame, reason in judged_bodies(session, bodies, template, wanted):
        if reason:
            left_out[reason] += 1
        else:
            frames.append(frame)
    if not wanted.all_variants:
        frames, left_out[LEFT_OUT] = _best_variants(session, frames)
    if limit is not None and len(frames) > limit:
        left_out[f"more than --limit {limit}"] = len(frames) - limit
        frames = [frames[round(i * (len(frames) - 1) / max(limit - 1, 1))] for i in range(limit)]
    return Chosen(frames, dict(+left_out), bodies.note)


def judged_bodies(
    session: Session, bodies: WantedBodies, template: str, wanted: FrameFilter
) -> Iterator[tuple[Frame, str | None]]:
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


def count_bodies(session: Session) -> tuple[int, int]:
    """How many bodies there are on photos at hand, and how many of them have no face."""
    here = select(files.first_paths().c.photo_id)
    statement = select(func.count(), func.count(Body.face_id)).select_from(Body).where(Body.photo_id.in_(here))
    every, with_face = session.execute(statement).one()
    return every, every - with_face


def _why_not(frame: Frame, wanted: FrameFilter) -> str | None:
    if frame.template_from_photo is None or frame.residual is None:
        return "fewer than two of the keypoints are seen"
    if wanted.frontal is not None and frame.frontal is not wanted.frontal:
        return "not frontal (without --frontal they stay)" if wanted.frontal else "frontal"
    if wanted.min_size_px is not None and frame.size_px < wanted.min_size_px:
        return f"the body is smaller than {wanted.min_size_px:g} pixels"
    if wanted.max_residual is not None and frame.residual > wanted.max_residual:
        return f"the residual is above {wanted.max_residual:g}"
    return None


def _best_variants(session: Session, frames: list[Frame]) -> tuple[list[Frame], int]:
    """The frames of the best photo of each group of variants, and how many others there are."""
    in_group = ranks(session)
    grouped = [frame for frame in frames if frame.content_hash in in_group]
    bodies = (VariantFace(frame.body_id or 0, frame.person_id, *in_group[frame.content_hash]) for frame in grouped)
    left_out = faces_to_leave_out(bodies)
    return [frame for frame in frames if frame.body_id not in left_out], len(left_out)
