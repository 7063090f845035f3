"""Asking the store for all that it sees on one photo."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from alignimation_index.query.frames import Frame, frames_of_faces
from alignimation_index.store import files, runs
from alignimation_index.store.face_tables import Face
from alignimation_index.store.tables import Photo, StageRun


class IndexedFaces(NamedTuple):
    """The faces of a photo in the index, and when it was taken."""

    faces: list[Frame]
    taken_at: datetime | None
    taken_at_source: str | None


def indexed_faces(session: Session, content_hash: str, stage: str) -> IndexedFaces | None:
    """The faces of a photo at hand with which a stage is done; None if there is no such photo."""
    photo = session.get(Photo, done_photo(session, content_hash, stage) or 0)
    if photo is None:
        return None
    face_ids = session.scalars(select(Face.id).where(Face.photo_id == photo.id).order_by(Face.id)).all()
    return IndexedFaces(frames_of_faces(session, face_ids), photo.taken_at, photo.taken_at_source)


def done_photo(session: Session, content_hash: str, stage: str) -> int | None:
    """The photo at hand with this content, if a stage is done with it."""
    here = files.first_paths()
    statement = (
        select(Photo.id)
        .join(here, here.c.photo_id == Photo.id)
        .join(StageRun, StageRun.photo_id == Photo.id)
        .where(Photo.content_hash == content_hash, StageRun.stage == stage, StageRun.status == runs.DONE)
    )
    return session.scalar(statement)
