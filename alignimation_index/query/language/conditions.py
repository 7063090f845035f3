"""Terms as conditions in SQL: a function for each, which is given the row that is asked about."""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Integer, Select, and_, func, literal, or_, select, true
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session, aliased

from alignimation_index.errors import UserError
from alignimation_index.people.answers import CONFIRM, NOT_A_FACE, REGION, REJECT, SPLIT, folded
from alignimation_index.query.language.among import among
from alignimation_index.query.language.rows import FaceRow, Row
from alignimation_index.query.language.values import Bounds, Circle, Period
from alignimation_index.query.people import nearest, who_is
from alignimation_index.store.face_tables import Answer
from alignimation_index.store.geography import box_around
from alignimation_index.store.identity_tables import AnswerFace, PersonState
from alignimation_index.store.listed_faces import UNDATED, ListedFace
from alignimation_index.store.tables import File, Photo, PhotoAlbum

DAYS_OF_A_YEAR = 365.2425
_REVIEWS = (CONFIRM, REJECT, SPLIT, NOT_A_FACE, REGION)

SqlCondition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A term's value, the row that it is asked of, and the session of the statement."""

    session: Session
    row: Row
    value: Any

    @property
    def face(self) -> Any:  # noqa: ANN401 - columns of ListedFace
        """The face of the row; terms about faces are asked of nothing else."""
        return cast(FaceRow, self.row).face

    def photo_in(self, photos: Select[Any]) -> SqlCondition:
        """Whether the photo is one of these."""
        return among(self.session, self.row, photos)


Compile = Callable[[Asked], SqlCondition]


def person(asked: Asked) -> SqlCondition:
    """Whose face it is."""
    return cast(SqlCondition, asked.face.person_id == _person(asked))


def with_person(asked: Asked) -> SqlCondition:
    """Who else is on the photo; the face itself is somebody else's."""
    who = _person(asked)
    is_on = asked.photo_in(_photos_with(who))
    return and_(is_on, asked.face.person_id.is_distinct_from(who)) if isinstance(asked.row, FaceRow) else is_on


def without_person(asked: Asked) -> SqlCondition:
    """Who is not on the photo."""
    return ~asked.photo_in(_photos_with(_person(asked)))


def alone(asked: Asked) -> SqlCondition:
    """Whether there is one face on the photo."""
    faces = aliased(ListedFace)
    count = select(func.count(faces.face_id)).where(faces.photo_id == asked.row.photo_id).scalar_subquery()
    return count == 1 if asked.value else count > 1


def taken(asked: Asked) -> SqlCondition:
    """When the photo was taken."""
    period: Period = asked.value
    return asked.row.within(period)


def age(asked: Asked) -> SqlCondition:
    """How old the person is on the photo; that of nobody whose birthday is not known."""
    bounds: Bounds = asked.value
    state, face = aliased(PersonState), aliased(ListedFace)
    low = _birthday(state, bounds.low or 0, not bounds.with_low)
    high = literal(UNDATED) if bounds.high is None else _birthday(state, bounds.high, bounds.with_high)
    # As a sum it is no key to be looked up: SQLite goes from the few people to their faces.
    then = face.person_id == state.person_id + 0, face.moment >= low, face.moment < high
    faces = select(face.face_id).join(state, and_(*then)).where(state.born.is_not(None))
    return cast(SqlCondition, asked.face.face_id.in_(faces))


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
    return _yes_or_no(asked, asked.row.favourite)


def reviewed(asked: Asked) -> SqlCondition:
    """Whether somebody said anything about the face."""
    said = select(AnswerFace.face_id).join(Answer, Answer.id == AnswerFace.answer_id)
    live = said.where(Answer.undone_at_utc.is_(None), Answer.kind.in_(_REVIEWS))
    return _yes_or_no(asked, asked.face.face_id.in_(live))


def album(asked: Asked) -> SqlCondition:
    """The album that the photo is in."""
    names = asked.session.scalars(select(PhotoAlbum.name).distinct()).all()
    found = _named(names, asked.value, "album", lambda name, wanted: name == wanted)
    return asked.photo_in(select(PhotoAlbum.photo_id).where(PhotoAlbum.name.in_(found)))


def camera(asked: Asked) -> SqlCondition:
    """What the photo was taken with."""
    known = select(Photo.camera).where(Photo.camera.is_not(None)).distinct()
    names = [name for name in asked.session.scalars(known) if name is not None]
    found = _named(names, asked.value, "camera", lambda name, wanted: wanted in name)
    photo = aliased(Photo)
    return asked.photo_in(select(photo.id).where(photo.camera.in_(found)))


def path(asked: Asked) -> SqlCondition:
    """Where a file lies that holds the photo."""
    forms = {unicodedata.normalize(form, asked.value) for form in ("NFC", "NFD")} | {asked.value}
    file = aliased(File)
    like = or_(*(file.path.like(_like(form), escape="\\") for form in sorted(forms)))
    here = (file.photo_id.is_not(None), file.missing_since_utc.is_(None))
    return asked.photo_in(select(file.photo_id).where(*here, like))


def near(asked: Asked) -> SqlCondition:
    """Where the photo was taken."""
    around: Circle = asked.value
    point = around.latitude_deg, around.longitude_deg
    low, high, longitudes = box_around(*point, around.radius_m)
    photo = aliased(Photo)
    distance = func.distance_m(photo.latitude_deg, photo.longitude_deg, *point)
    in_box = or_(*(photo.longitude_deg.between(*some) for some in longitudes))
    in_circle = and_(photo.latitude_deg.between(low, high), in_box, distance <= around.radius_m)
    return asked.photo_in(select(photo.id).where(in_circle))


def everything(asked: Asked) -> SqlCondition:  # noqa: ARG001 - as all of them
    """What is decided otherwise."""
    return true()


def _person(asked: Asked) -> int:
    number_of, _ = who_is(asked.session, asked.value)
    return int(number_of)


def _photos_with(person_id: int) -> Select[Any]:
    others = aliased(ListedFace)
    return select(others.photo_id).where(others.person_id == person_id)


def _birthday(state: Any, years: float, next_day: bool) -> ColumnElement[int]:  # noqa: ANN401 - of a person
    """The moment at which a person is so many years old, or a day later; fractions are counted in days."""
    whole = years.is_integer() if isinstance(years, float) else True
    later = f"+{years:.0f} years" if whole else f"+{round(years * DAYS_OF_A_YEAR)} days"
    return sql_cast(func.strftime("%s", state.born, later, "+1 day" if next_day else "+0 day"), Integer)


def _within(column: ColumnElement[Any], bounds: Bounds) -> SqlCondition:
    conditions = []
    if bounds.low is not None:
        conditions.append(column >= bounds.low if bounds.with_low else column > bounds.low)
    if bounds.high is not None:
        conditions.append(column <= bounds.high if bounds.with_high else column < bounds.high)
    return and_(*conditions)


def _yes_or_no(asked: Asked, condition: SqlCondition) -> SqlCondition:
    return condition if asked.value else ~func.coalesce(condition, False)


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
