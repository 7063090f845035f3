"""Groups of variants as rows, and what they are found from.

They are up to date while a setting holds the present key of the stage. Whoever changes anything that they are found
from deletes it in the same transaction. While they are looked for, it holds a mark instead: as long as the mark stands,
nothing changed since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from alignimation_index.store.bulk import Row, upsert_rows
from alignimation_index.store.face_tables import Face
from alignimation_index.store.schema import VARIANTS_SETTING
from alignimation_index.store.tables import Base, File, MovingHalf, Photo, Setting, Variant


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo at hand; `paths` are (folder, path) of the files that hold it, `quality` is of its best face."""

    paths: Sequence[tuple[str, str]]
    photo_id: int
    content_hash: str
    fingerprint: bytes | None
    taken_at: datetime | None
    taken_at_source: str | None
    camera: str | None
    width_px: int | None
    height_px: int | None
    quality: float


def outdate(session: Session) -> None:
    """Note that something changed from which variants are found."""
    session.execute(delete(Setting).where(Setting.name == VARIANTS_SETTING))


def are_current(session: Session, key: str) -> bool:
    """Whether variants were found under this key, and nothing changed since."""
    return session.scalar(select(Setting.value).where(Setting.name == VARIANTS_SETTING)) == key


def mark(session: Session) -> str:
    """Mark that variants are looked for from now on, see `is_marked`."""
    made = f"looked for by {uuid4()}"
    upsert_rows(session, Setting, [{"name": VARIANTS_SETTING, "value": made}])
    return made


def is_marked(session: Session, made: str) -> bool:
    """Whether nothing changed since the mark was made, from which variants are found."""
    return are_current(session, made)


def stored_photos(session: Session) -> list[StoredPhoto]:
    """All photos at hand."""
    paths: Mapping[int | None, list[tuple[str, str]]] = defaultdict(list)
    here = select(File.photo_id, File.folder, File.path).where(
        File.photo_id.is_not(None), File.missing_since_utc.is_(None)
    )
    for photo_id, folder, path in session.execute(here):
        paths[photo_id].append((folder, path))
    best = select(Face.photo_id, func.max(Face.quality).label("quality")).group_by(Face.photo_id).subquery()
    columns: tuple[Any, ...] = (
        Photo.id,
        Photo.content_hash,
        Photo.fingerprint,
        Photo.taken_at,
        Photo.taken_at_source,
        Photo.camera,
        Photo.width_px,
        Photo.height_px,
        func.coalesce(best.c.quality, 0.0),
    )
    rows = session.execute(select(*columns).outerjoin(best, best.c.photo_id == Photo.id))
    return [StoredPhoto(paths[row[0]], *row) for row in rows if row[0] in paths]


def stored_videos(session: Session) -> list[tuple[int, str, str]]:
    """(file id, folder, path) of the videos at hand."""
    videos = select(File.id, File.folder, File.path).where(File.kind == "video", File.missing_since_utc.is_(None))
    return [(id_, folder, path) for id_, folder, path in session.execute(videos)]


def replace_variants(session: Session, variants: Sequence[Row], halves: Mapping[int, int], key: str) -> None:
    """Store the groups and the moving halves (file id → photo id) found under a key; only changes are written."""
    _replace(session, Variant, variants)
    _replace(session, MovingHalf, [{"file_id": file_id, "photo_id": photo_id} for file_id, photo_id in halves.items()])
    upsert_rows(session, Setting, [{"name": VARIANTS_SETTING, "value": key}])


def _replace(session: Session, model: type[Base], rows: Sequence[Row]) -> None:
    """Let a table hold these rows and no others; the first of its columns is the primary key."""
    columns = list(model.__table__.columns)
    stored = {row[0]: tuple(row) for row in session.execute(select(*columns))}
    wanted = {row[columns[0].name]: row for row in rows}
    gone = [{"one": id_} for id_ in stored.keys() - wanted.keys()]
    if gone:
        session.connection().execute(delete(model).where(columns[0] == bindparam("one")), gone)
    changed = [row for id_, row in wanted.items() if stored.get(id_) != tuple(row[column.name] for column in columns)]
    upsert_rows(session, model, changed)
