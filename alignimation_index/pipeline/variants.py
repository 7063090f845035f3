"""The stage that finds which photos are variants of each other."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from alignimation_index.library.variants.candidates import Candidate
from alignimation_index.library.variants.groups import find_variants
from alignimation_index.library.variants.names import NamedFile, moving_halves
from alignimation_index.pipeline.stages import VARIANTS
from alignimation_index.stages.stage import Key
from alignimation_index.store import runs, variants
from alignimation_index.store.engine import Store
from alignimation_index.store.variants import StoredPhoto

_Found = tuple[list[dict[str, Any]], dict[int, int]]
"""Rows of variants, and the moving halves of stills: file id → photo id."""


def group_variants(store: Store, key: Key) -> bool:
    """Find the variants among all photos at hand, if anything changed from which they are found; whether it did.

    They are looked for while others may write, and stored if nobody did; else again, in the transaction that stores
    them.
    """
    with store.reading() as session:
        if variants.are_current(session, key.key):
            return False
    with store.writing() as session:
        mark = variants.mark(session)
    with store.reading() as session:
        found = _find(session)
    with store.writing() as session:
        if not variants.is_marked(session, mark):
            found = _find(session)
        runs.register_key(session, key.key, VARIANTS, key.made_of)
        variants.replace_variants(session, *found, key.key)
    return True


def _find(session: Session) -> _Found:
    photos = [_candidate(photo) for photo in variants.stored_photos(session)]
    videos = variants.stored_videos(session)
    return [asdict(variant) for variant in find_variants(photos)], _moving_halves(videos, photos)


def _candidate(photo: StoredPhoto) -> Candidate:
    return Candidate(
        photo.photo_id,
        photo.content_hash,
        tuple((folder, os.path.basename(path)) for folder, path in photo.paths),  # noqa: PTH119 - many
        photo.fingerprint,
        photo.taken_at,
        photo.taken_at_source,
        photo.camera,
        photo.width_px,
        photo.height_px,
        photo.quality,
    )


def _moving_halves(videos: list[tuple[int, str, str]], photos: list[Candidate]) -> dict[int, int]:
    stills = (
        NamedFile(photo.photo_id, photo.content_hash, folder, name) for photo in photos for folder, name in photo.files
    )
    moving = (NamedFile(id_, "", folder, os.path.basename(path)) for id_, folder, path in videos)  # noqa: PTH119
    return moving_halves(moving, stills)
