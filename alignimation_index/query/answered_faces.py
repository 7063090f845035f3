"""The faces that an answer is about: whose they are so far, and who is on their photos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from alignimation_index.datatypes import Float
from alignimation_index.errors import UserError
from alignimation_index.store.answer_log import PlacedFace
from alignimation_index.store.face_tables import Face
from alignimation_index.store.files import first_paths
from alignimation_index.store.identity import PERSON_ID, STATE, faces_of, with_identity
from alignimation_index.store.identity_tables import FaceVerdict, PersonState, Suggestion
from alignimation_index.store.tables import Photo


@dataclass(frozen=True, slots=True)
class AnsweredFace:
    """A face of which something is said.

    Attributes:
        face_id: its number.
        content_hash: of its photo.
        box: (4,) float32, xyxy in pixels of the upright photo.
        person_id: whose it is so far, or None.
        suggested_id: whose it may be, or None.
    """

    face_id: int
    content_hash: str
    box: Float
    person_id: int | None
    suggested_id: int | None

    def placed(self, person_id: int | None) -> PlacedFace:
        """The face as an answer means it."""
        return PlacedFace(self.content_hash, self.box, person_id)

    def opinion(self, verb: str) -> int:
        """Whose it is so far, else whose it may be.

        Raises:
            UserError: it is nobody's; `verb` is the command that would say whose.
        """
        person = self.person_id or self.suggested_id
        if person is None:
            raise UserError(
                f"Face {self.face_id} is nobody's so far. Say of whom you speak: "
                f"alignindex people {verb} {self.face_id} --person PERSON"
            )
        return person


def answered_faces(session: Session, face_ids: Sequence[int]) -> list[AnsweredFace]:
    """Faces by number, each once, in the order given.

    Raises:
        UserError: there is no such face.
    """
    suggested = aliased(PersonState)
    columns = (
        Face.id,
        Photo.content_hash,
        Face.box,
        PERSON_ID,
        func.coalesce(suggested.goes_by_id, Suggestion.person_id),
    )
    statement = (
        with_identity(select(*columns).join(Photo, Photo.id == Face.photo_id))
        .outerjoin(suggested, suggested.person_id == Suggestion.person_id)
        .where(Face.id.in_(face_ids))
    )
    found = {row[0]: AnsweredFace(*row) for row in session.execute(statement)}
    for face_id in face_ids:
        if face_id not in found:
            raise UserError(f"There is no face {face_id}. See which there are: alignindex faces")
    return [found[face_id] for face_id in dict.fromkeys(face_ids)]


def photos_together(session: Session, person: int, other: int) -> int:
    """On how many photos two people are both."""
    photos = [select(Face.photo_id).where(Face.id.in_(faces_of(one))) for one in (person, other)]
    both = select(func.count(Photo.id)).where(Photo.id.in_(photos[0]), Photo.id.in_(photos[1]))
    return session.scalar(both) or 0


def twice_on_a_photo(session: Session, content_hashes: Collection[str]) -> list[tuple[str, str, list[int]]]:
    """(path, person, faces) where several faces of a photo were answered to be one person's."""
    first = first_paths()
    statement = (
        with_identity(select(first.c.path, PERSON_ID, STATE.name, Face.id).join(Photo, Photo.id == Face.photo_id))
        .join(first, first.c.photo_id == Photo.id)
        .where(Photo.content_hash.in_(content_hashes), FaceVerdict.person_id.is_not(None))
        .order_by(first.c.path, Face.id)
    )
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for path, person, name, face_id in session.execute(statement):
        found[path, name or f"Person {person}"].append(face_id)
    return [(path, who, faces) for (path, who), faces in found.items() if len(faces) > 1]
