"""What queries ask of photos and faces, in one narrow row for each that they list; store.listed_rows derives them.

All that is asked of a face stands in its row, what is true of its photo too: a query then reads one table, once, in
the order in which it shows what it finds.
"""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from alignimation_index.store.arrays import PathText
from alignimation_index.store.tables import Base

UNDATED = 1 << 40
"""The moment of what has no date: after all others."""

ARCHIVED, TRASHED = 1, 2
"""Bits of `hidden`: in the archive, or the bin, of an export."""


class AboutPhoto:
    """What is asked of photos.

    Attributes:
        moment: the wall-clock time in whole seconds since 1970-01-01, or UNDATED.
        hidden: ARCHIVED, TRASHED, both or 0.
        variant_rank: in its group of variants; 0 for the best, and where there is no group.
        faces: how many are listed.
        people: the numbers of those whose faces they are, as ",1,7,".
        path: the first by name of the files that hold it.
        more_paths: whether it has others.
    """

    moment: Mapped[int]
    hidden: Mapped[int]
    variant_rank: Mapped[int]
    variant_group: Mapped[int | None]
    faces: Mapped[int]
    favourite: Mapped[bool]
    people: Mapped[str]
    camera: Mapped[str | None]
    latitude_deg: Mapped[float | None]
    longitude_deg: Mapped[float | None]
    more_paths: Mapped[bool]
    path: Mapped[str] = mapped_column(PathText)


class ListedPhoto(AboutPhoto, Base):
    """A photo at hand; the table is kept in the order of its key, in which photos are listed."""

    __tablename__ = "listed_photo"
    __table_args__ = ({"sqlite_with_rowid": False},)

    path: Mapped[str] = mapped_column(PathText, primary_key=True)
    photo_id: Mapped[int] = mapped_column(primary_key=True, unique=True, index=True)


# The faces that may be left out for a better variant, with all that is asked of them, by their groups.
_OF_VARIANTS = (
    *("variant_group", "variant_rank", "hidden", "person_id", "frontal", "faces", "favourite", "reviewed", "quality"),
    *("size_px", "yaw_deg", "pitch_deg", "residual", "age_years", "people", "camera", "latitude_deg", "longitude_deg"),
    *("more_paths", "path"),
)


class ListedFace(AboutPhoto, Base):
    """A face of a photo at hand whose stages are done, and that nobody called none.

    The table is kept in the order of its key, in which frames are listed. `person_id` is who the face is, all in all;
    `age_years` how old they are, birthdays passed and days since the last one, where both dates are known.
    """

    __tablename__ = "listed_face"
    __table_args__ = (
        Index("ix_listed_face_face_id", "face_id", unique=True),
        Index("ix_listed_face_photo_id", "photo_id", "person_id"),
        Index("ix_listed_face_person_id", "person_id", "moment", "photo_id", "face_id"),
        Index("ix_listed_face_variant_group", *_OF_VARIANTS, sqlite_where=text("variant_group IS NOT NULL")),
        {"sqlite_with_rowid": False},
    )

    moment: Mapped[int] = mapped_column(primary_key=True)
    photo_id: Mapped[int] = mapped_column(primary_key=True)
    face_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None]
    frontal: Mapped[bool | None]
    reviewed: Mapped[bool]
    quality: Mapped[float]
    size_px: Mapped[float | None]
    yaw_deg: Mapped[float | None]
    pitch_deg: Mapped[float | None]
    residual: Mapped[float | None]
    age_years: Mapped[float | None]
