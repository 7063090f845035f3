"""Asking the store for faces and frames, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, starmap
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Cutout, Float
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.query.language.selection import stream_face_ids, stream_judged
from alignimation_index.store import files, identity
from alignimation_index.store.face_tables import Face, Template, Transform
from alignimation_index.store.listed_tables import ListedFace
from alignimation_index.store.tables import Photo

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
        cutout: where the person is on the photo, if that was asked for and is known.
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
    cutout: Cutout | None = None


def select_frames(session: Session, wanted: FrameFilter) -> list[Frame]:
    """The frames that are wanted, in the order of time; undated ones last.

    Raises:
        UserError: there is no such person, album or camera.
    """
    return list(stream_frames(session, wanted))


def stream_frames(session: Session, wanted: FrameFilter) -> Iterator[Frame]:
    """The frames of `select_frames`, read while they are asked for: memory does not grow with their count.

    Raises:
        UserError: there is no such person, album or camera; at the call, not later.
    """
    ids = stream_face_ids(session, wanted)
    return chain.from_iterable(frames_of_faces(session, some) for some in ids)


def stream_judged_frames(
    session: Session, wanted: FrameFilter, *, of_whole_person: bool = False
) -> Iterator[tuple[Frame, list[str]]]:
    """The frames among which some are wanted, each with why it is left out (nothing for those that are wanted).

    See `selection.stream_judged`.
    """
    judged = stream_judged(session, wanted, of_whole_person=of_whole_person)
    return chain.from_iterable(_with_reasons(session, dict(some)) for some in judged)


def frames_of_faces(session: Session, face_ids: Sequence[int]) -> list[Frame]:
    """The frames of faces, in the order given; those that are not at hand are left out."""
    rows = session.execute(_STATEMENT.where(Face.id.in_(face_ids)))
    found = {frame.face_id: frame for frame in starmap(_frame, rows)}
    return [found[face_id] for face_id in face_ids if face_id in found]


def _with_reasons(session: Session, reasons: Mapping[int, list[str]]) -> Iterator[tuple[Frame, list[str]]]:
    return ((frame, reasons[frame.face_id]) for frame in frames_of_faces(session, list(reasons)))


_STATEMENT: Select[Any] = (
    identity.with_identity(
        select(
            files.first_path(Face.photo_id),
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
        .join(Photo, Photo.id == Face.photo_id + 0)  # else SQLite looks for the faces on each photo there is
        .join(ListedFace, ListedFace.face_id == Face.id)
    )
    .outerjoin(Transform, Transform.face_id == Face.id)
    .outerjoin(Template, Template.id == Transform.template_id)
)
"""All that frames are made of; a condition on Face.id says of which."""


def _frame(*columns: Any) -> Frame:  # noqa: ANN401
    before, born, after = columns[:_BORN], columns[_BORN], columns[_BORN + 1 :]
    age = age_years(before[_TAKEN_AT], born) if born else None
    return Frame(*(*before, age, *after))


def age_years(taken_at: datetime | None, born: date) -> float | None:
    """The age on a photo in years of 365.2425 days; None where its date is not known or before the birth."""
    if taken_at is None or taken_at.date() < born:
        return None
    return (taken_at.date() - born).days / 365.2425
