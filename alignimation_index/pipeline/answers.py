"""Answers of people about photos, which show at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.models.faces import EMBEDDED, FaceModelIds
from alignimation_index.pipeline.describe import describe_photos
from alignimation_index.pipeline.stages import DESCRIBE, stage_keys
from alignimation_index.store import answers
from alignimation_index.store.engine import Store


def set_dates(store: Store, photos: Iterable[str], taken_at: datetime) -> int:
    """Answer when photos were taken, whatever else speaks of them; how many these are.

    Args:
        store: the open store.
        photos: paths or content hashes.
        taken_at: by the wall clock, with the offset from UTC or without.

    Raises:
        UserError: one is not known; none is changed then.
    """
    with store.writing() as session:
        contents = _contents(session, photos)
        answers.answer_dates(session, contents, taken_at.isoformat())
    _describe(store)
    return len(contents)


def unset_dates(store: Store, photos: Iterable[str]) -> int:
    """Take back what `set_dates` said; how many photos these are.

    Raises:
        UserError: one is not known; none is changed then.
    """
    with store.writing() as session:
        contents = _contents(session, photos)
        answers.undo_dates(session, contents)
    _describe(store)
    return len(contents)


def _contents(session: Session, photos: Iterable[str]) -> list[str]:
    """Content hashes, each once."""
    found: dict[str, str] = {}
    for photo in photos:
        path = os.path.abspath(os.path.expanduser(photo))  # noqa: PTH100, PTH111 - keeps links as they are
        content = answers.content_of(session, path) or answers.content_of(session, photo)
        if content is None:
            raise UserError(f"{photo} is not among the photos. See their paths: alignindex photos")
        found[content] = photo
    return list(found)


def _describe(store: Store) -> None:
    # The key of this stage is the same whatever the networks.
    describe_photos(store, stage_keys(FaceModelIds(EMBEDDED))[DESCRIBE])
