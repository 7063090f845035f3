"""Asking the store for faces and frames, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, starmap
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.errors import UserError
from alignimation_index.query.expression import FrameFilter
from alignimation_index.query.people import find_person, summaries
from alignimation_index.query.variants import VariantFace, faces_to_leave_out
from alignimation_index.store import files, identity
from alignimation_index.store.tables import Face, Photo, Template, Transform, Variant

ME = "me"
# Among the columns of a statement.
_TAKEN_AT, _BORN = 4, 22


@dataclass(frozen=True, slots=True)
class Frame:
    """A photo's face as a query returns it.

    Attributes:
        path: a file that holds the photo; the first by name where there are several.
        content_hash: SHA-256 of the photo, in hex.
        width_px: width of the upright photo.
        height_px: height of the upright photo.
        taken_at: local wall-clock time, or None.
        face_id: the face's row; kept when the face is detected again.
        box: (4,) float32, xyxy in pixels of the upright photo.
        score: detector's, 0..1.
        landmarks: (5, 2) float32, in pixels of the upright photo.
        yaw_deg: head pose, as are the next two.
        pitch_deg: see stages.pose.
        roll_deg: see stages.pose.
        frontal: whether the face looks at the camera.
        size_px: longer side of the box.
        quality: 0..1, see stages.quality.
        person_id: who it is, or None.
        person: that person's name, or None.
        template: name of the template it is registered to, or None.
        template_from_photo: (2, 3) float32, or None where the face is not registered.
        residual: of the registration, in template units, or None.
        assigned_by: "answer" or "machine" says who the face is; None where it is nobody's.
        is_doubtful: whether the machine would like to be told whether it is right.
        age_years: of that person, if a birthday and the photo's date are known.
        sharpness: of the face, see stages.quality.
        brightness: of the face, see stages.quality.
        favourite: whether the export says that the photo is one.
        latitude_deg: where the photo was taken, or None.
        longitude_deg: likewise.
        fingerprint: of the photo, see stages.fingerprint; or None.
        kind: "face", or "body" where it is a body that is registered.
        body_id: the body's row, where it is one; the face is then the body's own.
    """

    path: str
    content_hash: str
    width_px: int
    height_px: int
    taken_at: datetime | None
    face_id: int
    box: Float
    score: float
    landmarks: Float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    frontal: bool
    size_px: float
    quality: float
    person_id: int | None
    person: str | None
    template: str | None
    template_from_photo: Float | None
    residual: float | None
    assigned_by: str | None = None
    is_doubtful: bool = False
    age_years: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    favourite: bool = False
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    fingerprint: bytes | None = None
    kind: str = "face"
    body_id: int | None = None


def select_frames(session: Session, wanted: FrameFilter) -> list[Frame]:
    """The frames that are wanted, in the order of time; undated ones last.

    Raises:
        UserError: there is no such person.
    """
    return list(stream_frames(session, wanted))


def stream_frames(session: Session, wanted: FrameFilter) -> Iterator[Frame]:
    """The frames of `select_frames`, read while they are asked for: memory does not grow with their count.

    Raises:
        UserError: there is no such person; at the call, not later.
    """
    statement, left_out = _wanted(session, wanted), variants_among(session, wanted)
    found = starmap(_frame, _stream(session, statement))
    return (frame for frame in found if frame.face_id not in left_out) if left_out else found


def frames_of_faces(session: Session, face_ids: Sequence[int]) -> list[Frame]:
    """The frames of faces, in the order given; those that are not at hand are left out."""
    rows = session.execute(_statement([Face.id.in_(face_ids)], by_face=True))
    found = {frame.face_id: frame for frame in starmap(_frame, rows)}
    return [found[face_id] for face_id in face_ids if face_id in found]


def variants_among(session: Session, wanted: FrameFilter) -> set[int]:
    """The faces that are wanted but for being on a better variant of their photo as well; none with `all_variants`.

    Raises:
        UserError: there is no such person.
    """
    if wanted.all_variants:
        return set()
    columns = (Face.id, identity.PERSON_ID, Variant.group_id, Variant.rank)
    statement = _wanted(session, wanted).join(Variant, Variant.photo_id == Photo.id)
    rows = session.execute(statement.with_only_columns(*columns, maintain_column_froms=True).order_by(None))
    return faces_to_leave_out(VariantFace(*row) for row in rows)


def _wanted(session: Session, wanted: FrameFilter) -> Select[Any]:
    conditions = _conditions(wanted)
    if wanted.person is not None:
        conditions.append(Face.id.in_(identity.faces_of(_person_id(session, wanted.person))))
    return _statement(conditions, by_face=wanted.person is not None)


def who_is(session: Session, name: str) -> tuple[str, str | None]:
    """Resolve whom a user means: the person's number, and a line to show where that was a guess.

    "me", where nobody is so named, is the person on most photos.

    Raises:
        UserError: there is no such person.
    """
    person_id = find_person(session, name)
    if person_id is not None:
        return str(person_id), None
    everyone = summaries(session)
    if name != ME or not everyone:
        raise UserError(f"Nobody is called {name}. See who there is: alignindex people list")
    first = everyone[0]
    called = f" ({first.name})" if first.name else ""
    return str(first.id), (
        f"Nobody is named me: taking person {first.id}{called}, who is on most photos ({first.photo_count}). "
        f"To change that: alignindex people name NUMBER me"
    )


def _person_id(session: Session, name: str) -> int:
    number, _ = who_is(session, name)
    return int(number)


def _conditions(wanted: FrameFilter) -> list[ColumnElement[bool]]:
    conditions = files.visible(wanted.include_trashed, wanted.include_archived)
    if wanted.first_year is not None:
        conditions.append(Photo.taken_at >= datetime(wanted.first_year, 1, 1))
    if wanted.last_year is not None:
        conditions.append(Photo.taken_at <= datetime(wanted.last_year, 12, 31, 23, 59, 59, 999999))
    if wanted.frontal is not None:
        conditions.append(Face.frontal.is_(wanted.frontal))
    if wanted.min_size_px is not None:
        conditions.append(Face.size_px >= wanted.min_size_px)
    if wanted.max_residual is not None:
        conditions.append(Transform.residual <= wanted.max_residual)
    return conditions


def _statement(conditions: list[ColumnElement[bool]], *, by_face: bool = False) -> Select[Any]:
    """All columns of frames; `by_face` where the conditions choose some faces by their ids."""
    first = files.first_paths()
    # Else SQLite looks for these faces on each photo there is, by the index on this column.
    photo_id = Face.photo_id + 0 if by_face else Face.photo_id
    frames = identity.with_identity(
        select(
            first.c.path,
            Photo.content_hash,
            Photo.width_px,
            Photo.height_px,
            Photo.taken_at,
            Face.id,
            Face.box,
            Face.score,
            Face.landmarks,
            Face.yaw_deg,
            Face.pitch_deg,
            Face.roll_deg,
            Face.frontal,
            Face.size_px,
            Face.quality,
            identity.PERSON_ID,
            identity.STATE.name,
            Template.name,
            Transform.matrix,
            Transform.residual,
            identity.ASSIGNED_BY,
            identity.IS_DOUBTFUL & identity.PERSON_ID.is_not(None),
            identity.STATE.born,
            Face.sharpness,
            Face.brightness,
            func.coalesce(Photo.favourite, False),
            Photo.latitude_deg,
            Photo.longitude_deg,
            Photo.fingerprint,
        )
        .join(Photo, Photo.id == photo_id)
        .join(first, first.c.photo_id == Photo.id)
    )
    statement: Select[Any] = (
        frames.outerjoin(Transform, Transform.face_id == Face.id)
        .outerjoin(Template, Template.id == Transform.template_id)
        .where(Face.landmarks.is_not(None), Face.quality.is_not(None), identity.IS_FACE, *conditions)
        .order_by(Photo.taken_at.is_(None), Photo.taken_at, first.c.path, Face.id)
    )
    return statement


def _frame(*columns: Any) -> Frame:  # noqa: ANN401
    before, born, after = columns[:_BORN], columns[_BORN], columns[_BORN + 1 :]
    age = age_years(before[_TAKEN_AT], born) if born else None
    return Frame(*(*before, age, *after))


def age_years(taken_at: datetime | None, born: date) -> float | None:
    """The age on a photo in years of 365.2425 days; None where its date is not known or before the birth."""
    if taken_at is None or taken_at.date() < born:
        return None
    return (taken_at.date() - born).days / 365.2425


def _stream(session: Session, statement: Select[Any]) -> Iterator[Row[Any]]:
    """The rows of a statement, a thousand in memory at a time."""
    return chain.from_iterable(session.execute(statement, execution_options={"yield_per": 1000}).partitions())
