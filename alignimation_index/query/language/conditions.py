"""Terms as conditions in SQL: a function for each, which is given the row that is asked about."""

from __future__ import annotations

import fnmatch
import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from alignimation_index.errors import UserError
from alignimation_index.people.answers import folded
from alignimation_index.query.language.rows import FaceRow, Row
from alignimation_index.query.language.values import Bounds, Circle, Period
from alignimation_index.query.people import nearest, who_is
from alignimation_index.store.bulk import distinct_values
from alignimation_index.store.geography import Box, box_around, box_within
from alignimation_index.store.listed_tables import UNDATED, ListedFace
from alignimation_index.store.tables import File, Photo, PhotoAlbum

FEW = 20_000
"""Rows that are looked up, of photos in albums and of faces of a person."""

_EPOCH = datetime(1970, 1, 1)

SqlCondition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A term's value, the row that it is asked of, and the session of the statement."""

    session: Session
    row: Row
    value: Any

    @property
    def photo(self) -> Any:  # noqa: ANN401 - columns of AboutPhoto
        """The photo of the row."""
        return self.row.photo

    @property
    def face(self) -> Any:  # noqa: ANN401 - columns of ListedFace
        """The face of the row; terms about faces are asked of nothing else."""
        return cast(FaceRow, self.row).face


Compile = Callable[[Asked], SqlCondition]


def person(asked: Asked) -> SqlCondition:
    """Whose face it is."""
    who = _person(asked)
    column = asked.face.person_id
    return cast(SqlCondition, (column + 0 if _has_many_faces(asked.session, who) else column) == who)


def with_person(asked: Asked) -> SqlCondition:
    """Who else is on the photo; the face itself is somebody else's."""
    who = _person(asked)
    is_on = is_on_photo(asked.photo, who)
    return and_(is_on, asked.face.person_id.is_distinct_from(who)) if isinstance(asked.row, FaceRow) else is_on


def without_person(asked: Asked) -> SqlCondition:
    """Who is not on the photo."""
    return ~is_on_photo(asked.photo, _person(asked))


def alone(asked: Asked) -> SqlCondition:
    """Whether there is one face on the photo."""
    faces = asked.photo.faces
    return cast(SqlCondition, faces == 1 if asked.value else faces > 1)


def taken(asked: Asked) -> SqlCondition:
    """When the photo was taken."""
    period: Period = asked.value
    moment = asked.photo.moment
    starts = true() if period.start is None else moment >= _seconds(period.start)
    return and_(starts, moment < (UNDATED if period.end is None else _seconds(period.end)))


def frontal(asked: Asked) -> SqlCondition:
    """Whether the face looks at the camera."""
    return cast(SqlCondition, asked.face.frontal.is_(asked.value))


def number(column: str) -> Compile:
    """A measured number."""
    return lambda asked: _within(getattr(asked.face, column), asked.value)


def angle(column: str) -> Compile:
    """An angle, to whichever side."""
    return lambda asked: _within(func.abs(getattr(asked.face, column)), asked.value)


def favourite(asked: Asked) -> SqlCondition:
    """Whether the photo is one."""
    return cast(SqlCondition, asked.photo.favourite.is_(asked.value))


def reviewed(asked: Asked) -> SqlCondition:
    """Whether somebody said anything about the face."""
    return cast(SqlCondition, asked.face.reviewed.is_(asked.value))


def album(asked: Asked) -> SqlCondition:
    """The album that the photo is in."""
    names = distinct_values(asked.session, PhotoAlbum.name)
    found = _named(names, asked.value, "album", lambda name, wanted: name == wanted)
    some = select(PhotoAlbum.photo_id).where(PhotoAlbum.name.in_(found)).limit(FEW + 1)
    photo_id, ids = asked.photo.photo_id, asked.session.scalars(some).all()
    if len(ids) > FEW:  # asked of each row in its order; as a sum of texts, the names are not looked up one by one
        return exists().where(PhotoAlbum.photo_id == photo_id, (PhotoAlbum.name + "").in_(found))
    return is_among(photo_id, set(ids))


def camera(asked: Asked) -> SqlCondition:
    """What the photo was taken with."""
    names = distinct_values(asked.session, Photo.camera)
    found = _named(names, asked.value, "camera", lambda name, wanted: wanted in name)
    return cast(SqlCondition, asked.photo.camera.in_(found))


def path(asked: Asked) -> SqlCondition:
    """Where a file lies that holds the photo."""
    forms = {unicodedata.normalize(form, asked.value) for form in ("NFC", "NFD")} | {asked.value}
    patterns = [_like(form) for form in sorted(forms)]
    other = aliased(File)
    here = other.photo_id == asked.photo.photo_id, other.missing_since_utc.is_(None)
    by_another = asked.photo.more_paths & exists().where(*here, _is_like(other.path, patterns))
    return or_(_is_like(asked.photo.path, patterns), by_another)


def near(asked: Asked) -> SqlCondition:
    """Where the photo was taken: far from the edge of the circle, no distance has to be worked out."""
    circle: Circle = asked.value
    photo, around = asked.photo, (circle.latitude_deg, circle.longitude_deg)
    distance = func.distance_m(photo.latitude_deg, photo.longitude_deg, *around)
    is_in = _is_in(photo, box_within(*around, circle.radius_m)) | (distance <= circle.radius_m)
    return _is_in(photo, box_around(*around, circle.radius_m)) & is_in


def everything(asked: Asked) -> SqlCondition:  # noqa: ARG001 - as all of them
    """What is decided otherwise."""
    return true()


def _person(asked: Asked) -> int:
    number_of, _ = who_is(asked.session, asked.value)
    return int(number_of)


def is_among(column: Any, ids: Iterable[int]) -> SqlCondition:  # noqa: ANN401 - of any table
    """Whether a column has one of the ids, however many these are: they are one parameter."""
    found = func.json_each(json.dumps(list(ids))).table_valued("value")
    return cast(SqlCondition, column.in_(select(found.c.value)))


def is_on_photo(photo: Any, person_id: int) -> SqlCondition:  # noqa: ANN401 - columns of AboutPhoto
    """Whether one of the faces on a photo is somebody's."""
    return func.instr(photo.people, f",{person_id},") > 0


def _has_many_faces(session: Session, person_id: int) -> bool:
    """Whether a person has so many faces that to look at all rows in their order is quicker than to look them up."""
    some = select(ListedFace.face_id).where(ListedFace.person_id == person_id).limit(FEW + 1)
    return (session.scalar(select(func.count()).select_from(some.subquery())) or 0) > FEW


def _is_like(column: Any, patterns: Sequence[str]) -> SqlCondition:  # noqa: ANN401 - of any table
    return or_(*(column.like(pattern, escape="\\") for pattern in patterns))


def _is_in(photo: Any, box: Box) -> SqlCondition:  # noqa: ANN401 - columns of AboutPhoto
    low, high, longitudes = box
    by_longitude = or_(false(), *(photo.longitude_deg.between(*some) for some in longitudes))
    return and_(photo.latitude_deg.between(low, high), by_longitude)


def _seconds(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds())


def _within(column: ColumnElement[Any], bounds: Bounds) -> SqlCondition:
    conditions = []
    if bounds.low is not None:
        conditions.append(column >= bounds.low if bounds.with_low else column > bounds.low)
    if bounds.high is not None:
        conditions.append(column <= bounds.high if bounds.with_high else column < bounds.high)
    return and_(*conditions)


def _named(names: Sequence[str], asked: str, what: str, fits: Callable[[str, str], bool]) -> list[str]:
    """The names that are meant: those that a pattern with * or ? covers, else those that fit.

    Raises:
        UserError: there is none.
    """
    wanted = folded(asked)
    has_pattern = "*" in wanted or "?" in wanted
    matches = fnmatch.fnmatchcase if has_pattern else fits
    found = [name for name in names if matches(folded(name), _without_brackets(wanted) if has_pattern else wanted)]
    if not found:
        near_name = nearest(asked, names)
        hint = f" Did you mean {near_name!r}?" if near_name else ""
        raise UserError(f"There is no {what} {asked!r}.{hint}")
    return found


def _without_brackets(pattern: str) -> str:
    """A pattern in which only * and ? stand for something else."""
    return pattern.replace("[", "[[]")


def _like(asked: str) -> str:
    """A pattern of LIKE: the text somewhere, or, with * or ?, the whole path."""
    escaped = asked.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if "*" in asked or "?" in asked:
        return escaped.replace("*", "%").replace("?", "_")
    return f"%{escaped}%"
