"""An expression as a tree of terms, and where in the text each of them stands."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from alignimation_index.errors import UserError


@dataclass(frozen=True, slots=True)
class Place:
    """A part of what a user wrote: `source[start:end]`."""

    source: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """The part."""
        return self.source[self.start : self.end]

    def error(self, problem: str) -> UserError:
        """What is wrong here, with the expression and a line that points at the place."""
        line = "".join(" " if character.isspace() else character for character in self.source)
        pointer = " " * _width(line[: self.start]) + "^" * max(_width(line[self.start : self.end]), 1)
        return UserError(f"{problem}\n  {line}\n  {pointer}")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, such as `year:2000..2020`.

    Attributes:
        name: one of `query.language.terms.TERMS`.
        value: what the text after the colon was parsed into.
        place: of the whole term.
        value_place: of what is after the colon.
    """

    name: str
    value: Any
    place: Place = field(compare=False)
    value_place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What `part` does not hold for; where it cannot be told, it does not hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold; without any, everything does."""

    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """One of the parts holds, or more."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = "Term | Not | And | Or"

EVERYTHING = And()
"""What holds always."""


def terms_of(condition: Condition) -> Iterator[Term]:
    """All terms, in the order in which they were written."""
    if isinstance(condition, Term):
        yield condition
    else:
        for part in (condition.part,) if isinstance(condition, Not) else condition.parts:
            yield from terms_of(part)


def conjuncts(condition: Condition) -> tuple[Condition, ...]:
    """The conditions that hold together."""
    if not isinstance(condition, And):
        return (condition,)
    return tuple(one for part in condition.parts for one in conjuncts(part))


def mentions(condition: Condition, *names: str) -> bool:
    """Whether any term of these names is part of it."""
    return any(term.name in names for term in terms_of(condition))


def in_words(condition: Condition) -> str:
    """The condition as it was written, without the spaces and signs around it."""
    if isinstance(condition, Not):
        return f"not {in_words(condition.part)}"
    if isinstance(condition, Term):
        return condition.place.text
    joined = (" or " if isinstance(condition, Or) else " ").join(map(in_words, condition.parts))
    return f"({joined})"


def _width(text: str) -> int:
    """Columns that a text takes on a screen."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
