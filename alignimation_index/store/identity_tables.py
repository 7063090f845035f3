"""Tables of what answers come to, and of what the machine suggests: all of it is derived, and none of it is said."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from alignimation_index.store.face_tables import Answer, Face, Person
from alignimation_index.store.tables import Base


class AnswerFace(Base):
    """The face that an answer means, once there is one; a face found again keeps its answers with its id."""

    __tablename__ = "answer_face"

    answer_id: Mapped[int] = mapped_column(ForeignKey(Answer.id, ondelete="CASCADE"), primary_key=True)
    face_id: Mapped[int] = mapped_column(ForeignKey(Face.id, ondelete="CASCADE"), index=True)


class FaceVerdict(Base):
    """What answers say of a face, in place of the machine: a person; or nobody; or that it is no face."""

    __tablename__ = "face_verdict"

    face_id: Mapped[int] = mapped_column(ForeignKey(Face.id, ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id), index=True)
    is_face: Mapped[bool]


class PersonState(Base):
    """What is known of a person; who has no row goes by their own number, has no name and is not hidden.

    `goes_by_id` is the number that a merged person goes by, and the rest is then null. `name_source` is null for a name
    that was answered, and "export" for one that the company of names in an export has given.
    """

    __tablename__ = "person_state"

    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
    goes_by_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    name: Mapped[str | None]
    name_source: Mapped[str | None]
    hidden: Mapped[bool]
    born: Mapped[date | None]
    cover_face_id: Mapped[int | None] = mapped_column(ForeignKey(Face.id, ondelete="SET NULL"), index=True)


class AssignmentBefore(Base):
    """Whom the machine took a face for, before it was told of answers up to this one and changed its mind.

    Undoing an answer brings back what the machine thought before it, exactly.
    """

    __tablename__ = "assignment_before"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    face_id: Mapped[int] = mapped_column(ForeignKey(Face.id, ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    score: Mapped[float | None]
    answer_id: Mapped[int] = mapped_column(index=True)


class AssignmentAside(Base):
    """Whom the machine took a face for with an embedder that the store does not use at present, for going back."""

    __tablename__ = "assignment_aside"

    face_id: Mapped[int] = mapped_column(ForeignKey(Face.id, ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    score: Mapped[float | None]


class Suggestion(Base):
    """The person that a waiting face may be, or that an assigned face is doubtfully; the score is in log-odds."""

    __tablename__ = "suggestion"

    face_id: Mapped[int] = mapped_column(ForeignKey(Face.id, ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    score: Mapped[float]


class SuggestedName(Base):
    """What a person is probably called, by the company that names of an export keep; see people.names."""

    __tablename__ = "suggested_name"

    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    shared: Mapped[int]
    named: Mapped[int]
    chance: Mapped[float]
    automatic: Mapped[bool]
