"""Answers of people about photos, which show at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.models.faces import EMBEDDED, FaceModelIds
from alignimation_index.pipeline.describe import describe_photos
from alignimation_index.pipeline.stages import DESCRIBE, stage_keys
from alignimation_index.store import answers
from alignimation_index.store.engine import Store

_HASH = re.compile(r"[0-9a-fA-F]{6,64}")


def set_dates(store: Store, photos: Iterable[str], taken_at: datetime) -> int:
    """Answer when photos were taken, whatever else speaks of them; how many these are.

    Args:
        store: the open store.
        photos: see `contents_of`.
        taken_at: by the wall clock, with the offset from UTC or without.

    Raises:
        UserError: one is not known; none is changed then.
    """
    with store.writing() as session:
        contents = contents_of(session, photos)
        answers.answer_dates(session, contents, taken_at.isoformat())
    _describe(store)
    return len(contents)


def unset_dates(store: Store, photos: Iterable[str]) -> int:
    """Take back what `set_dates` said; how many photos these are.

    Raises:
        UserError: one is not known; none is changed then.
    """
    with store.writing() as session:
        contents = contents_of(session, photos)
        answers.undo_dates(session, contents)
    _describe(store)
    return len(contents)


def contents_of(session: Session, photos: Iterable[str]) -> list[str]:
    """The content hashes of photos by path or content hash, of which the beginning will do; each once.

    Raises:
        UserError: one is not known, or several begin like it.
    """
    return list(dict.fromkeys(_content(session, photo) for photo in photos))


def _content(session: Session, photo: str) -> str:
    path = os.path.abspath(os.path.expanduser(photo))  # noqa: PTH100, PTH111 - keeps links as they are
    content = answers.content_at(session, path)
    if content is not None:
        return content
    like = answers.contents_like(session, photo.lower()) if _HASH.fullmatch(photo) else []
    if len(like) > 1:
        raise UserError(f"Several photos have a content hash that begins with {photo}. Write more of it.")
    if not like:
        raise UserError(f"{photo} is not among the photos. See their paths: alignindex photos")
    return like[0]


def _describe(store: Store) -> None:
    # The key of this stage is the same whatever the networks.
    describe_photos(store, stage_keys(FaceModelIds(EMBEDDED))[DESCRIBE])
