"""Asking the store for photos: what is known of each, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.query.language.photo_selection import PhotoFilter, stream_photo_ids
from alignimation_index.store import files
from alignimation_index.store.answers import regions_of
from alignimation_index.store.tables import (
    File,
    MovingHalf,
    Pairing,
    Photo,
    PhotoAlbum,
    PhotoGooglePerson,
    Sidecar,
    StageRun,
    Variant,
)

_PHOTOS_AT_ONCE = 500
_EVERYTHING = PhotoFilter()

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


class Membership(NamedTuple):
    """A photo's place in a group of variants.

    Attributes:
        id: of the group; None for a live photo that has no other variants.
        kind: edited, raw, burst, duplicate or live.
        role: edited, original, raw, developed, burst, duplicate or still.
        best: whether it is the best of the group that is at hand.
    """

    id: int | None
    kind: str
    role: str
    best: bool


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
        group: of which variants it is one, or None.
        videos: paths of its moving halves.
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
    group: Membership | None
    videos: Sequence[str]


def select_photos(session: Session, wanted: PhotoFilter = _EVERYTHING) -> Iterator[IndexedPhoto]:
    """Photos at hand, in the order of their first paths, read while they are asked for.

    Raises:
        UserError: there is no such person, album or camera; at the call, not later.
    """
    ids = stream_photo_ids(session, wanted)
    some_at_once = iter(lambda: list(islice(ids, _PHOTOS_AT_ONCE)), [])
    return chain.from_iterable(_photos(session, some) for some in some_at_once)


def _photos(session: Session, ids: Sequence[int]) -> Iterator[IndexedPhoto]:
    """What is known of photos, and what speaks of them, in the order of the ids."""
    rows = {row.id: row for row in session.execute(select(Photo.id, *_COLUMNS).where(Photo.id.in_(ids)))}
    paths = _paths(session, ids)
    failed = _failed(session, ids)
    albums = _names(session, PhotoAlbum, ids)
    people = _names(session, PhotoGooglePerson, ids)
    sidecars = _sidecars(session, ids)
    videos = _moving_halves(session, ids)
    groups = _groups(session, ids)
    regions = regions_of(session, [row.content_hash for row in rows.values()])
    for photo_id in ids:
        about: dict[str, Any] = {column.key: getattr(rows[photo_id], column.key) for column in _COLUMNS}
        yield IndexedPhoto(
            paths=paths[photo_id],
            status="error" if photo_id in failed else "ok",
            albums=albums[photo_id],
            google_people=people[photo_id],
            sidecars=sidecars[photo_id],
            regions=[Region(name, box) for name, box in regions.get(about["content_hash"], ())],
            group=groups.get(photo_id) or (Membership(None, "live", "still", True) if photo_id in videos else None),
            videos=videos.get(photo_id, []),
            **about,
        )


def _paths(session: Session, photo_ids: Sequence[int]) -> Mapping[Any, list[str]]:
    found: Mapping[Any, list[str]] = defaultdict(list)
    here = (File.photo_id.in_(photo_ids), File.missing_since_utc.is_(None))
    for photo_id, path in session.execute(select(File.photo_id, File.path).where(*here).order_by(File.path)):
        found[photo_id].append(path)
    return found


def _failed(session: Session, photo_ids: Sequence[int]) -> set[int]:
    failed = (StageRun.photo_id.in_(photo_ids), StageRun.status == "error")
    return set(session.scalars(select(StageRun.photo_id).where(*failed)))


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


def _groups(session: Session, photo_ids: Sequence[int]) -> Mapping[int, Membership]:
    """The best of a group is the first by rank that is not hidden; if all are, the first."""
    hidden = or_(Photo.trashed.is_(True), Photo.archived.is_(True))
    order = func.row_number().over(partition_by=Variant.group_id, order_by=(hidden, Variant.rank)).label("place")
    asked = select(Variant.group_id).where(Variant.photo_id.in_(photo_ids))
    placed = select(Variant.photo_id, Variant.group_id, Variant.kind, Variant.role, order).join(
        Photo, Photo.id == Variant.photo_id
    )
    return {
        photo_id: Membership(group_id, kind, role, place == 1)
        for photo_id, group_id, kind, role, place in session.execute(placed.where(Variant.group_id.in_(asked)))
    }


def _moving_halves(session: Session, photo_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """Paths of the videos at hand that are the moving halves of photos, by the photo's id."""
    found: Mapping[int, list[str]] = defaultdict(list)
    here = (MovingHalf.photo_id.in_(photo_ids), File.missing_since_utc.is_(None))
    videos = select(MovingHalf.photo_id, File.path).join(File, File.id == MovingHalf.file_id).where(*here)
    for photo_id, path in session.execute(videos.order_by(File.path)):
        found[photo_id].append(path)
    return found


def paths_of(session: Session, content_hashes: Collection[str]) -> dict[str, str]:
    """The first file by name of each of these photos that is at hand."""
    first = files.first_paths()
    rows = select(Photo.content_hash, first.c.path).join(first, first.c.photo_id == Photo.id)
    found: Iterable[tuple[str, str]] = session.execute(rows.where(Photo.content_hash.in_(content_hashes))).all()
    return dict(found)


def select_videos(session: Session) -> Iterator[tuple[str, str | None]]:
    """(path of a video at hand, path of the photo whose moving half it is, or None), by path."""
    first = files.first_paths()
    videos = (
        select(File.path, first.c.path)
        .outerjoin(MovingHalf, MovingHalf.file_id == File.id)
        .outerjoin(first, first.c.photo_id == MovingHalf.photo_id)
        .where(File.kind == "video", File.missing_since_utc.is_(None))
        .order_by(File.path)
    )
    return ((path, still) for path, still in session.execute(videos))
