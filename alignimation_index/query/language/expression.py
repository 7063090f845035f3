"""From what a user writes to a condition on frames.

expression := both ("or" both)*
both       := part ("and"? part)*
part       := ("not" | "-") part | "(" expression ")" | KEY:VALUE
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from alignimation_index.errors import UserError
from alignimation_index.query.language.terms import TERMS
from alignimation_index.query.language.tokens import Kind, Token, tokens
from alignimation_index.query.language.tree import EVERYTHING, And, Condition, Not, Or, Place, Term, conjuncts, terms_of

_KINDS = "kind"
_MOST_TERMS, _DEEPEST = 200, 50  # SQLite takes no more than 1,000 in all


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which frames are wanted.

    Attributes:
        condition: what holds for them; everything, if not given.
        kind: "face" or "body".
        include_trashed: whether photos in the bin of an export are wanted too.
        include_archived: whether photos in the archive of an export are wanted too.
        all_variants: whether frames are wanted of all photos that are variants of each other, or of the best one.
    """

    condition: Condition = EVERYTHING
    kind: str = "face"
    include_trashed: bool = False
    include_archived: bool = False
    all_variants: bool = True

    def narrowed(self, *terms: Term) -> FrameFilter:
        """These terms hold too; one that stands in the expression by itself is replaced by one of the same name."""
        names = {term.name for term in terms}
        kept = [one for one in conjuncts(self.condition) if not (isinstance(one, Term) and one.name in names)]
        return replace(self, condition=And((*kept, *terms)))


def parse_expression(expression: str) -> FrameFilter:
    """Parse terms such as `person:me year:2000..2020 (frontal:yes or yaw:<20) not with:Bob`.

    Terms hold together unless `or` stands between them. An empty expression wants all frames.

    Raises:
        UserError: something is not understood; the message points at the place and says what would do.
    """
    condition = _Parser(expression).parse()
    parts = conjuncts(condition)
    kinds = [part for part in parts if isinstance(part, Term) and part.name == _KINDS]
    for term in terms_of(condition):
        if term.name == _KINDS and (term not in kinds or term != kinds[0]):
            raise term.place.error(f"{term.place.text!r} cannot be combined like that: say once for all what is asked.")
    rest = tuple(part for part in parts if part not in kinds)
    return FrameFilter(rest[0] if len(rest) == 1 else And(rest), kinds[0].value if kinds else "face")


def term(name: str, value: str, source: str | None = None) -> Term:
    """A term by itself; `source` is how a user wrote it, where not as `name:value`, and ends with the value.

    Raises:
        UserError: the value is not understood.
    """
    written = source or (f'{name}:"{value}"' if " " in value else f"{name}:{value}")
    end = len(written) - written.endswith('"')
    return _term(name, value, Place(written, 0, len(written)), Place(written, end - len(value), end))


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokens(source)
        self._next = 0
        self._depth = 0

    def parse(self) -> Condition:
        if self._tokens[0].kind is Kind.END:
            return EVERYTHING
        if len(self._tokens) > _MOST_TERMS:
            raise UserError(f"The expression is too long. Write at most {_MOST_TERMS} terms and signs.")
        condition = self._either()
        token = self._peek()
        if token.kind is not Kind.END:
            raise token.place.error("There is a ) too many.")
        return condition

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._peek().kind is Kind.OR:
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._part()]
        while self._peek().kind not in (Kind.END, Kind.OR, Kind.CLOSE):
            if self._peek().kind is Kind.AND:
                self._take()
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _part(self) -> Condition:
        token = self._take()
        if token.kind in (Kind.NOT, Kind.OPEN):
            return self._deeper(token)
        if token.kind is Kind.WORD:
            return self._word(token)
        raise token.place.error(
            "A term is missing here." if token.kind is not Kind.CLOSE else "There is nothing in ()."
        )

    def _deeper(self, token: Token) -> Condition:
        if self._depth == _DEEPEST:
            raise token.place.error("This is nested too deeply.")
        self._depth += 1
        condition = Not(self._part()) if token.kind is Kind.NOT else self._in_parentheses(token)
        self._depth -= 1
        return condition

    def _in_parentheses(self, opening: Token) -> Condition:
        condition = self._either()
        if self._take().kind is not Kind.CLOSE:
            raise opening.place.error("This ( is not closed. Write ) where it ends.")
        return condition

    def _word(self, token: Token) -> Term:
        key, colon, value = token.text.partition(":")
        if colon and key.lower() in TERMS:
            return _term(key.lower(), value, token.place, token.value_place)
        hint = _suggestion(key) if colon else _all_terms()
        if not colon and self._next > 1 and self._tokens[self._next - 2].kind is Kind.WORD:
            before = self._tokens[self._next - 2].text
            hint = f'. A value with spaces goes into quotes: {before.partition(":")[0]}:"… {token.text}"'
        raise token.place.error(f"{token.place.text!r} is not understood{hint}.")

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token


def _term(name: str, value: str, place: Place, value_place: Place) -> Term:
    try:
        return Term(name, TERMS[name].parse(value), place, value_place)
    except UserError as error:
        raise value_place.error(f"{place.text!r} is not understood: {error}") from None


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key.lower(), TERMS, n=1)
    return f"; did you mean {near[0]}:" if near else _all_terms()


def _all_terms() -> str:
    return f". Terms: {', '.join(TERMS)} as KEY:VALUE"
