"""What people are called, by the company that the names of an export keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy.orm import Session

from alignimation_index.people import names
from alignimation_index.people.answers import folded
from alignimation_index.people.names import NamedPhoto
from alignimation_index.pipeline.identity import known_people, refresh
from alignimation_index.store import answer_log, identity, people, runs
from alignimation_index.store.engine import Store
from alignimation_index.store.people import SuggestedNameRow


def suggest_names(store: Store) -> bool:
    """Suggest what people are called, and call them so where that is sure; False if nothing has changed since.

    What is read and what is written is one transaction, so that no answer goes unnoticed between the two.
    """
    with store.reading() as session:
        if people.names_are_current(session, _made_from(session)):
            return False
    with store.writing() as session:
        rows = list(_suggested(session))
        people.replace_suggested_names(session, rows)
        refresh(session)
        people.keep_names_made_from(session, _made_from(session))
        return True


def _made_from(session: Session) -> str:
    """Another value whenever names, people or answers changed."""
    return repr((runs.latest_runs(session, people.NAMED_AFTER), answer_log.version(session)))


def _suggested(session: Session) -> Iterator[SuggestedNameRow]:
    known = known_people(session)
    spelled: dict[str, str] = {}
    photos = list(_photos(session, spelled))
    taken = {folded(name) for name in known.names.values()}
    for one in names.suggest_names(photos, taken, known.names.keys()):
        yield SuggestedNameRow(one.person, spelled[one.name], one.shared, one.named, one.chance, one.automatic)


def _photos(session: Session, spelled: dict[str, str]) -> Iterator[NamedPhoto]:
    """Photos whose export names somebody, with a face on them; `spelled` is told how names are spelled."""
    named: dict[int, set[str]] = defaultdict(set)
    days = {}
    for photo_id, taken_at, name in people.named_photos(session):
        named[photo_id].add(folded(name))
        spelled.setdefault(folded(name), name)
        days[photo_id] = taken_at and taken_at.date()
    for photo_id, shown in identity.people_on(session, named.keys()).items():
        yield NamedPhoto(days[photo_id], frozenset(named[photo_id]), frozenset(shown))
