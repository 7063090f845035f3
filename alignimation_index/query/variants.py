"""Of the photos that are variants of each other, the one to take."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from alignimation_index.store.tables import Photo, Variant

_BURST = "burst"
LEFT_OUT = "variants of another photo (--all-variants keeps them)"
"""Why frames are left out."""


class VariantFace(NamedTuple):
    """A face on a photo of a group: who it is, or None, the group, and the photo's rank in it."""

    face_id: int
    person_id: int | None
    group_id: int
    rank: int


def ranks(session: Session) -> dict[str, tuple[int, int]]:
    """(group, rank) of every photo in a group of variants, by its content hash."""
    rows = select(Photo.content_hash, Variant.group_id, Variant.rank).join(Variant, Variant.photo_id == Photo.id)
    return {content_hash: (group, rank) for content_hash, group, rank in session.execute(rows)}


def of_one_shot(session: Session, content_hashes: Collection[str]) -> set[str]:
    """These photos, and their other variants but for bursts: copies, edited ones and their originals, RAW."""
    group = select(Variant.group_id).join(Photo, Photo.id == Variant.photo_id)
    groups = group.where(Photo.content_hash.in_(content_hashes), Variant.kind != _BURST)
    others = select(Photo.content_hash).join(Variant, Variant.photo_id == Photo.id)
    return {*content_hashes, *session.scalars(others.where(Variant.group_id.in_(groups)))}


def faces_to_leave_out(faces: Iterable[VariantFace]) -> set[int]:
    """The ids of those faces that are there again on a better photo of the group.

    Of each person that is the best photo on which they are; faces of nobody count on the best of these photos only.
    """
    known = list(faces)
    best: dict[tuple[int, int | None], int] = {}
    for face in known:
        for who in {face.person_id, None}:
            key = face.group_id, who
            best[key] = min(face.rank, best.get(key, face.rank))
    return {face.face_id for face in known if face.rank > best[face.group_id, face.person_id]}
