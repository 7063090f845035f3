"""Reading and writing saved queries, and the answers about photos in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from alignimation_index.store.saved_tables import SavedQuery, SavedQueryPhoto
from alignimation_index.store.tables import utc_now

if TYPE_CHECKING:
    from alignimation_index.store.forget import Names


def saved_queries(session: Session) -> list[SavedQuery]:
    """All of them, by name."""
    return list(session.scalars(select(SavedQuery).order_by(SavedQuery.name)))


def saved_query(session: Session, name: str) -> SavedQuery | None:
    """The one of this name."""
    return session.scalar(select(SavedQuery).where(SavedQuery.name == name))


def save(session: Session, name: str, expression: str, options: Mapping[str, Any]) -> None:
    """Keep a query under a name; one that is there keeps its answers and asks this from now on."""
    kept = saved_query(session, name)
    if kept is None:
        session.add(SavedQuery(name=name, expression=expression, options=dict(options)))
    else:
        kept.expression, kept.options, kept.saved_at_utc = expression, dict(options), utc_now()


def rename(session: Session, query_id: int, name: str) -> None:
    """Give a query another name, which none has."""
    session.execute(update(SavedQuery).where(SavedQuery.id == query_id).values(name=name))


def remove(session: Session, query_id: int) -> None:
    """Delete a query with its answers."""
    session.execute(delete(SavedQuery).where(SavedQuery.id == query_id))


def answer(session: Session, query_id: int, content_hashes: Collection[str], *, is_pinned: bool) -> None:
    """Answer that contents are always among the frames of a query, or never; the later answer holds."""
    known = {one for one, pinned in answers(session, query_id).items() if pinned is is_pinned}
    new = [one for one in content_hashes if one not in known]
    take_back(session, query_id, new)
    session.add_all(SavedQueryPhoto(query_id=query_id, content_hash=one, is_pinned=is_pinned) for one in new)


def take_back(session: Session, query_id: int, content_hashes: Collection[str]) -> None:
    """Take back what was answered of contents in a query."""
    meant = SavedQueryPhoto.query_id == query_id, SavedQueryPhoto.content_hash.in_(content_hashes)
    live = SavedQueryPhoto.undone_at_utc.is_(None)
    session.execute(update(SavedQueryPhoto).where(*meant, live).values(undone_at_utc=utc_now()))


def answers(session: Session, query_id: int) -> dict[str, bool]:
    """What holds of contents in a query: whether each is pinned or dropped; in the order of the answers."""
    columns = select(SavedQueryPhoto.content_hash, SavedQueryPhoto.is_pinned).order_by(SavedQueryPhoto.id)
    live = SavedQueryPhoto.query_id == query_id, SavedQueryPhoto.undone_at_utc.is_(None)
    found: Iterable[tuple[str, bool]] = session.execute(columns.where(*live)).all()
    return dict(found)


def delete_mentioning(session: Session, names: Names) -> None:
    """Delete the queries whose name, expression or options mention a name."""
    for kept in saved_queries(session):
        texts = (kept.name, kept.expression, *map(str, kept.options.values()))
        if any(names.are_in(text) for text in texts):
            remove(session, kept.id)
