"""Asking the store for people: who there is, who is meant, and who faces may be."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from alignimation_index.errors import UserError
from alignimation_index.people.answers import folded
from alignimation_index.store.face_tables import Face, Person
from alignimation_index.store.files import visible
from alignimation_index.store.identity import IS_DOUBTFUL, IS_FACE, PERSON_ID, STATE, with_identity
from alignimation_index.store.identity_tables import PersonState, SuggestedName, Suggestion
from alignimation_index.store.listed_tables import ListedFace
from alignimation_index.store.tables import File, Photo

ME = "me"

_SUGGESTED = aliased(PersonState)
_SUGGESTED_ID = func.coalesce(_SUGGESTED.goes_by_id, Suggestion.person_id)


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """A person as a list shows it.

    Attributes:
        id: the person's number.
        name: if any.
        photo_count: photos at hand with a face of theirs.
        first_year: of the dated ones.
        last_year: of the dated ones.
        to_review: faces that are doubtfully theirs, or may be.
        hidden: whether lists leave them out.
        born: if that was answered.
        cover_face_id: the face that stands for them, if one was chosen.
        name_source: "export" for a name that was worked out, None for one that was answered.
    """

    id: int
    name: str | None
    photo_count: int
    first_year: int | None
    last_year: int | None
    to_review: int = 0
    hidden: bool = False
    born: date | None = None
    cover_face_id: int | None = None
    name_source: str | None = None


class FaceSuggestion(NamedTuple):
    """A face that waits for an answer: the person that it may be, or, where `is_assigned`, doubtfully is taken for."""

    face_id: int
    person_id: int
    person: str | None
    score: float
    is_assigned: bool


class NameOffer(NamedTuple):
    """A person without a name, and what they are probably called; see people.names."""

    person_id: int
    name: str
    shared: int
    named: int
    chance: float


def summaries(
    session: Session, include_trashed: bool = False, include_archived: bool = False, include_hidden: bool = False
) -> list[PersonSummary]:
    """Everyone with a photo at hand, most photos first; what is hidden only if asked for."""
    count = func.count(Face.photo_id.distinct())
    years = func.min(Photo.taken_at), func.max(Photo.taken_at)
    about = STATE.hidden, STATE.born, STATE.cover_face_id, STATE.name_source
    statement = (
        with_identity(select(PERSON_ID, STATE.name, count, *years, *about).join(Photo, Photo.id == Face.photo_id))
        .where(PERSON_ID.is_not(None), IS_FACE, *_at_hand(include_trashed, include_archived))
        .group_by(PERSON_ID)
        .order_by(count.desc(), PERSON_ID)
    )
    if not include_hidden:
        statement = statement.where(STATE.hidden.is_not(True))
    review = Counter(one.person_id for one in suggestions(session, include_trashed, include_archived))
    return [
        PersonSummary(id_, name, photos, first and first.year, last and last.year, review[id_], bool(hidden), *rest)
        for id_, name, photos, first, last, hidden, *rest in session.execute(statement)
    ]


def suggestions(
    session: Session, include_trashed: bool = False, include_archived: bool = False
) -> list[FaceSuggestion]:
    """Faces that wait for an answer, with whom they may be: the likeliest first."""
    name = aliased(PersonState)
    statement = (
        with_identity(select(Face.id, _SUGGESTED_ID, name.name, Suggestion.score, PERSON_ID.is_not(None)))
        .join(Photo, Photo.id == Face.photo_id)
        .outerjoin(_SUGGESTED, _SUGGESTED.person_id == Suggestion.person_id)
        .outerjoin(name, name.person_id == _SUGGESTED_ID)
        .where(IS_DOUBTFUL, name.hidden.is_not(True), *_at_hand(include_trashed, include_archived))
        .order_by(Suggestion.score.desc(), Face.id)
    )
    return [FaceSuggestion(*row) for row in session.execute(statement)]


def name_offers(session: Session) -> list[NameOffer]:
    """Names that people without one probably have, the surest first."""
    columns = (SuggestedName.person_id, SuggestedName.name, SuggestedName.shared, SuggestedName.named)
    statement = (
        select(*columns, SuggestedName.chance)
        .outerjoin(PersonState, PersonState.person_id == SuggestedName.person_id)
        .where(PersonState.name.is_(None), PersonState.hidden.is_not(True))
        .where(func.coalesce(PersonState.goes_by_id, SuggestedName.person_id) == SuggestedName.person_id)
        .order_by(SuggestedName.chance, SuggestedName.shared.desc(), SuggestedName.person_id)
    )
    return [NameOffer(*row) for row in session.execute(statement)]


def find_person(session: Session, name_or_id: str) -> int | None:
    """The person of that name (letter case aside), else of that number, or with whom that number was merged.

    Raises:
        UserError: several people bear the name.
    """
    wanted = folded(name_or_id)
    named = select(PersonState.person_id, PersonState.name).where(PersonState.name.is_not(None))
    rows = session.execute(named.order_by(PersonState.person_id))
    bearers = [person for person, name in rows if folded(name or "") == wanted]
    if len(bearers) > 1:
        numbers = list(map(str, bearers))
        raise UserError(
            f"{len(bearers)} people are called {name_or_id}: {', '.join(numbers)}. Say which by number, or make them "
            f"one: alignindex people merge {' '.join(numbers)}"
        )
    if bearers:
        return bearers[0]
    if not name_or_id.isdecimal() or session.get(Person, int(name_or_id)) is None:
        return None
    merged = session.get(PersonState, int(name_or_id))
    return int(name_or_id) if merged is None else merged.goes_by_id


def person_at(session: Session, name_or_id: str) -> int:
    """As `find_person`.

    Raises:
        UserError: there is nobody, or several.
    """
    person = find_person(session, name_or_id)
    if person is None:
        problem = f"There is no person {name_or_id}." if name_or_id.isdecimal() else f"Nobody is called {name_or_id}."
        raise UserError(f"{problem} See who there is: alignindex people list")
    return person


def who_is(session: Session, name: str) -> tuple[str, str | None]:
    """Resolve whom a user means: the person's number, and a line to show where that was a guess.

    "me", where nobody is so named, is the person on most photos.

    Raises:
        UserError: there is no such person.
    """
    person_id = find_person(session, name)
    if person_id is not None:
        return str(person_id), None
    most = _on_most_photos(session) if name == ME else None
    if most is None:
        raise UserError(f"Nobody is called {name}.{_hint(session, name)} See who there is: alignindex people list")
    person_id, photos = most
    bears = session.scalar(select(PersonState.name).where(PersonState.person_id == person_id))
    return str(person_id), (
        f"Nobody is named me: taking person {person_id}{f' ({bears})' if bears else ''}, who is on most photos "
        f"({photos}). To change that: alignindex people name NUMBER me"
    )


def names(session: Session) -> list[str]:
    """All names that people have."""
    named = select(PersonState.name).where(PersonState.name.is_not(None)).order_by(PersonState.name)
    return [name for name in session.scalars(named) if name]


def nearest(asked: str, known: Iterable[str]) -> str | None:
    """The name that is meant, perhaps: letter case aside, the whole of it or one of its words."""
    spelled = {part: name for name in known for part in (*folded(name).split(), folded(name))}
    found = difflib.get_close_matches(folded(asked), spelled, n=1)
    return spelled[found[0]] if found else None


def _hint(session: Session, name: str) -> str:
    near = nearest(name, names(session))
    return f' Did you mean "{near}"?' if near else ""


def _on_most_photos(session: Session) -> tuple[int, int] | None:
    """The person on most photos, hidden ones left out, and how many those are."""
    count = func.count(ListedFace.photo_id.distinct())
    hidden = select(PersonState.person_id).where(PersonState.hidden)
    listed = (ListedFace.person_id.is_not(None), ListedFace.hidden == 0)
    people = select(ListedFace.person_id, count).where(*listed, ListedFace.person_id.not_in(hidden))
    row = session.execute(people.group_by(ListedFace.person_id).order_by(count.desc(), ListedFace.person_id)).first()
    return None if row is None or row[0] is None else (row[0], row[1])


def numbers_of(session: Session, person_id: int) -> list[int]:
    """A person's number, and those of everybody who was merged into them."""
    merged = select(PersonState.person_id).where(
        PersonState.goes_by_id == person_id, PersonState.person_id != person_id
    )
    return [person_id, *session.scalars(merged)]


def called(session: Session, person_id: int) -> str:
    """How to speak of a person: "Ada", or "person 3"."""
    name = session.scalar(select(PersonState.name).where(PersonState.person_id == person_id))
    return name or f"person {person_id}"


def _at_hand(include_trashed: bool, include_archived: bool) -> list[ColumnElement[bool]]:
    here = select(File.photo_id).where(File.missing_since_utc.is_(None))
    return [Photo.id.in_(here), *visible(include_trashed, include_archived)]
