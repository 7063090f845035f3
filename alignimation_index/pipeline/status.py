"""What the store holds, and what is stale in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alignimation_index.models.faces import EMBEDDED, MIN_FACE_SHARE, FaceModelIds
from alignimation_index.pipeline.stages import BODIES, VARIANTS, bodies_key, stage_keys
from alignimation_index.stages.stage import Key, what_changed
from alignimation_index.store.counts import Counts, counting
from alignimation_index.store.watcher import read_record


def store_status(path: Path) -> dict[str, Any]:
    """Counts of everything, and for each stage with stale photos how many they are and why.

    Args:
        path: the store.

    Returns:
        store, roots, files, missing, videos (which are not indexed), some_videos (the paths of a few), raw_not_indexed
        (RAW files that wait for the extra that reads them), sidecars (that speak of a file), photos, duplicates (files
        beyond the first of each photo), groups (of variants, by their kind), trashed and archived (photos that are
        hidden), errors, faces, people, bodies (None while nobody asked for any), embedder, embedder_before (whose
        embeddings are kept, or None), reindex: None, or the embedder to which one is under way, on how many photos it
        is done and of how many, watch: what the process that watches the store says of itself, or the last one did,
        with whether it is running and the seconds since its heartbeat (None if there never was one), and stale: a list
        of {stage, photos, why}.

    Raises:
        UserError: there is no store, or it cannot be opened.
    """
    with counting(path) as counts:
        embedder, min_face_share = counts.embedder(), counts.min_face_share() or MIN_FACE_SHARE
        return {
            "store": str(path.absolute()),
            "roots": counts.roots(),
            "files": counts.files(),
            "missing": counts.missing(),
            "videos": counts.videos(),
            "some_videos": counts.some_videos(),
            "raw_not_indexed": counts.raw_not_indexed(),
            "sidecars": counts.sidecars(),
            "photos": counts.photos(),
            "duplicates": counts.duplicates(),
            "groups": counts.groups(),
            "trashed": counts.trashed(),
            "archived": counts.archived(),
            "errors": counts.errors(),
            "faces": counts.faces(),
            "people": counts.people(),
            "bodies": counts.bodies(),
            "embedder": embedder or "not chosen yet",
            "embedder_before": counts.embedder_before(),
            "reindex": _reindex(counts),
            "watch": _watch(path),
            "stale": list(_stale(counts, FaceModelIds(embedder or EMBEDDED, min_face_share=min_face_share))),
        }


def _reindex(counts: Counts) -> dict[str, Any] | None:
    found = counts.reindex()
    return found and {"embedder": found[0], "photos": found[1], "of": counts.photos()}


def _watch(path: Path) -> dict[str, Any] | None:
    record = read_record(path)
    if record is None:
        return None
    return {"running": record.is_running(), "heartbeat_age_s": record.heartbeat_age_s(), **asdict(record)}


def _stale(counts: Counts, models: FaceModelIds) -> Iterator[dict[str, Any]]:
    photos, runs = counts.photos(), counts.runs()
    for stage, key in stage_keys(models).items():
        if stage == VARIANTS:
            yield from _stale_variants(counts, photos, key)
            continue
        seen = runs.get(stage, {})
        never = photos - sum(seen.values())
        if never:
            yield {"stage": stage, "photos": never, "why": "not run yet"}
        yield from _outdated(counts, key, stage, seen)
    if bodies := counts.bodies():
        # On demand: photos of which nobody wanted the bodies are not stale.
        yield from _outdated(counts, bodies_key(bodies["model"], bodies["full_masks"]), BODIES, runs.get(BODIES, {}))


def _outdated(counts: Counts, key: Key, stage: str, seen: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """What was computed under other keys than the present one."""
    for old in sorted(seen.keys() - {key.key}):
        before = counts.key_made_of(old)
        why = what_changed(before, key.made_of) if before else "unknown key"
        yield {"stage": stage, "photos": seen[old], "why": why}


def _stale_variants(counts: Counts, photos: int, key: Key) -> Iterator[dict[str, Any]]:
    """Variants are found among all photos at once."""
    found = counts.variants_key()
    if photos and found != key.key:
        before = counts.key_made_of(found) if found else {}
        why = what_changed(before, key.made_of) if before else "something changed that they are found from"
        yield {"stage": VARIANTS, "photos": photos, "why": why}
