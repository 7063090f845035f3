"""From a filter to the photos that it wants: in the order of their paths, and their count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from alignimation_index.query.language.conditions import is_on_photo
from alignimation_index.query.language.rows import FaceRow, PhotoRow, Row
from alignimation_index.query.language.selection import compiled, is_visible, person_meant
from alignimation_index.query.language.terms import TERMS
from alignimation_index.query.language.tree import EVERYTHING, Condition, Term, conjuncts, terms_of
from alignimation_index.store.escape import escape
from alignimation_index.store.listed_tables import ListedFace, ListedPhoto
from alignimation_index.store.tables import Photo

FEW = 20_000
"""Faces whose photos are sorted in memory."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Which photos are wanted.

    Attributes:
        condition: what holds for them; where it asks of a face, for a face on them.
        date_source: where their dates come from, see `library.dates.resolve`; None for all.
        include_trashed: also those in the bin of an export.
        include_archived: also those in the archive of an export.
    """

    condition: Condition = EVERYTHING
    date_source: str | None = None
    include_trashed: bool = False
    include_archived: bool = False

    @property
    def is_of_faces(self) -> bool:
        """Whether anything is asked of a face."""
        return any(TERMS[term.name].of_face for term in terms_of(self.condition))


def stream_photo_ids(session: Session, wanted: PhotoFilter) -> Iterator[int]:
    """Photos at hand, in the order of their first paths, read while they are asked for.

    Raises:
        UserError: there is no such person, album or camera; at the call, not later.
    """
    return (photo_id for photo_id, _ in _stream(session, wanted))


def stream_photo_paths(session: Session, wanted: PhotoFilter) -> Iterator[str]:
    """The first paths of these photos.

    Raises:
        UserError: as `stream_photo_ids` does.
    """
    return (path for _, path in _stream(session, wanted))


def count_photos(session: Session, wanted: PhotoFilter) -> int:
    """How many photos these are.

    Raises:
        UserError: as `stream_photo_ids` does.
    """
    # Of faces in the order of their table, in which those on a photo follow each other.
    of_faces = select(ListedFace.moment, ListedFace.photo_id).distinct()
    of_photos = select(ListedPhoto.path, ListedPhoto.photo_id)
    row, found = (FaceRow(), of_faces) if wanted.is_of_faces else (PhotoRow(), of_photos)
    counted = found.where(*_conditions(session, wanted, row)).subquery()
    return session.scalar(select(func.count()).select_from(counted)) or 0


def _stream(session: Session, wanted: PhotoFilter) -> Iterator[tuple[int, str]]:
    """(photo, its first path), in the order of paths; where they are asked of faces, few are found by these."""
    if not wanted.is_of_faces:
        return _in_order(session, and_(*_conditions(session, wanted, PhotoRow())))
    faces = select(ListedFace.photo_id, ListedFace.path).where(*_conditions(session, wanted, FaceRow()))
    few = session.execute(faces.limit(FEW + 1)).all()
    if len(few) <= FEW:
        return iter(sorted({(photo_id, path) for photo_id, path in few}, key=lambda one: escape(one[1])))
    row = FaceRow(another=True)
    has_face = exists().where(row.face.photo_id == ListedPhoto.photo_id, *_conditions(session, wanted, row))
    return _in_order(session, and_(*_implied(session, wanted), has_face))


def _in_order(session: Session, condition: ColumnElement[bool]) -> Iterator[tuple[int, str]]:
    statement = select(ListedPhoto.photo_id, ListedPhoto.path).where(condition).order_by(ListedPhoto.path)
    rows = session.execute(statement, execution_options={"yield_per": _AT_ONCE})
    return ((photo_id, path) for photo_id, path in rows)


def _conditions(session: Session, wanted: PhotoFilter, row: Row) -> list[ColumnElement[bool]]:
    conditions = [is_visible(row, wanted.include_trashed, wanted.include_archived)]
    if wanted.date_source is not None:
        dated = select(Photo.id).where(Photo.taken_at_source == wanted.date_source)
        conditions.append(row.photo.photo_id.in_(dated))
    return [*conditions, compiled(session, wanted.condition, row)]


def _implied(session: Session, wanted: PhotoFilter) -> Iterator[ColumnElement[bool]]:
    """What holds for a photo with such a face and is soon told."""
    for part in conjuncts(wanted.condition):
        if isinstance(part, Term) and part.name == "person":
            yield is_on_photo(ListedPhoto, person_meant(session, part))
        elif isinstance(part, Term) and not TERMS[part.name].of_face:
            yield compiled(session, part, PhotoRow())
