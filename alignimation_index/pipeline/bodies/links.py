"""Which faces the stored bodies of photos are of."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.stages.body_faces import match_faces
from alignimation_index.store import bodies, faces, tombstones
from alignimation_index.store.bodies import StoredBodies
from alignimation_index.store.faces import StoredFaces


def link_bodies(session: Session, photo_ids: Collection[int]) -> None:
    """Note which face each body on these photos is of; bodies of forgotten faces are deleted.

    Belongs into every transaction that writes faces or bodies.
    """
    found = bodies.stored_bodies(session, photo_ids)
    if not found:
        return
    stored = faces.stored_faces(session, found.keys())
    forgotten = tombstones.boxes_on_photos(session, found.keys())
    linked: dict[int, int | None] = {}
    gone: list[int] = []
    for photo_id, on_photo in found.items():
        pairs = _pairs(on_photo, stored[photo_id], forgotten.get(photo_id, np.zeros((0, 4), np.float32)))
        of_forgotten = [body for body, face in pairs.items() if face is None]
        linked |= {body: face for body, face in pairs.items() if face is not None}
        linked |= dict.fromkeys(set(on_photo.ids) - pairs.keys())
        gone += of_forgotten
    bodies.set_faces(session, linked)
    bodies.delete_bodies(session, gone)


def _pairs(on_photo: StoredBodies, known: StoredFaces, forgotten: Float) -> Mapping[int, int | None]:
    """Body → its face by their ids, or None for a forgotten one; those without a face are left out."""
    boxes = np.concatenate([known.detections.boxes, forgotten])
    nowhere = np.full((len(forgotten), 5, 2), np.nan, np.float32)
    landmarks = np.concatenate([known.detections.landmarks, nowhere])
    pairs = match_faces(on_photo.boxes, on_photo.keypoints, boxes, landmarks)
    ids = [*known.ids, *[None] * len(forgotten)]
    return {on_photo.ids[body]: ids[face] for body, face in pairs.items()}
