"""From one embedder to another, and back: what each found is kept apart until it is in use.

Embeddings name their model. Records that a stage is done are kept under another name while its model is not in use, and
so is whom the machine took faces for.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session

from alignimation_index.errors import SwitchedError
from alignimation_index.store import people
from alignimation_index.store.face_tables import Assignment, Embedding
from alignimation_index.store.faces import pinned_embedder
from alignimation_index.store.identity_tables import AssignmentAside, Suggestion
from alignimation_index.store.schema import (
    ASSIGN,
    EMBED,
    EMBEDDER_BEFORE_SETTING,
    EMBEDDER_SETTING,
    REINDEX_SETTING,
    SWITCHED_SETTING,
)
from alignimation_index.store.tables import Setting, StageRun, utc_now


def aside(stage: str, model: str) -> str:
    """The name under which a stage's records are kept while its model is not in use."""
    return f"{stage}:{model}"


def note_reindex(session: Session, model: str) -> None:
    """Remember that faces are being embedded anew, with this model."""
    _set(session, REINDEX_SETTING, model)


def embedder_before(session: Session) -> str | None:
    """The embedder that was in use before, and to which one can go back."""
    return session.scalar(select(Setting.value).where(Setting.name == EMBEDDER_BEFORE_SETTING))


def check_in_use(session: Session, model: str) -> None:
    """Refuse an embedder that the store was switched away from, as a process knows it that runs since before.

    Raises:
        SwitchedError: so it is.
    """
    pinned = pinned_embedder(session)
    if pinned != model == embedder_before(session):
        raise SwitchedError(f"This store was switched from {model} to {pinned}. Run the command again.")


def has_switched_since(session: Session, moment: datetime) -> bool:
    """Whether the store uses another embedder than then."""
    switched = session.scalar(select(Setting.value).where(Setting.name == SWITCHED_SETTING))
    return switched is not None and datetime.fromisoformat(switched) >= moment


def was_in_use(session: Session, model: str) -> bool:
    """Whether it is known whom the machine took faces for with this embedder."""
    return bool(session.scalar(select(exists().where(StageRun.stage == aside(ASSIGN, model)))))


def switch(session: Session, old: str, new: str) -> None:
    """Use another embedder from now on; whom the machine takes faces for is kept for going back, and stays for now."""
    for stage in (EMBED, ASSIGN):
        _rename_runs(session, stage, aside(stage, old))
        _rename_runs(session, aside(stage, new), stage)
    columns = (Assignment.face_id, Assignment.person_id, Assignment.score)
    session.execute(delete(AssignmentAside).where(AssignmentAside.model == old))
    rows = [{**row._mapping, "model": old} for row in session.execute(select(*columns))]
    if rows:
        session.execute(insert(AssignmentAside), rows)
    _set(session, EMBEDDER_SETTING, new)
    _set(session, EMBEDDER_BEFORE_SETTING, old)
    _set(session, SWITCHED_SETTING, utc_now().isoformat())
    session.execute(delete(Setting).where(Setting.name == REINDEX_SETTING))


def switch_back(session: Session, old: str, new: str) -> None:
    """As `switch`, to an embedder that was in use: faces are again whom they were taken for.

    Those that are nobody's, or of which something was answered since, are to be assigned.
    """
    switch(session, old, new)
    kept = AssignmentAside.model == new
    columns = (AssignmentAside.face_id, AssignmentAside.person_id, AssignmentAside.score)
    session.execute(delete(Assignment))
    session.execute(insert(Assignment).from_select(["face_id", "person_id", "score"], select(*columns).where(kept)))
    session.execute(delete(AssignmentAside).where(kept))
    session.execute(delete(Suggestion))
    people.drop_assignments_before(session)
    people.ask_for_assignment(session)


def drop_others(session: Session, model: str) -> list[str]:
    """Delete what other embedders than the one in use found; which these were."""
    others = list(session.scalars(select(Embedding.model).where(Embedding.model != model).distinct()))
    session.execute(delete(Embedding).where(Embedding.model != model))
    session.execute(delete(StageRun).where(or_(*(StageRun.stage.like(aside(one, "%")) for one in (EMBED, ASSIGN)))))
    session.execute(delete(AssignmentAside))
    session.execute(delete(Setting).where(Setting.name.in_((REINDEX_SETTING, EMBEDDER_BEFORE_SETTING))))
    return sorted(others)


def _rename_runs(session: Session, stage: str, name: str) -> None:
    session.execute(delete(StageRun).where(StageRun.stage == name))
    session.execute(update(StageRun).where(StageRun.stage == stage).values(stage=name))


def _set(session: Session, name: str, value: str) -> None:
    row = upsert(Setting).values(name=name, value=value)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
