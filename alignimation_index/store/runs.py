"""Which stages are done with which photos."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from alignimation_index.store.bulk import upsert_rows
from alignimation_index.store.files import first_paths
from alignimation_index.store.tables import File, Sidecar, StageKey, StageRun, utc_now

DONE, ERROR, SKIPPED = "done", "error", "skipped"


class Run(NamedTuple):
    """A stage is through with a photo, under this key: DONE, ERROR for a reason, or SKIPPED."""

    photo_id: int
    stage: str
    key: str
    status: str = DONE
    reason: str | None = None


def register_key(session: Session, key: str, stage: str, made_of: Mapping[str, Any]) -> None:
    """Remember what a key was made of."""
    session.execute(insert(StageKey).values(key=key, stage=stage, made_of=made_of).on_conflict_do_nothing())


def record_runs(session: Session, rows: Sequence[Run]) -> None:
    """Note that stages are through with photos; belongs into the transaction that writes their results."""
    now = utc_now()
    upsert_rows(
        session, StageRun, [{**dict(zip(Run._fields, row, strict=True)), "finished_at_utc": now} for row in rows]
    )


def stale_photo_ids(session: Session, keys: Iterable[str]) -> list[int]:
    """Photos with a file at hand on which at least one stage has not run under its present key, by path."""
    wanted = list(keys)
    run_count = func.count().label("run_count")
    current = (
        select(StageRun.photo_id, run_count).where(StageRun.key.in_(wanted)).group_by(StageRun.photo_id).subquery()
    )
    here = first_paths()
    statement = (
        select(here.c.photo_id)
        .outerjoin(current, current.c.photo_id == here.c.photo_id)
        .where(func.coalesce(current.c.run_count, 0) < len(wanted))
        .order_by(here.c.path)
    )
    return list(session.scalars(statement))


def stale_stages(session: Session, photo_ids: Collection[int], keys: Mapping[str, str]) -> dict[int, set[str]]:
    """For each photo the stages that have not run under their present keys."""
    stale = {photo_id: set(keys) for photo_id in photo_ids}
    current = StageRun.photo_id.in_(photo_ids) & StageRun.key.in_(keys.values())
    for photo_id, stage in session.execute(select(StageRun.photo_id, StageRun.stage).where(current)):
        stale[photo_id].discard(stage)
    return stale


def unfinished_stages(session: Session, photo_ids: Collection[int], keys: Mapping[str, str]) -> dict[int, set[str]]:
    """For each photo the stages that failed or were skipped under their present keys."""
    unfinished: dict[int, set[str]] = {photo_id: set() for photo_id in photo_ids}
    current = StageRun.photo_id.in_(photo_ids) & StageRun.key.in_(keys.values()) & (StageRun.status != DONE)
    for photo_id, stage in session.execute(select(StageRun.photo_id, StageRun.stage).where(current)):
        unfinished[photo_id].add(stage)
    return unfinished


def errors(session: Session, stages: Iterable[str]) -> list[tuple[str, str, str]]:
    """(path, stage, reason) of what could not be read or computed, by path; for a photo its first failing stage."""
    order = {stage: position for position, stage in enumerate(stages)}
    listed: dict[str, tuple[str, str, str]] = {}
    for model in (File, Sidecar):
        unread = select(model.path, model.error).where(model.error.is_not(None), model.missing_since_utc.is_(None))
        listed.update((path, (path, "scan", reason or "")) for path, reason in session.execute(unread))
    failed = (
        select(File.path, StageRun.stage, StageRun.reason)
        .join(StageRun, StageRun.photo_id == File.photo_id)
        .where(StageRun.status == ERROR, StageRun.stage.not_like("%:%"), File.missing_since_utc.is_(None))
    )
    rows = [(path, stage, reason or "") for path, stage, reason in session.execute(failed)]
    for path, stage, reason in sorted(rows, key=lambda row: order.get(row[1], len(order))):
        listed.setdefault(path, (path, stage, reason))
    return [listed[path] for path in sorted(listed)]


def latest_runs(session: Session, stages: Collection[str]) -> list[tuple[Any, ...]]:
    """Another value whenever one of these stages was done with a photo, or is to be done again."""
    columns = (StageRun.stage, func.count(), func.max(StageRun.finished_at_utc))
    found = select(*columns).where(StageRun.stage.in_(stages)).group_by(StageRun.stage).order_by(StageRun.stage)
    return [tuple(row) for row in session.execute(found)]
