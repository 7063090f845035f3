"""What may come next in an expression that is being written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from alignimation_index.people.answers import folded
from alignimation_index.query import people
from alignimation_index.query.language.terms import TERMS
from alignimation_index.store.bulk import distinct_values
from alignimation_index.store.face_tables import Template
from alignimation_index.store.saved_tables import SavedQuery
from alignimation_index.store.tables import Photo, PhotoAlbum

# A name with spaces whose quotes the shell has taken.
_OPEN_NAME = re.compile(r"\b(person|with|without|album|camera):([^\"'():]*\s[^\"'():]*)$")
_YES_OR_NO = ("yes", "no")
_WORDS = {"alone": _YES_OR_NO, "frontal": _YES_OR_NO, "favourite": _YES_OR_NO, "reviewed": _YES_OR_NO}
_WORDS["kind"] = ("face", "body")


def completions(session: Session, expression: str) -> list[str]:
    """The expression with its last word completed, in each way that fits: terms, and after a colon what is known."""
    open_name = _OPEN_NAME.search(expression)
    if open_name:
        key, value = open_name.groups()
        longer = [name for name in _fitting(_known(session, key), value) if folded(name) != folded(value)]
        if longer:
            return [f"{expression[: open_name.start()]}{key}:{quoted(name)}" for name in longer]
    start = _start_of_last_word(expression)
    before, word = expression[:start], expression[start:]
    key, colon, value = word.partition(":")
    if not colon:
        return [f"{before}{name}:" for name in TERMS if name.startswith(word)]
    return [f"{before}{key}:{quoted(name)}" for name in _fitting(_known(session, key), value)]


def people_named(session: Session, beginning: str) -> list[str]:
    """The names that begin so, letter case aside."""
    return _fitting(people.names(session), beginning)


def saved_named(session: Session, beginning: str) -> list[str]:
    """The names of saved queries that begin so, letter case aside."""
    return _fitting(session.scalars(select(SavedQuery.name).order_by(SavedQuery.name)), beginning)


def templates_named(session: Session, beginning: str) -> list[str]:
    """The names of templates that begin so, letter case aside."""
    return _fitting(session.scalars(select(Template.name).order_by(Template.name)), beginning)


def quoted(name: str) -> str:
    """A name as an expression takes it."""
    if re.fullmatch(r"[^\s\"'()]+", name):
        return name
    return '"' + re.sub(r"([\"\\])", r"\\\1", name) + '"'


def _start_of_last_word(expression: str) -> int:
    start, quote = 0, ""
    for at, character in enumerate(expression):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (at == start or expression[at - 1] == ":"):
            quote = character
        elif character.isspace() or character in "()" or (character == "-" and at == start):
            start = at + 1
    return start


def _fitting(names: Iterable[str], beginning: str) -> list[str]:
    wanted = folded(beginning.lstrip("\"'")) if beginning.strip("\"'") else ""
    return [name for name in names if folded(name).startswith(wanted)]


def _known(session: Session, key: str) -> Iterable[str]:
    known = _KNOWN.get(key)
    return _WORDS.get(key, ()) if known is None else known(session)


def _people(session: Session) -> list[str]:
    named = people.names(session)
    return named if people.ME in named else [people.ME, *named]


def _albums(session: Session) -> Iterable[str]:
    return distinct_values(session, PhotoAlbum.name)


def _cameras(session: Session) -> list[str]:
    return distinct_values(session, Photo.camera)


_KNOWN: dict[str, Callable[[Session], Iterable[str]]] = {
    "person": _people,
    "with": people.names,
    "without": people.names,
    "album": _albums,
    "camera": _cameras,
}
