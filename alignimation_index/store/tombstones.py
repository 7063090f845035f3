"""What is left of people who were forgotten: where they were, and digests of what they were called."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from alignimation_index.datatypes import SAME_FACE_IOU, Float, box_overlaps
from alignimation_index.store.bulk import insert_rows
from alignimation_index.store.forgotten_tables import ForgottenName, Tombstone
from alignimation_index.store.tables import Photo, Setting

_SALT = "forgotten names salt"

Place = tuple[str, Float]
"""A content hash, and a (4,) box in pixels of the upright photo."""


class Tombstones:
    """Where people were who are forgotten, by content."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._boxes: dict[str, list[Float]] = defaultdict(list)
        for content_hash, box in places:
            self._boxes[content_hash].append(box)

    @property
    def contents(self) -> list[str]:
        """The hashes of all contents on which somebody was."""
        return list(self._boxes)

    def places(self) -> list[Place]:
        """All of them."""
        return [(content_hash, box) for content_hash, boxes in self._boxes.items() for box in boxes]

    def cover(self, content_hash: str, box: Float) -> bool:
        """Whether a face in this box is one of them."""
        boxes = self._boxes.get(content_hash)
        return bool(boxes) and bool((box_overlaps(box[None], np.stack(boxes or [])) >= SAME_FACE_IOU).any())


def tombstones(session: Session) -> Tombstones:
    """All of them."""
    return Tombstones(_places(session))


def add_tombstones(session: Session, places: Sequence[Place]) -> None:
    """Remember where somebody was, once for each place."""
    known = {(content_hash, box.tobytes()) for content_hash, box in _places(session)}
    new = {(content_hash, box.tobytes()): box for content_hash, box in places}
    rows = [{"content_hash": key[0], "box": box} for key, box in new.items() if key not in known]
    insert_rows(session, Tombstone, rows)


def boxes_on(session: Session, content_hashes: Collection[str]) -> dict[str, Float]:
    """(K, 4) boxes of forgotten faces by content; contents without any are left out."""
    found: dict[str, list[Float]] = defaultdict(list)
    statement = select(Tombstone.content_hash, Tombstone.box).where(Tombstone.content_hash.in_(content_hashes))
    for content_hash, box in session.execute(statement):
        found[content_hash].append(box)
    return {content_hash: np.stack(boxes) for content_hash, boxes in found.items()}


def boxes_on_photos(session: Session, photo_ids: Collection[int]) -> dict[int, Float]:
    """As `boxes_on`, by photo."""
    marked = select(Photo.id, Photo.content_hash).where(
        Photo.id.in_(photo_ids), Photo.content_hash.in_(select(Tombstone.content_hash))
    )
    photos = {row.id: row.content_hash for row in session.execute(marked)}
    found = boxes_on(session, photos.values())
    return {id_: found[content_hash] for id_, content_hash in photos.items()}


def forgotten_digests(session: Session) -> frozenset[str]:
    """Digests of the names that are not to be read again."""
    return frozenset(session.scalars(select(ForgottenName.digest)))


def add_forgotten_names(session: Session, digests: Iterable[str]) -> None:
    """Remember names by their digests."""
    rows = [{"digest": digest} for digest in set(digests)]
    if rows:
        session.execute(insert(ForgottenName).on_conflict_do_nothing(), rows)


def salt(session: Session) -> str:
    """What the digests of this store are salted with; empty while nobody was forgotten."""
    return session.scalar(select(Setting.value).where(Setting.name == _SALT)) or ""


def keep_salt(session: Session) -> str:
    """Salt digests with something new, unless there is a salt already; the salt."""
    row = insert(Setting).values(name=_SALT, value=secrets.token_hex(16))
    session.execute(row.on_conflict_do_nothing())
    return salt(session)


def copy_salt(session: Session, value: str) -> None:
    """Salt digests as another store does."""
    row = insert(Setting).values(name=_SALT, value=value)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def _places(session: Session) -> list[Place]:
    return [(row.content_hash, row.box) for row in session.execute(select(Tombstone.content_hash, Tombstone.box))]
