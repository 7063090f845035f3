"""The tables of photos, of the files that hold them, and of the stages that are done with them.

A photo is unique content: its hash never changes, so "photo" stands for "content hash" wherever another table refers
to one. See store.face_tables, identity_tables and body_tables for what is found on photos.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from alignimation_index.store.arrays import PathText


def utc_now() -> datetime:
    """The time, as the `…_utc` columns hold it: UTC without a zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


class Base(DeclarativeBase):
    """All tables; constraints are named by rule, so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(), float: Double(), dict[str, Any]: JSON()}  # noqa: RUF012


def owner(column: str, **options: Any) -> Any:  # noqa: ANN401
    """A reference whose row goes when its owner goes."""
    return mapped_column(ForeignKey(column, ondelete="CASCADE"), **options)


class Setting(Base):
    """A choice that holds for the whole store, such as the pinned face embedder."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Root(Base):
    """A watched folder (or a single file), by absolute path."""

    __tablename__ = "root"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(PathText, unique=True)
    added_at_utc: Mapped[datetime] = mapped_column(default=utc_now)


class Photo(Base):
    """One content, however many files hold it; sizes are those of the upright photo.

    Columns by the stage that writes them: metadata (size, camera, facts: all that the content says), fingerprint,
    describe (the rest, resolved from the facts, the files and their sidecars, and answers; null until then).
    """

    __tablename__ = "photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), unique=True)
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    taken_at: Mapped[datetime | None] = mapped_column(index=True)
    taken_at_source: Mapped[str | None]
    utc_offset: Mapped[str | None]
    camera: Mapped[str | None] = mapped_column(index=True)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    latitude_deg: Mapped[float | None]
    longitude_deg: Mapped[float | None]
    rating: Mapped[int | None]
    favourite: Mapped[bool | None]
    archived: Mapped[bool | None]
    trashed: Mapped[bool | None]
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)


class PhotoAlbum(Base):
    """An album of an export that a photo is in."""

    __tablename__ = "photo_album"

    photo_id: Mapped[int] = owner("photo.id", primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True, index=True)


class PhotoGooglePerson(Base):
    """Somebody who is on a photo, somewhere, according to its export."""

    __tablename__ = "photo_google_person"

    photo_id: Mapped[int] = owner("photo.id", primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True, index=True)


class Listed:
    """What a path below a root was when it was listed last.

    `folder` is where it lies, the same in all parts of an export; `error` says why it could not be read.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = owner("root.id", index=True)
    path: Mapped[str] = mapped_column(PathText, unique=True)
    folder: Mapped[str] = mapped_column(PathText, server_default="", index=True)
    size: Mapped[int]
    mtime_ns: Mapped[int]
    inode: Mapped[int]
    missing_since_utc: Mapped[datetime | None]
    error: Mapped[str | None]


class File(Listed, Base):
    """A photo's or video's file; `photo_id` is null while the content is not known, and for videos.

    It is null, too, for RAW files while the extra that reads them is not installed.
    """

    __tablename__ = "file"
    # The whole of what is asked most: by which files a photo is at hand, and the first of them.
    __table_args__ = (Index("ix_file_photo_id", "photo_id", "missing_since_utc", "path"),)

    kind: Mapped[str] = mapped_column(default="photo", server_default="photo")
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id"))


class Sidecar(Listed, Base):
    """A file that speaks of photos, and what it says; `kind` and `content` are null until it was read."""

    __tablename__ = "sidecar"

    kind: Mapped[str | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


PLACED = (File, Sidecar)
"""The tables of what lies in roots, by `path` and `root_id`: they follow when a root moves, joins another or leaves."""


class Pairing(Base):
    """A sidecar speaks of a file, and by which rule that is known."""

    __tablename__ = "pairing"

    file_id: Mapped[int] = owner("file.id", primary_key=True)
    sidecar_id: Mapped[int] = owner("sidecar.id", primary_key=True, index=True)
    rule: Mapped[str]


class Folder(Base):
    """Pairings in a folder are up to date while its key is the present one; who changes names or sidecars sets null."""

    __tablename__ = "folder"

    path: Mapped[str] = mapped_column(PathText, primary_key=True)
    in_export: Mapped[bool] = mapped_column(default=False)
    pairing_key: Mapped[str | None]


class Variant(Base):
    """A photo in a group of variants, which is numbered by the lowest id of its photos; the best one has rank 0.

    `kind` is of the group; rows are up to date while the setting `variants` is there, see store.variants.
    """

    __tablename__ = "variant"

    photo_id: Mapped[int] = owner("photo.id", primary_key=True)
    group_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str]
    role: Mapped[str]
    rank: Mapped[int]


class MovingHalf(Base):
    """A video that belongs to a still: the moving half of a live photo."""

    __tablename__ = "moving_half"

    file_id: Mapped[int] = owner("file.id", primary_key=True)
    photo_id: Mapped[int] = owner("photo.id", index=True)


class StageKey(Base):
    """What a stage's key was made of, so that a stale photo can say what changed."""

    __tablename__ = "stage_key"

    key: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str]
    made_of: Mapped[dict[str, Any]]


class StageRun(Base):
    """A stage is done with a photo (with a content, that is): written in the transaction that writes its results."""

    __tablename__ = "stage_run"
    __table_args__ = (CheckConstraint("status IN ('done', 'error', 'skipped')", name="status"),)

    photo_id: Mapped[int] = owner("photo.id", primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(ForeignKey("stage_key.key"), index=True)
    status: Mapped[str]
    reason: Mapped[str | None]
    finished_at_utc: Mapped[datetime] = mapped_column(default=utc_now)
