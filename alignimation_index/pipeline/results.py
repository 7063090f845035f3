"""What stages found, to and from the store's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from alignimation_index.library.metadata import PhotoFacts
from alignimation_index.library.sidecars.files import to_json
from alignimation_index.library.sidecars.naming import without_names
from alignimation_index.people.forgotten_names import ForgottenNames
from alignimation_index.pipeline.bodies.links import link_bodies
from alignimation_index.pipeline.forgotten_names import forgotten_names
from alignimation_index.pipeline.stages import (
    DETECT,
    EMBED,
    FINGERPRINT,
    LANDMARKS,
    METADATA,
    PHOTO_STAGES,
    POSE,
    QUALITY,
    REGISTER,
)
from alignimation_index.pipeline.work import Work
from alignimation_index.registration import faces as registration
from alignimation_index.stages.stage import Key
from alignimation_index.store import descriptions, faces, files, runs, variants
from alignimation_index.store.faces import FaceColumns, StoredFaces

Works = Mapping[int, Work]
"""Works by the id of their photo."""


def known_results(stored: StoredFaces) -> dict[str, Any]:
    """What earlier runs found on a photo, as stages read it."""
    return {DETECT: stored.detections, LANDMARKS: stored.landmarks}


def store_results(
    session: Session, works: Works, keys: Mapping[str, Key], recorded_as: Mapping[str, str] | None = None
) -> None:
    """Write what the stages found on photos, together with the records that they are done.

    Args:
        session: of the transaction.
        works: what was found.
        keys: the key of each stage.
        recorded_as: names that records have instead of those of stages.
    """
    facts = dict(_found(works, METADATA))
    forgotten = forgotten_names(session) if facts else ForgottenNames()
    files.update_photos(session, {id_: _photo_columns(found, forgotten) for id_, found in facts.items()})
    files.update_photos(session, {id_: {"fingerprint": taken} for id_, taken in _found(works, FINGERPRINT)})
    descriptions.outdate(session, facts.keys())
    if any(work.stale & {DETECT, QUALITY} for work in works.values()):
        variants.outdate(session)
    face_ids = _store_faces(session, works)
    _store_embeddings(session, works, face_ids, keys[EMBED].made_of["model"])
    _store_transforms(session, works, face_ids)
    done = [
        run._replace(stage=(recorded_as or {}).get(run.stage, run.stage))
        for id_, work in works.items()
        for run in _runs(id_, work, keys)
    ]
    runs.record_runs(session, done)


def _photo_columns(facts: PhotoFacts, forgotten: ForgottenNames) -> dict[str, Any]:
    about, said = facts.metadata, to_json(facts)
    return {
        "width_px": about.width_px,
        "height_px": about.height_px,
        "camera": about.camera,
        "facts": without_names(said, forgotten) if forgotten else said,
    }


def _found(works: Works, stage: str) -> Iterator[tuple[int, Any]]:
    """(photo id, result) where this run computed the stage."""
    for photo_id, work in works.items():
        if stage in work.stale and stage not in work.failures:
            yield photo_id, work.results[stage]


def _store_faces(session: Session, works: Works) -> dict[int, list[int]]:
    """Faces and what is known of each in its own row; the ids of each photo's faces, in the order of the results."""
    columns = {photo_id: _columns(photo_id, work) for photo_id, work in works.items()}
    detected = dict(_found(works, DETECT))
    face_ids = faces.replace_faces(session, detected, {id_: columns[id_] for id_ in detected})
    link_bodies(session, detected.keys())
    known = faces.stored_faces(session, works.keys() - detected.keys())
    faces.update_faces(session, [(known[id_].ids, columns[id_]) for id_ in known if columns[id_]])
    return {**face_ids, **{photo_id: stored.ids for photo_id, stored in known.items()}}


def _columns(photo_id: int, work: Work) -> FaceColumns:
    columns: dict[str, Any] = {}
    for stage, columns_of in _FACE_COLUMNS.items():
        for _, result in _found({photo_id: work}, stage):
            columns.update(columns_of(result))
    return columns


def _attributes(result: Any) -> dict[str, Any]:  # noqa: ANN401 - a result whose attributes are named like the columns
    return {field.name: getattr(result, field.name) for field in fields(result)}


_FACE_COLUMNS: dict[str, Callable[[Any], Mapping[str, Any]]] = {
    LANDMARKS: lambda landmarks: {"landmarks": landmarks},
    POSE: _attributes,
    QUALITY: _attributes,
}


def _store_embeddings(session: Session, works: Works, face_ids: Mapping[int, list[int]], embedder: str) -> None:
    ids, vectors = _of_all_faces(face_ids, _found(works, EMBED))
    if vectors:
        faces.pin_embedder(session, embedder)
        faces.replace_embeddings(session, ids, embedder, np.concatenate(vectors))


def _store_transforms(session: Session, works: Works, face_ids: Mapping[int, list[int]]) -> None:
    ids, registered = _of_all_faces(face_ids, _found(works, REGISTER))
    if registered:
        template = faces.put_template(session, registration.FACE_TEMPLATE_NAME, registration.FACE_TEMPLATE)
        matrices = np.concatenate([found.template_from_photo for found in registered])
        residuals = np.concatenate([found.residual for found in registered])
        faces.replace_transforms(session, ids, template, matrices, residuals, registration.METHOD)


def _of_all_faces(face_ids: Mapping[int, list[int]], found: Iterator[tuple[int, Any]]) -> tuple[list[int], list[Any]]:
    """The faces of all photos with a result, and these results, in the same order."""
    results = dict(found)
    return [face_id for photo_id in results for face_id in face_ids[photo_id]], list(results.values())


def _runs(photo_id: int, work: Work, keys: Mapping[str, Key]) -> Iterator[runs.Run]:
    for stage in PHOTO_STAGES:
        if stage in work.stale:
            reason = work.failures.get(stage)
            status = runs.DONE if reason is None else runs.ERROR if reason else runs.SKIPPED
            yield runs.Run(photo_id, stage, keys[stage].key, status, reason or None)
