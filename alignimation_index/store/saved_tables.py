"""Tables of saved queries: what was asked, and what was answered about photos in it. No stage writes here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from alignimation_index.store.tables import Base, utc_now


class SavedQuery(Base):
    """An expression under a name, and the options of the command line that were given with it, as they were spelled."""

    __tablename__ = "saved_query"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    expression: Mapped[str]
    options: Mapped[dict[str, Any]]
    saved_at_utc: Mapped[datetime] = mapped_column(default=utc_now)


class SavedQueryPhoto(Base):
    """An answer: this content is always among the frames of the query, or never; `undone_at_utc` takes it back.

    A photo is meant by its content, so that the answer outlives files that move and faces that are detected anew.
    """

    __tablename__ = "saved_query_photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    query_id: Mapped[int] = mapped_column(ForeignKey("saved_query.id", ondelete="CASCADE"), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    is_pinned: Mapped[bool]
    answered_at_utc: Mapped[datetime] = mapped_column(default=utc_now)
    undone_at_utc: Mapped[datetime | None]
