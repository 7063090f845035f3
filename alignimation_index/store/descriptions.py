"""What photos are described by, and what they are described from, as rows.

A description is up to date while its stage's run is there. Whoever changes anything that speaks of a photo deletes that
run in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from alignimation_index.store import variants
from alignimation_index.store.bulk import Row, delete_rows, insert_rows, update_rows
from alignimation_index.store.face_tables import Answer
from alignimation_index.store.schema import DESCRIBE
from alignimation_index.store.tables import (
    File,
    Folder,
    Pairing,
    Photo,
    PhotoAlbum,
    PhotoGooglePerson,
    Sidecar,
    StageRun,
    utc_now,
)

REGION, DATE = "region", "date"
"""Kinds of answers: this box is that person, and this photo was taken then."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that holds a photo; `sidecars` are (kind, content) of those that speak of it, by path."""

    path: str
    mtime_ns: int
    in_export: bool
    sidecars: list[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Sources:
    """All that speaks of a photo.

    Attributes:
        content_hash: of the photo.
        facts: what its content says; None if that is not known.
        files: those at hand that hold it, by path.
        answered_date: the date that a person answered last, or None.
    """

    content_hash: str
    facts: Mapping[str, Any] | None
    answered_date: str | None
    files: list[StoredFile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DescriptionRows:
    """A photo's description: columns of `Photo`, names, and regions as (name, box, source), each once."""

    columns: Row
    albums: Sequence[str]
    google_people: Sequence[str]
    regions: Sequence[tuple[str, Sequence[float], str]]


def outdate(session: Session, photo_ids: Collection[int]) -> None:
    """Note that something that speaks of photos changed."""
    if photo_ids:
        one = delete(StageRun).where(StageRun.stage == DESCRIBE, StageRun.photo_id == bindparam("one"))
        session.connection().execute(one, [{"one": id_} for id_ in photo_ids])
        variants.outdate(session)


def outdate_files(session: Session, file_ids: Collection[int]) -> None:
    """Note that something that speaks of files, or a file itself, changed; before the file is taken from its photo."""
    _outdate_where(session, File.id == bindparam("one"), file_ids)


def outdate_sidecars(session: Session, sidecar_ids: Collection[int]) -> None:
    """Note that what sidecars say changed."""
    spoken_of = select(Pairing.file_id).where(Pairing.sidecar_id == bindparam("one"))
    _outdate_where(session, File.id.in_(spoken_of), sidecar_ids)


def sources(session: Session, photo_ids: Collection[int]) -> dict[int, Sources]:
    """All that speaks of each photo."""
    answered = _answered_dates()
    statement = (
        select(Photo.id, Photo.content_hash, Photo.facts, answered.c.value)
        .outerjoin(answered, answered.c.content_hash == Photo.content_hash)
        .where(Photo.id.in_(photo_ids))
    )
    found = {id_: Sources(*row) for id_, *row in session.execute(statement)}
    here = File.photo_id.in_(photo_ids) & File.missing_since_utc.is_(None)
    files = session.execute(
        select(File.photo_id, File.id, File.path, File.mtime_ns, func.coalesce(Folder.in_export, False))
        .outerjoin(Folder, Folder.path == File.folder)
        .where(here)
        .order_by(File.path)
    ).all()
    beside = _sidecars(session, [row[1] for row in files])
    for photo_id, file_id, path, mtime_ns, in_export in files:
        found[photo_id].files.append(StoredFile(path, mtime_ns, bool(in_export), beside[file_id]))
    return found


def store_descriptions(session: Session, found: Mapping[int, DescriptionRows]) -> None:
    """Replace the descriptions of photos."""
    if found:
        variants.outdate(session)
    update_rows(session, Photo, {id_: rows.columns for id_, rows in found.items()})
    _replace_names(session, PhotoAlbum, {id_: rows.albums for id_, rows in found.items()})
    _replace_names(session, PhotoGooglePerson, {id_: rows.google_people for id_, rows in found.items()})
    _replace_regions(session, found)


def _outdate_where(session: Session, condition: Any, ids: Collection[int]) -> None:  # noqa: ANN401
    """Note a change about the photos of those files for which a condition on `one` of the ids holds."""
    if ids:
        photos = select(File.photo_id).where(condition)
        of_photos = delete(StageRun).where(StageRun.stage == DESCRIBE, StageRun.photo_id.in_(photos))
        session.connection().execute(of_photos, [{"one": id_} for id_ in ids])
        variants.outdate(session)


def _answered_dates() -> Any:  # noqa: ANN401 - a subquery
    """Columns content_hash and value: the last date that was answered and not undone."""
    of_dates = (Answer.kind == DATE, Answer.undone_at_utc.is_(None))
    last = select(func.max(Answer.id)).where(*of_dates).group_by(Answer.content_hash)
    return select(Answer.content_hash, Answer.value).where(Answer.id.in_(last)).subquery()


def _sidecars(session: Session, file_ids: Collection[int]) -> Mapping[int, list[tuple[str, Mapping[str, Any]]]]:
    """(kind, content) of the sidecars of each file, by path; a content is loaded once, however many files share it."""
    paired = select(Pairing.file_id, Pairing.sidecar_id).where(Pairing.file_id.in_(file_ids))
    pairs = session.execute(paired).all()
    columns = (Sidecar.id, Sidecar.kind, Sidecar.content)
    read = (Sidecar.id.in_({row.sidecar_id for row in pairs}), Sidecar.kind.is_not(None))
    contents = {
        id_: (kind, content)
        for id_, kind, content in session.execute(select(*columns).where(*read).order_by(Sidecar.path))
    }
    order = {id_: position for position, id_ in enumerate(contents)}
    found = defaultdict(list)
    for file_id, sidecar_id in sorted(pairs, key=lambda row: order.get(row.sidecar_id, 0)):
        if sidecar_id in contents:
            found[file_id].append(contents[sidecar_id])
    return found


def _replace_names(
    session: Session, model: type[PhotoAlbum | PhotoGooglePerson], names: Mapping[int, Iterable[str]]
) -> None:
    session.execute(delete(model).where(model.photo_id.in_(names)))
    rows = [{"photo_id": photo_id, "name": name} for photo_id, some in names.items() for name in some]
    if rows:
        session.execute(insert(model), rows)


def _replace_regions(session: Session, found: Mapping[int, DescriptionRows]) -> None:
    """Answers that other programs were given. Those undone are kept, so that they stay undone; nobody else's change."""
    of_photos = session.execute(select(Photo.id, Photo.content_hash).where(Photo.id.in_(found)))
    hashes = {row.id: row.content_hash for row in of_photos}
    wanted = {
        (hashes[id_], source, name, _packed(box)): box
        for id_, rows in found.items()
        for name, box, source in rows.regions
    }
    mine = (Answer.kind == REGION, Answer.source.is_not(None), Answer.content_hash.in_(hashes.values()))
    columns = (Answer.id, Answer.undone_at_utc, Answer.content_hash, Answer.source, Answer.value, Answer.box)
    known = {
        (*key, _packed(box)): (id_, undone) for id_, undone, *key, box in session.execute(select(*columns).where(*mine))
    }
    delete_rows(session, Answer, [id_ for key, (id_, undone) in known.items() if key not in wanted and not undone])
    new = [(key, box) for key, box in wanted.items() if key not in known]
    now = utc_now()
    insert_rows(
        session,
        Answer,
        [
            {"kind": REGION, "content_hash": hash_, "source": source, "value": name, "box": box, "answered_at_utc": now}
            for (hash_, source, name, _), box in new
        ],
    )


def _packed(box: Any) -> bytes:  # noqa: ANN401 - four numbers
    return np.asarray(box, "<f4").tobytes()
