"""Which bodies a query wants, and on which photos it looks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.query.choosing.choose import Judged
from alignimation_index.query.frames import Frame, stream_judged_frames
from alignimation_index.query.language.expression import FrameFilter, term
from alignimation_index.query.language.photo_selection import PhotoFilter, stream_photo_ids
from alignimation_index.query.language.tree import And, Condition, Term, conjuncts
from alignimation_index.query.people import ME, find_person, who_is
from alignimation_index.store import bodies as rows
from alignimation_index.store import files, identity
from alignimation_index.store.body_tables import Body
from alignimation_index.store.face_tables import Face
from alignimation_index.store.tables import Photo

NO_FACE = 0
"""The `face_id` of a frame whose body has no face that is known; its landmarks and angles are nan then."""

NO_BODY_OF_FACE = "no body was found that belongs to the face"


@dataclass(frozen=True, slots=True)
class WantedBodies:
    """Bodies that a query wants, not registered yet.

    Attributes:
        frames: in the order of time, undated ones last; of kind "body", without a template.
        left_out: frames of faces that are not wanted or have no body, each with its reason.
        person_id: whose they are, or None for anybody's.
        without_face: how many of the frames have no face that says who it is.
        notes: lines for the user: who is meant where that was a guess, on how many photos there is no body.
    """

    frames: list[Frame]
    left_out: list[Judged]
    person_id: int | None
    without_face: int
    notes: list[str]


class _Whose(NamedTuple):
    """The person that is asked for, by number; None for anybody."""

    person_id: int | None
    note: str | None = None


def photos_of_bodies(session: Session, wanted: FrameFilter, any_body: bool) -> list[int]:
    """The photos that have to be looked at for bodies before `wanted_bodies` can tell them.

    Raises:
        UserError: there is no such person.
    """
    whose = _whose(session, wanted, any_body)
    hashes = {frame.content_hash for frame, why_not in _faces(session, wanted, whose) if why_not is None}
    found = {id_ for some in rows.some_at_once(hashes) for id_ in files.photo_ids(session, some).values()}
    if any_body:
        found |= set(_undecided_photos(session, wanted, whose))
    return sorted(found)


def wanted_bodies(session: Session, wanted: FrameFilter, any_body: bool = False) -> WantedBodies:
    """The bodies that are wanted, one by one on the photos where they were looked for.

    A body is a person's by its face. With `any_body`, the largest body is taken of a photo on which no face tells who
    it is; and, where nobody is named, of every photo.

    Args:
        session: to read in.
        wanted: as for frames of faces; without a person "me", or anybody with `any_body`; see `is_of_bodies`.
        any_body: whether to go without faces.

    Raises:
        UserError: there is no such person.
    """
    whose = _whose(session, wanted, any_body)
    judged = _faces(session, wanted, whose)
    faces = {frame.face_id: frame for frame, why_not in judged if why_not is None}
    frames, notes = _of_faces(session, faces), [whose.note] if whose.note else []
    left_out = [one for one in judged if one[1] is not None]
    if any_body:
        frames, without = _with_largest(session, wanted, whose, faces, frames)
        notes += [f"On {without} of the photos no body was found."] if without else []
    else:
        found = {frame.face_id for frame in frames}
        left_out += [(frame, NO_BODY_OF_FACE) for face_id, frame in faces.items() if face_id not in found]
    frames.sort(key=_moment)
    without_face = sum(frame.person_id is None for frame in frames)
    return WantedBodies(frames, left_out, whose.person_id, without_face, notes)


def is_of_bodies(condition: Condition) -> TypeGuard[Term]:
    """Whether a condition is a term that is asked of bodies rather than of their faces."""
    return isinstance(condition, Term) and condition.name in ("size", "residual")


def body_at(session: Session, content_hash: str, person_id: int | None) -> int | None:
    """The body on a photo that is the person's by its face; else, or for anybody, the largest there; None without."""
    statement = identity.with_identity(
        select(Body.id, Body.box, identity.PERSON_ID)
        .join(Photo, Photo.id == Body.photo_id)
        .outerjoin(Face, Face.id == Body.face_id)
    ).where(Photo.content_hash == content_hash)
    found = session.execute(statement).all()
    own = [row for row in found if person_id is not None and row[2] == person_id]
    largest = max(own or found, key=lambda row: _area(row[1]), default=None)
    return None if largest is None else int(largest[0])


def _whose(session: Session, wanted: FrameFilter, any_body: bool) -> _Whose:
    named = next((part.value for part in conjuncts(wanted.condition) if _is_person(part)), None)
    if named is None and any_body and find_person(session, ME) is None:
        return _Whose(None)
    number, note = who_is(session, named or ME)
    return _Whose(int(number), note)


def _is_person(condition: Condition) -> TypeGuard[Term]:
    return isinstance(condition, Term) and condition.name == "person"


def _of_photos_and_faces(wanted: FrameFilter) -> And:
    """What is not about bodies, nor about whose they are."""
    parts = conjuncts(wanted.condition)
    return And(tuple(part for part in parts if not (is_of_bodies(part) or _is_person(part))))


def _faces(session: Session, wanted: FrameFilter, whose: _Whose) -> list[Judged]:
    faces = replace(wanted, condition=_of_photos_and_faces(wanted), kind="face", all_variants=True)
    if whose.person_id is not None:
        faces = faces.narrowed(term("person", str(whose.person_id)))
    return [(frame, next(iter(reasons), None)) for frame, reasons in stream_judged_frames(session, faces)]


def _of_faces(session: Session, faces: dict[int, Frame]) -> list[Frame]:
    columns = (Body.id, Body.face_id, Body.box, Body.score)
    found: list[Frame] = []
    for some in rows.some_at_once(faces):
        linked = session.execute(select(*columns).where(Body.face_id.in_(some)))
        found += [_with_body(faces[face_id or NO_FACE], id_, box, score) for id_, face_id, box, score in linked]
    return found


def _photos(session: Session, wanted: FrameFilter) -> list[int]:
    photos = PhotoFilter(
        _of_photos_and_faces(wanted),
        include_trashed=wanted.include_trashed,
        include_archived=wanted.include_archived,
    )
    return list(stream_photo_ids(session, photos))


def _undecided_photos(session: Session, wanted: FrameFilter, whose: _Whose) -> list[int]:
    """Photos that show nobody else whose face is known; all of them where anybody is wanted."""
    photos = _photos(session, wanted)
    if whose.person_id is None:
        return photos
    shown = identity.people_on(session, photos)
    return [id_ for id_ in photos if shown.get(id_, set()) <= {whose.person_id}]


def _with_largest(
    session: Session, wanted: FrameFilter, whose: _Whose, faces: dict[int, Frame], own: list[Frame]
) -> tuple[list[Frame], int]:
    """A person's own bodies, with the largest of each photo that has none of them; and how many photos have none."""
    photos = _undecided_photos(session, wanted, whose)
    kept = own if whose.person_id is not None else []
    decided = {frame.content_hash for frame in kept}
    largest = _largest(session, photos, faces)
    return [*kept, *(one for one in largest if one.content_hash not in decided)], len(photos) - len(largest)


def _largest(session: Session, photo_ids: Sequence[int], faces: dict[int, Frame]) -> list[Frame]:
    """The largest body of each photo, with its face where that is among those known."""
    best: dict[int, Any] = {}
    for row in _bodies_on(session, photo_ids):
        before = best.get(row.photo_id)
        if before is None or _area(row.box) > _area(before.box):
            best[row.photo_id] = row
    return [
        _with_body(faces[row.face_id], row.id, row.box, row.score) if row.face_id in faces else _faceless(row)
        for row in best.values()
    ]


def _bodies_on(session: Session, photo_ids: Sequence[int]) -> Iterator[Any]:
    here = files.first_paths()
    body = (Body.id, Body.photo_id, Body.face_id, Body.box, Body.score)
    photo = (Photo.content_hash, Photo.width_px, Photo.height_px, Photo.taken_at, Photo.fingerprint)
    about = (func.coalesce(Photo.favourite, False).label("favourite"), Photo.latitude_deg, Photo.longitude_deg)
    statement = (
        select(here.c.path, *body, *photo, *about)
        .join(Photo, Photo.id == Body.photo_id)
        .join(here, here.c.photo_id == Photo.id)
        .order_by(Body.id)
    )
    for some in rows.some_at_once(photo_ids):
        yield from session.execute(statement.where(Body.photo_id.in_(some)))


def _moment(frame: Frame) -> tuple[bool, datetime, str, int]:
    return frame.taken_at is None, frame.taken_at or datetime.max, frame.path, frame.body_id or 0


def _with_body(face: Frame, body_id: int, box: Float, score: float) -> Frame:
    return replace(
        face,
        kind="body",
        body_id=body_id,
        box=box,
        score=score,
        size_px=_longer_side(box),
        template=None,
        template_from_photo=None,
        residual=None,
    )


def _faceless(row: Any) -> Frame:  # noqa: ANN401 - a row of _bodies_on
    nowhere = np.full((5, 2), np.nan, np.float32)
    return Frame(
        path=row.path,
        content_hash=row.content_hash,
        width_px=row.width_px,
        height_px=row.height_px,
        taken_at=row.taken_at,
        face_id=NO_FACE,
        box=row.box,
        score=row.score,
        landmarks=nowhere,
        yaw_deg=np.nan,
        pitch_deg=np.nan,
        roll_deg=np.nan,
        frontal=False,
        size_px=_longer_side(row.box),
        quality=row.score,
        person_id=None,
        person=None,
        template=None,
        template_from_photo=None,
        residual=None,
        favourite=bool(row.favourite),
        latitude_deg=row.latitude_deg,
        longitude_deg=row.longitude_deg,
        fingerprint=row.fingerprint,
        kind="body",
        body_id=row.id,
    )


def _longer_side(box: Float) -> float:
    return float((box[2:] - box[:2]).max())


def _area(box: Float) -> float:
    return float((box[2:] - box[:2]).prod())
