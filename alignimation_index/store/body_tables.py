"""Tables of bodies and of the transforms that register them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from alignimation_index.datatypes import Float
from alignimation_index.store.arrays import FloatArray
from alignimation_index.store.face_tables import Face, Template
from alignimation_index.store.tables import Base


class Body(Base):
    """A detected body: COCO-17 keypoints (x, y, score) in pixels of the upright photo, and its mask as a PNG.

    The mask is cut to the body and perhaps reduced; `photo_from_mask` says where its pixels lie. `face_id` is the face
    of this body, by which one knows who it is; null where none is seen.
    """

    __tablename__ = "body"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), index=True)
    face_id: Mapped[int | None] = mapped_column(ForeignKey(Face.id, ondelete="SET NULL"), index=True)
    model: Mapped[str]
    box: Mapped[Float] = mapped_column(FloatArray(4))
    score: Mapped[float]
    keypoints: Mapped[Float] = mapped_column(FloatArray(17, 3))
    mask: Mapped[bytes | None] = mapped_column(LargeBinary)
    photo_from_mask: Mapped[Float | None] = mapped_column(FloatArray(2, 3))


class BodyTransform(Base):
    """`template_from_photo` of one body; up to date while the key is the present one of its template.

    The matrix and what goes with it are null where the body shows too few of the keypoints. Losses are those of the
    closed form and of the refinement, see registration.engine.
    """

    __tablename__ = "body_transform"

    body_id: Mapped[int] = mapped_column(ForeignKey("body.id", ondelete="CASCADE"), primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey(Template.id, ondelete="CASCADE"), primary_key=True, index=True)
    key: Mapped[str]
    matrix: Mapped[Float | None] = mapped_column(FloatArray(2, 3))
    residual: Mapped[float | None]
    method: Mapped[str]
    loss_before: Mapped[float | None]
    loss_after: Mapped[float | None]
