"""Asking the store for templates, with where their references are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alignimation_index.query.people import called
from alignimation_index.store import body_templates, files
from alignimation_index.store.body_templates import ListedTemplate
from alignimation_index.store.tables import Photo


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """A template; the first path of its reference's photo, if that is at hand; and for whom it was made, if anybody."""

    about: ListedTemplate
    reference: str | None
    person: str | None


def named_templates(session: Session) -> list[NamedTemplate]:
    """All templates, by name."""
    first = files.first_paths()
    paths = select(Photo.content_hash, first.c.path).join(first, first.c.photo_id == Photo.id)
    listed = body_templates.list_templates(session)
    hashes = [one.content_hash for one in listed if one.content_hash]
    found: Iterable[tuple[str, str]] = session.execute(paths.where(Photo.content_hash.in_(hashes))).all()
    references = dict(found)
    return [NamedTemplate(one, references.get(one.content_hash or ""), _called(session, one)) for one in listed]


def _called(session: Session, template: ListedTemplate) -> str | None:
    return None if template.person_id is None else called(session, template.person_id)
