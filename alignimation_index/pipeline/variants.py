"""The stage that finds which photos are variants of each other."""

from __future__ import annotations

import os
from dataclasses import asdict

from alignimation_index.library.variants.candidates import Candidate
from alignimation_index.library.variants.groups import find_variants
from alignimation_index.library.variants.names import NamedFile, moving_halves
from alignimation_index.pipeline.stages import VARIANTS
from alignimation_index.stages.stage import Key
from alignimation_index.store import runs, variants
from alignimation_index.store.engine import Store
from alignimation_index.store.variants import StoredPhoto


def group_variants(store: Store, key: Key) -> bool:
    """Find the variants among all photos at hand, if anything changed from which they are found; whether it did.

    What is read and what is written is one transaction, so that no change goes unnoticed between the two.
    """
    with store.reading() as session:
        if variants.are_current(session, key.key):
            return False
    with store.writing() as session:
        photos = [_candidate(photo) for photo in variants.stored_photos(session)]
        videos = variants.stored_videos(session)
        found = [asdict(variant) for variant in find_variants(photos)]
        runs.register_key(session, key.key, VARIANTS, key.made_of)
        variants.replace_variants(session, found, _moving_halves(videos, photos), key.key)
    return True


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
