"""What conditions are asked of: faces, or photos with or without faces."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, func, true
from sqlalchemy.orm import aliased

from alignimation_index.query.language.values import Period
from alignimation_index.store.listed_faces import UNDATED, ListedFace
from alignimation_index.store.tables import Photo

_INDEXED = ("moment", "face_id", "photo_id", "person_id")
_EPOCH = datetime(1970, 1, 1)


class Row(Protocol):
    """What terms about photos need to know of a row: columns for the photo's id and for whether it is a favourite.

    `counted` says that all such rows are looked for, not the first of them in some order.
    """

    photo_id: Any
    favourite: Any
    counted: bool

    def within(self, period: Period) -> ColumnElement[bool]:
        """Whether it was taken then."""


class FaceRow:
    """A face on a photo: a table `face` of its own in a statement, or the one that all faces are listed from."""

    def __init__(self, *, another: bool = False, counted: bool = False, found: bool = False) -> None:
        """`found` says that the row is found otherwise: what is asked of it is not to be looked up in an index."""
        self.counted = counted
        self.face: Any = aliased(ListedFace) if another else ListedFace
        if found:
            columns = {name: getattr(self.face, name) for name in ListedFace.__table__.columns.keys()}  # noqa: SIM118
            self.face = SimpleNamespace(**{**columns, **{name: columns[name] + 0 for name in _INDEXED}})
        self.photo_id: Any = self.face.photo_id
        self.favourite: Any = self.face.favourite.is_(True)

    def within(self, period: Period) -> ColumnElement[bool]:
        """Whether the photo was taken then."""
        moment = self.face.moment
        starts = true() if period.start is None else moment >= _seconds(period.start)
        return and_(starts, moment < (UNDATED if period.end is None else _seconds(period.end)))


class PhotoRow:
    """A photo, whoever is on it."""

    def __init__(self, *, counted: bool = False) -> None:
        self.counted = counted
        self.photo_id: Any = Photo.id
        self.favourite: Any = func.coalesce(Photo.favourite, False)

    def within(self, period: Period) -> ColumnElement[bool]:
        """Whether the photo was taken then."""
        starts = Photo.taken_at.is_not(None) if period.start is None else Photo.taken_at >= period.start
        return and_(starts, true() if period.end is None else Photo.taken_at < period.end)


def _seconds(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds())
