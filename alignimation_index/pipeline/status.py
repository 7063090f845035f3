"""What the store holds, and what is stale in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alignimation_index.models.faces import EMBEDDED, FaceModelIds
from alignimation_index.pipeline.stages import STAGES, stage_keys
from alignimation_index.stages.stage import Key, what_changed
from alignimation_index.store import faces, files, people, runs
from alignimation_index.store.engine import Store
from alignimation_index.store.tables import Face, File, Photo


def store_status(store: Store) -> dict[str, Any]:
    """Counts of everything, and for each stage with stale photos how many they are and why.

    Returns:
        store, roots, files, missing, photos, duplicates (files beyond the first of each photo), errors, faces, people,
        embedder, and stale: a list of {stage, photos, why}.
    """
    with store.reading() as session:
        present, missing = files.count_files(session)
        here = File.photo_id.is_not(None) & File.missing_since_utc.is_(None)
        held, photos = session.execute(select(func.count(), func.count(File.photo_id.distinct())).where(here)).one()
        embedder = faces.pinned_embedder(session)
        return {
            "store": str(store.path),
            "roots": [root.path for root in files.roots(session)],
            "files": present,
            "missing": missing,
            "photos": photos,
            "duplicates": held - photos,
            "errors": len(runs.errors(session, STAGES)),
            "faces": session.scalar(select(func.count(Face.id)).join(Photo).where(_at_hand())),
            "people": len(people.summaries(session)),
            "embedder": embedder or "not chosen yet",
            "stale": list(_stale(session, embedder or EMBEDDED)),
        }


def _at_hand() -> Any:  # noqa: ANN401 - SQLAlchemy's condition
    return select(File.id).where(File.photo_id == Photo.id, File.missing_since_utc.is_(None)).exists()


def _stale(session: Session, embedder: str) -> Iterator[dict[str, Any]]:
    photos, counts = runs.runs_by_key(session)
    for stage, key in stage_keys(FaceModelIds(embedder)).items():
        seen = {old: count for (name, old), count in counts.items() if name == stage}
        never = photos - sum(seen.values())
        if never:
            yield {"stage": stage, "photos": never, "why": "not run yet"}
        for old in seen.keys() - {key.key}:
            yield {"stage": stage, "photos": seen[old], "why": _why(session, old, key)}


def _why(session: Session, old: str, now: Key) -> str:
    before = runs.key_made_of(session, old)
    return what_changed(before, now.made_of) if before else "unknown key"
