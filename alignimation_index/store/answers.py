"""What people said of photos: when they were taken, and whose face is in a box. See store.people for who is who."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.store import descriptions
from alignimation_index.store.descriptions import DATE, REGION
from alignimation_index.store.face_tables import Answer
from alignimation_index.store.tables import File, Photo, utc_now


def content_at(session: Session, path: str) -> str | None:
    """The content hash of the photo at a path; None if none is known."""
    return session.scalar(
        select(Photo.content_hash).join(File, File.photo_id == Photo.id).where(File.path == path).limit(1)
    )


def contents_like(session: Session, prefix: str) -> list[str]:
    """The content hashes of photos that begin so, two at most."""
    begins = Photo.content_hash >= prefix, Photo.content_hash < prefix + "g"  # the digit after f
    return list(session.scalars(select(Photo.content_hash).where(*begins).limit(2)))


def answer_dates(session: Session, content_hashes: Collection[str], taken_at: str) -> None:
    """Answer when photos were taken: ISO 8601, by the wall clock, with the offset from UTC or without."""
    undo_dates(session, content_hashes)
    session.add_all(Answer(kind=DATE, content_hash=one, value=taken_at) for one in content_hashes)


def undo_dates(session: Session, content_hashes: Collection[str]) -> None:
    """Take the answers back by which photos are dated; what else speaks of them decides again."""
    answered = (Answer.kind == DATE, Answer.content_hash.in_(content_hashes), Answer.undone_at_utc.is_(None))
    session.execute(update(Answer).where(*answered).values(undone_at_utc=utc_now()))
    photos = select(Photo.id).where(Photo.content_hash.in_(content_hashes))
    descriptions.outdate(session, list(session.scalars(photos)))


def regions_of(session: Session, content_hashes: Sequence[str]) -> Mapping[str, list[tuple[str, Float]]]:
    """(name, box) of the named faces on each content, xyxy in pixels of the upright photo; each once, by name."""
    said = (Answer.kind == REGION, Answer.content_hash.in_(content_hashes), Answer.undone_at_utc.is_(None))
    columns = (Answer.content_hash, Answer.value, Answer.box)
    found: dict[Any, list[tuple[Any, Any]]] = defaultdict(list)
    for content_hash, name, box in session.execute(select(*columns).where(*said).distinct().order_by(*columns)):
        found[content_hash].append((name, box))
    return found
