"""How the rows that queries ask are derived from those of photos, files, faces, answers and the machine's opinions.

Each statement is SQL as text, for triggers (see store.listed_triggers) and for all rows at once. `photo` and `faces`
name the ids of what is derived, in SQL, such as `NEW.photo_id` or a select; None is all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, cast, exists, func, literal, literal_column, select, text
from sqlalchemy.dialects import sqlite

from alignimation_index.store.descriptions import REGION
from alignimation_index.store.face_tables import Answer, Face, Transform
from alignimation_index.store.files import first_path
from alignimation_index.store.identity import IS_FACE, PERSON_ID, STATE, with_identity
from alignimation_index.store.identity_tables import AnswerFace
from alignimation_index.store.listed_tables import ARCHIVED, TRASHED, UNDATED, AboutPhoto, ListedFace, ListedPhoto
from alignimation_index.store.tables import Base, File, Photo, Variant

REVIEWS = ("confirm", "reject", "split", "not-a-face", REGION)
"""The kinds of answers that say whose a face is."""

COUNTED, MOMENT = ("faces", "people"), ("moment",)
COPIED = tuple(name for name in AboutPhoto.__annotations__ if name not in (*COUNTED, *MOMENT))
"""What a face's row has from its photo's, apart from what its faces come to and from when it was taken."""

_DAYS_OF_A_YEAR = 365.2425

_Columns = dict[str, Any]


def list_photos(photo: str | None = None) -> str:
    """Make the rows of photos; one that is there keeps what its faces come to."""
    columns = {**_of_files(), **_of_photo(), "faces": literal(0), "people": literal(",")}
    found = _photos(columns).where(_is_here(Photo.id))
    if photo is None:  # in the order of the key, which is quickest
        return _insert(ListedPhoto, columns, found.order_by(columns["path"], Photo.id))
    added = _insert(ListedPhoto, columns, found.where(Photo.id == text(photo)))
    anew = ", ".join(f"{name} = excluded.{name}" for name in _of_files())
    gone = f"DELETE FROM listed_photo WHERE photo_id = {photo} AND NOT {_sql(_is_here(text(photo)))}"
    return f"{added} ON CONFLICT (photo_id) DO UPDATE SET {anew}; {gone}"


def describe_photos(photo: str) -> str:
    """Say in the rows of photos what does not hang on their files."""
    columns = _of_photo()
    derived = _sql(_photos(columns).where(Photo.id == literal_column("listed_photo.photo_id")))
    return f"UPDATE listed_photo SET ({', '.join(columns)}) = ({derived}){_where('photo_id', photo)}"


def list_faces(faces: str | None = None) -> str:
    """Make the rows of faces anew."""
    copied = {name: getattr(ListedPhoto, name) for name in AboutPhoto.__annotations__}
    columns = {**_of_face(), **copied}
    statement = select(*columns.values()).select_from(Face).join(ListedPhoto, ListedPhoto.photo_id == Face.photo_id)
    rows = with_identity(statement).where(Face.landmarks.is_not(None), Face.quality.is_not(None), IS_FACE)
    if faces is None:
        return _insert(ListedFace, columns, rows.order_by(ListedPhoto.moment, Face.photo_id, Face.id))
    added = _insert(ListedFace, columns, rows.where(Face.id.in_(text(faces))))
    return f"DELETE FROM listed_face WHERE face_id IN ({faces}); {added}"


def list_faces_of(photo: str) -> str:
    """Make the rows of the faces on a photo."""
    return list_faces(f"SELECT id FROM face WHERE photo_id = {photo}")


def unlist_faces_of(photo: str) -> str:
    """Delete the rows of the faces on a photo."""
    return f"DELETE FROM listed_face WHERE photo_id = {photo}"


def count_faces(photo: str | None = None) -> str:
    """Say in the rows of photos how many faces are listed, and whose."""
    found = "FROM listed_face WHERE photo_id = listed_photo.photo_id"
    people = f"(SELECT group_concat(person_id) FROM (SELECT person_id {found} ORDER BY person_id))"
    counted = f"(SELECT count(*) {found}), ',' || coalesce({people} || ',', '')"
    return f"UPDATE listed_photo SET (faces, people) = (SELECT {counted}){_where('photo_id', photo)}"


def copy_counts(photo: str | None = None) -> str:
    """Say it in the rows of the faces, too."""
    return _copy(COUNTED, photo)


def copy_photo(photo: str) -> str:
    """Say in the rows of the faces on a photo what is true of it."""
    return _copy(COPIED, photo)


def copy_moment(photo: str) -> str:
    """Say there when it was taken, and how old everybody was."""
    born = "SELECT person_id FROM person_state WHERE person_id = listed_face.person_id AND born IS NOT NULL"
    faces = f"SELECT face_id FROM listed_face WHERE photo_id = {photo} AND EXISTS ({born})"
    return f"{_copy(MOMENT, photo)}; {set_people(faces)}"


def set_people(faces: str) -> str:
    """Say whose faces they are, and how old these people are."""
    moment = literal_column("listed_face.moment", Integer)
    derived = with_identity(select(PERSON_ID, _age(moment)).select_from(Face)).where(
        Face.id == literal_column("listed_face.face_id")
    )
    return f"UPDATE listed_face SET (person_id, age_years) = ({_sql(derived)}){_where('face_id', faces)}"


def set_residuals(faces: str) -> str:
    """Say how well faces could be registered."""
    return _set("residual", _residual(literal_column("listed_face.face_id")), faces)


def set_reviewed(faces: str) -> str:
    """Say of which faces somebody said whose they are."""
    return _set("reviewed", _reviewed(literal_column("listed_face.face_id")), faces)


def _of_files() -> _Columns:
    files = select(func.count()).where(File.photo_id == Photo.id, File.missing_since_utc.is_(None)).scalar_subquery()
    return {"photo_id": Photo.id, "path": first_path(Photo.id), "more_paths": files > 1}


def _of_photo() -> _Columns:
    moment = cast(func.strftime("%s", func.substr(Photo.taken_at, 1, 19)), Integer)
    hidden = case((Photo.trashed.is_(True), TRASHED), else_=0) + case((Photo.archived.is_(True), ARCHIVED), else_=0)
    return {
        "moment": func.coalesce(moment, UNDATED),
        "hidden": hidden,
        "variant_rank": func.coalesce(Variant.rank, 0),
        "variant_group": Variant.group_id,
        "favourite": func.coalesce(Photo.favourite, False),
        "camera": Photo.camera,
        "latitude_deg": Photo.latitude_deg,
        "longitude_deg": Photo.longitude_deg,
    }


def _of_face() -> _Columns:
    return {
        "photo_id": Face.photo_id,
        "face_id": Face.id,
        "person_id": PERSON_ID,
        "frontal": Face.frontal,
        "reviewed": _reviewed(Face.id),
        "quality": Face.quality,
        "size_px": Face.size_px,
        "yaw_deg": Face.yaw_deg,
        "pitch_deg": Face.pitch_deg,
        "residual": _residual(Face.id),
        "age_years": _age(ListedPhoto.moment),
    }


def _reviewed(face_id: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    live = Answer.undone_at_utc.is_(None), Answer.kind.in_(REVIEWS)
    said = select(AnswerFace.face_id).join(Answer, Answer.id == AnswerFace.answer_id)
    return said.where(AnswerFace.face_id == face_id, *live).exists()


def _residual(face_id: Any) -> ColumnElement[float | None]:  # noqa: ANN401 - a column
    return select(func.min(Transform.residual)).where(Transform.face_id == face_id).scalar_subquery()


def _age(moment: Any) -> ColumnElement[float | None]:  # noqa: ANN401 - a column
    """Birthdays passed, as whole numbers of the form 20151231 tell, and days since the last one as part of a year."""
    born, day = STATE.born, func.date(moment, "unixepoch")
    birthdays = (_as_number(day) - _as_number(born)) // 10_000
    last = func.date(born, func.printf("+%d years", birthdays))
    days = func.julianday(day) - func.julianday(last)
    return case((born.is_not(None) & (moment < UNDATED) & (day >= born), birthdays + days / _DAYS_OF_A_YEAR))


def _as_number(day: Any) -> ColumnElement[int]:  # noqa: ANN401 - a column
    return cast(func.strftime("%Y%m%d", day), Integer)


def _photos(columns: _Columns) -> Select[Any]:
    return select(*columns.values()).select_from(Photo).outerjoin(Variant, Variant.photo_id == Photo.id)


def _is_here(photo_id: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    return exists().where(File.photo_id == photo_id, File.missing_since_utc.is_(None))


def _copy(columns: Iterable[str], photo: str | None) -> str:
    """One statement that looks the photo up for all of them; who names no column leaves its indexes alone."""
    found = f"SELECT {', '.join(columns)} FROM listed_photo WHERE photo_id = listed_face.photo_id"
    return f"UPDATE listed_face SET ({', '.join(columns)}) = ({found}){_where('photo_id', photo)}"


def _set(column: str, derived: ColumnElement[Any], faces: str) -> str:
    return f"UPDATE listed_face SET {column} = {_sql(derived)}{_where('face_id', faces)}"


def _insert(model: type[Base], columns: Iterable[str], rows: Select[Any]) -> str:
    return f"INSERT INTO {model.__tablename__} ({', '.join(columns)}) {_sql(rows)}"


def _where(column: str, wanted: str | None) -> str:
    return "" if wanted is None else f" WHERE {column} IN ({wanted})"


def _sql(statement: ColumnElement[Any] | Select[Any]) -> str:
    return str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
