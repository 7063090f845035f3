"""Queries that are kept under a name, with what was answered about photos in them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.store import saved as rows
from alignimation_index.store.saved_tables import SavedQuery


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved query.

    Attributes:
        query_id: its row.
        name: what it goes by.
        expression: what it asks.
        options: of the command line, by parameter, as they were given with it.
        saved_at_utc: when that was.
        pins: content hashes of photos that are always among its frames.
        drops: content hashes of photos that never are.
    """

    query_id: int
    name: str
    expression: str
    options: Mapping[str, Any]
    saved_at_utc: datetime
    pins: frozenset[str]
    drops: frozenset[str]


def find_saved(session: Session, name: str) -> Saved:
    """The query of this name.

    Raises:
        UserError: there is none.
    """
    kept = rows.saved_query(session, name)
    if kept is None:
        near = difflib.get_close_matches(name, [one.name for one in rows.saved_queries(session)], n=1)
        suggestion = f"; did you mean {near[0]}?" if near else "."
        raise UserError(f"No query is saved as {name}{suggestion} See which there are: alignindex query list")
    return _saved(session, kept)


def all_saved(session: Session) -> list[Saved]:
    """All of them, by name."""
    return [_saved(session, kept) for kept in rows.saved_queries(session)]


def _saved(session: Session, kept: SavedQuery) -> Saved:
    answers = rows.answers(session, kept.id)
    pins = frozenset(one for one, is_pinned in answers.items() if is_pinned)
    about = kept.id, kept.name, kept.expression, kept.options, kept.saved_at_utc
    return Saved(*about, pins, frozenset(answers) - pins)
