"""Tables of what was forgotten: enough to leave it out when the same photos are read again, and no more."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from alignimation_index.datatypes import Float
from alignimation_index.store.arrays import FloatArray
from alignimation_index.store.tables import Base


class Tombstone(Base):
    """On this content, in this box, somebody was who is forgotten: no face is found there again.

    It says neither who that was nor what they look like.
    """

    __tablename__ = "tombstone"

    id: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    box: Mapped[Float] = mapped_column(FloatArray(4))


class ForgottenName(Base):
    """A salted digest of a name that is not to be read again; whoever guesses the name can check it."""

    __tablename__ = "forgotten_name"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
