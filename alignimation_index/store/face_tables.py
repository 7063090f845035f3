"""The tables of faces, of whose they are, and of what they are registered to.

What stages compute hangs below photo and face and may be recomputed at any time; what people said lives in `answer`, of
which stages write nothing but what they found in files.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from alignimation_index.datatypes import Float
from alignimation_index.store.arrays import FloatArray
from alignimation_index.store.tables import Base, owner, utc_now


class Face(Base):
    """A detected face: boxes and landmarks in pixels of the upright photo.

    Columns by the stage that writes them: detect (box, score, detected_landmarks), landmarks (landmarks), pose (angles
    in degrees, frontal), quality (the rest). Re-detection keeps the id of a face it finds again.
    """

    __tablename__ = "face"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    photo_id: Mapped[int] = owner("photo.id", index=True)
    box: Mapped[Float] = mapped_column(FloatArray(4))
    score: Mapped[float]
    detected_landmarks: Mapped[Float] = mapped_column(FloatArray(5, 2))
    landmarks: Mapped[Float | None] = mapped_column(FloatArray(5, 2))
    yaw_deg: Mapped[float | None]
    pitch_deg: Mapped[float | None]
    roll_deg: Mapped[float | None]
    frontal: Mapped[bool | None] = mapped_column(Boolean())
    size_px: Mapped[float | None]
    sharpness: Mapped[float | None]
    brightness: Mapped[float | None]
    quality: Mapped[float | None]


class Embedding(Base):
    """A face as a vector of one model; vectors of two models are never compared."""

    __tablename__ = "embedding"

    face_id: Mapped[int] = owner("face.id", primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[Float] = mapped_column(FloatArray(-1))


class Person(Base):
    """An identity, named or not; names are answers."""

    __tablename__ = "person"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at_utc: Mapped[datetime] = mapped_column(default=utc_now)


class Assignment(Base):
    """The machine's opinion: this face is that person; the score is in log-odds. What people answered is elsewhere."""

    __tablename__ = "assignment"

    face_id: Mapped[int] = owner("face.id", primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    score: Mapped[float | None]


class Answer(Base):
    """What a person said, in order; nothing overrides it and `undone_at_utc` takes it back.

    A face is meant by the content it is on and its box, since face rows are recomputed; an answer about several faces
    is a row for each, and `entry` the number of the first of them (null: its own). `source` names the kind of file in
    which an answer given to another program was found; null for one given to this program. See people.answers for the
    kinds.
    """

    __tablename__ = "answer"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    content_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    box: Mapped[Float | None] = mapped_column(FloatArray(4))
    value: Mapped[str | None]
    source: Mapped[str | None]
    answered_at_utc: Mapped[datetime] = mapped_column(default=utc_now)
    undone_at_utc: Mapped[datetime | None]
    other_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    entry: Mapped[int | None]


class Template(Base):
    """What faces or bodies are registered to, by `kind`: points in the unit square.

    The points of "face" are landmarks. Those of "body" are the keypoints of a reference body, in the order of
    KEYPOINT_NAMES, nan where it does not show one; with the rest of the columns, null for faces, the template stands
    alone when the reference's photo is gone.

    Attributes:
        keypoint_names: by which bodies are registered to it.
        keypoint_scores: how sure each keypoint of the reference is, 0..1.
        mask: the reference in the unit square, a PNG of two channels: the person mask, and what of the square is known.
        content_hash: of the photo that shows the reference.
        box: of the reference there, xyxy in pixels of the upright photo.
        is_medoid: whether the reference was chosen as the photo nearest to all others; else a person named it.
        person_id: for whose bodies it was made.
    """

    __tablename__ = "template"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    landmarks: Mapped[Float] = mapped_column(FloatArray(-1, 2))
    kind: Mapped[str] = mapped_column(default="face", server_default="face")
    keypoint_names: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    keypoint_scores: Mapped[Float | None] = mapped_column(FloatArray(17))
    mask: Mapped[bytes | None] = mapped_column(LargeBinary)
    content_hash: Mapped[str | None] = mapped_column(String(64))
    box: Mapped[Float | None] = mapped_column(FloatArray(4))
    is_medoid: Mapped[bool] = mapped_column(default=False, server_default=false())
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))


class Transform(Base):
    """`template_from_photo` of one face: template = matrix @ [x, y, 1]; the residual is in template units."""

    __tablename__ = "transform"

    face_id: Mapped[int] = owner("face.id", primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"), primary_key=True)
    matrix: Mapped[Float] = mapped_column(FloatArray(2, 3))
    residual: Mapped[float]
    method: Mapped[str]
