"""Saving queries, and answering which photos are always among their frames, or never."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.pipeline.answers import contents_of
from alignimation_index.query.saved import Saved, find_saved
from alignimation_index.store import saved as rows
from alignimation_index.store.engine import Store


def pins_and_drops(
    session: Session, pins: Iterable[str], drops: Iterable[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The content hashes of photos that are to be pinned, and dropped; see `contents_of` for how they are named.

    Raises:
        UserError: one is not known, or meant to be both.
    """
    pinned, dropped = frozenset(contents_of(session, pins)), frozenset(contents_of(session, drops))
    both = sorted(pinned & dropped)
    if both:
        raise UserError(f"The photo {both[0][:12]} is to be pinned and dropped at once. Say one of them.")
    return pinned, dropped


def save_query(
    store: Store,
    name: str,
    expression: str,
    options: Mapping[str, Any],
    *,
    pins: Iterable[str] = (),
    drops: Iterable[str] = (),
    replace: bool = False,
) -> None:
    """Keep a query under a name, and answer which photos are always in, or never.

    Args:
        store: the open store.
        name: what it goes by.
        expression: what it asks.
        options: of the command line, by parameter, as JSON can hold them.
        pins: photos by path or content hash.
        drops: likewise.
        replace: whether a query that is there under this name asks this from now on; it keeps its answers.

    Raises:
        UserError: the name is empty or taken, or a photo is not known; nothing is saved then.
    """
    with store.writing() as session:
        _check_free(session, name, replace=replace)
        rows.save(session, name, expression, options)
        session.flush()
        _answer(session, find_saved(session, name), pins, drops)


def answer_photos(store: Store, name: str, pins: Iterable[str], drops: Iterable[str]) -> None:
    """Answer for a saved query which photos are always in, and which never, from now on.

    Raises:
        UserError: there is no such query, or a photo is not known; nothing is answered then.
    """
    with store.writing() as session:
        _answer(session, find_saved(session, name), pins, drops)


def take_back(store: Store, name: str, photos: Iterable[str]) -> int:
    """Take back what was answered of photos in a saved query; of how many something was.

    Raises:
        UserError: there is no such query, or a photo is not known; nothing is taken back then.
    """
    with store.writing() as session:
        saved = find_saved(session, name)
        contents = set(contents_of(session, photos)) & (saved.pins | saved.drops)
        rows.take_back(session, saved.query_id, contents)
    return len(contents)


def remove_query(store: Store, name: str) -> None:
    """Delete a saved query with its answers.

    Raises:
        UserError: there is no such query.
    """
    with store.writing() as session:
        rows.remove(session, find_saved(session, name).query_id)


def rename_query(store: Store, name: str, to: str) -> None:
    """Give a saved query another name; its answers stay.

    Raises:
        UserError: there is no such query, or the other name is empty or taken.
    """
    with store.writing() as session:
        saved = find_saved(session, name)
        _check_free(session, to)
        rows.rename(session, saved.query_id, to)


def _answer(session: Session, saved: Saved, pins: Iterable[str], drops: Iterable[str]) -> None:
    pinned, dropped = pins_and_drops(session, pins, drops)
    rows.answer(session, saved.query_id, pinned, is_pinned=True)
    rows.answer(session, saved.query_id, dropped, is_pinned=False)


def _check_free(session: Session, name: str, *, replace: bool = False) -> None:
    if not name.strip():
        raise UserError("A saved query needs a name.")
    if not replace and rows.saved_query(session, name):
        raise UserError(f"A query is saved as {name} already. To ask something else: query save --replace")
