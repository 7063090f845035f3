"""Asking the store for photos: what is known of each, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.store import files
from alignimation_index.store.answers import regions_of
from alignimation_index.store.tables import File, Pairing, Photo, PhotoAlbum, PhotoGooglePerson, Sidecar, StageRun

_PHOTOS_AT_ONCE = 500

_COLUMNS = (
    Photo.content_hash,
    Photo.taken_at,
    Photo.taken_at_source,
    Photo.utc_offset,
    Photo.latitude_deg,
    Photo.longitude_deg,
    Photo.rating,
    Photo.favourite,
    Photo.archived,
    Photo.trashed,
    Photo.camera,
    Photo.width_px,
    Photo.height_px,
)


class PairedSidecar(NamedTuple):
    """A sidecar that speaks of a photo, for the file at `of`, and the rule by which it does."""

    path: str
    of: str
    rule: str


class Region(NamedTuple):
    """A face that somebody framed and named: the box is xyxy in pixels of the upright photo."""

    name: str
    box: Float


@dataclass(frozen=True, slots=True)
class IndexedPhoto:
    """A photo at hand.

    Attributes:
        paths: the files that hold it, by name.
        status: "ok", or "error" where it could not be read.
        albums: names, sorted, as are the people whom its export names.
        sidecars: what speaks of it, by path.
        regions: named faces that other programs know of.
    """

    paths: list[str]
    content_hash: str
    taken_at: datetime | None
    taken_at_source: str | None
    utc_offset: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    rating: int | None
    favourite: bool | None
    archived: bool | None
    trashed: bool | None
    camera: str | None
    width_px: int | None
    height_px: int | None
    status: str
    albums: Sequence[str]
    google_people: Sequence[str]
    sidecars: Sequence[PairedSidecar]
    regions: Sequence[Region]


def select_photos(
    session: Session, *, date_source: str | None = None, include_trashed: bool = False, include_archived: bool = False
) -> Iterator[IndexedPhoto]:
    """Photos at hand, in the order of their first paths, read while they are asked for.

    Args:
        session: to read in.
        date_source: only photos whose date comes from there, see `library.dates.resolve`.
        include_trashed: also those in the bin of an export.
        include_archived: also those in the archive of an export.
    """
    failed = set(session.scalars(select(StageRun.photo_id).where(StageRun.status == "error")))
    first = files.first_paths()
    statement = (
        select(first.c.path, File.path, Photo.id, *_COLUMNS)
        .join(first, first.c.photo_id == Photo.id)
        .join(File, (File.photo_id == Photo.id) & File.missing_since_utc.is_(None))
        .where(*files.visible(include_trashed, include_archived))
        .order_by(first.c.path, File.path)
    )
    if date_source is not None:
        statement = statement.where(Photo.taken_at_source == date_source)
    rows = session.execute(statement, execution_options={"yield_per": 2 * _PHOTOS_AT_ONCE})
    photos = (list(of_photo) for _, of_photo in groupby(rows, itemgetter(0)))
    while some := list(islice(photos, _PHOTOS_AT_ONCE)):
        yield from _with_what_speaks_of_them(session, some, failed)


def _with_what_speaks_of_them(
    session: Session, photos: Sequence[Sequence[Any]], failed: Collection[int]
) -> Iterator[IndexedPhoto]:
    ids = [rows[0].id for rows in photos]
    albums = _names(session, PhotoAlbum, ids)
    people = _names(session, PhotoGooglePerson, ids)
    sidecars = _sidecars(session, ids)
    regions = regions_of(session, [rows[0].content_hash for rows in photos])
    for rows in photos:
        about: dict[str, Any] = {column.key: value for column, value in zip(_COLUMNS, rows[0][3:], strict=True)}
        photo_id = rows[0].id
        yield IndexedPhoto(
            paths=[row[1] for row in rows],
            status="error" if photo_id in failed else "ok",
            albums=albums[photo_id],
            google_people=people[photo_id],
            sidecars=sidecars[photo_id],
            regions=[Region(name, box) for name, box in regions.get(about["content_hash"], ())],
            **about,
        )


def _names(
    session: Session, model: type[PhotoAlbum | PhotoGooglePerson], photo_ids: Sequence[int]
) -> Mapping[int, list[str]]:
    found = defaultdict(list)
    named = select(model.photo_id, model.name).where(model.photo_id.in_(photo_ids)).order_by(model.name)
    for photo_id, name in session.execute(named):
        found[photo_id].append(name)
    return found


def _sidecars(session: Session, photo_ids: Sequence[int]) -> Mapping[int, list[PairedSidecar]]:
    found: Mapping[Any, list[PairedSidecar]] = defaultdict(list)
    paired = (
        select(File.photo_id, Sidecar.path, File.path, Pairing.rule)
        .join(Pairing, Pairing.file_id == File.id)
        .join(Sidecar, Sidecar.id == Pairing.sidecar_id)
        .where(File.photo_id.in_(photo_ids), File.missing_since_utc.is_(None), Sidecar.missing_since_utc.is_(None))
        .order_by(Sidecar.path, File.path)
    )
    for photo_id, *pair in session.execute(paired):
        found[photo_id].append(PairedSidecar(*pair))
    return found
