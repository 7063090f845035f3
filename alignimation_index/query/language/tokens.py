"""An expression cut into words and signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from alignimation_index.query.language.tree import Place

_QUOTES = "\"'"
_QUOTED = {quote: re.compile(rf"{quote}((?:\\[{quote}\\]|[^{quote}])*){quote}") for quote in _QUOTES}


class Kind(Enum):
    """What a token is."""

    WORD, AND, OR, NOT, OPEN, CLOSE, END = (auto() for _ in range(7))


_SIGNS = {"(": Kind.OPEN, ")": Kind.CLOSE, "-": Kind.NOT}
_CONNECTIVES = {"and": Kind.AND, "or": Kind.OR, "not": Kind.NOT}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign.

    Attributes:
        kind: which of them.
        text: of a word, without its quotes.
        place: where it stands.
        value_place: of what is after the first colon of a word.
    """

    kind: Kind
    text: str
    place: Place
    value_place: Place


def tokens(source: str) -> list[Token]:
    """Cut an expression; the last token is an END.

    A quote opens a quoted text where a word or a value begins; in it \\" is a quote. So O'Brien needs none.

    Raises:
        UserError: a quote is not closed.
    """
    return list(_tokens(source))


def _tokens(source: str) -> Iterator[Token]:
    at = 0
    while at < len(source):
        if source[at].isspace():
            at += 1
        elif source[at] in _SIGNS:
            yield _token(_SIGNS[source[at]], source[at], source, at, at + 1)
            at += 1
        else:
            word, end, is_quoted = _word(source, at)
            kind = Kind.WORD if is_quoted else _CONNECTIVES.get(word.lower(), Kind.WORD)
            yield _token(kind, word, source, at, end)
            at = end
    yield _token(Kind.END, "", source, len(source), len(source))


def _word(source: str, start: int) -> tuple[str, int, bool]:
    """The word that begins at `start` without its quotes, where it ends, and whether a quote opens it."""
    at, parts, opens = start, list[str](), True
    while at < len(source) and not source[at].isspace() and source[at] not in "()":
        if opens and source[at] in _QUOTES:
            found = _QUOTED[source[at]].match(source, at)
            if not found:
                raise Place(source, at, len(source)).error("This quote is not closed. Close the quotes.")
            parts.append(re.sub(r"\\([\"'\\])", r"\1", found[1]))
            at, opens = found.end(), False
        else:
            parts.append(source[at])
            opens = source[at] == ":" and ":" not in parts[:-1]
            at += 1
    return "".join(parts), at, source[start] in _QUOTES


def _token(kind: Kind, text: str, source: str, start: int, end: int) -> Token:
    colon = source.find(":", start, end)
    value = Place(source, colon + 1, end) if colon >= 0 else Place(source, start, end)
    return Token(kind, text, Place(source, start, end), value)
