"""The stage that looks at all photos at once: who is who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from alignimation_index.people.assign import assign_faces, keep_ids
from alignimation_index.people.calibration import CALIBRATIONS
from alignimation_index.people.faces import NOBODY, Assignments, Evidence, Faces
from alignimation_index.pipeline.stages import ASSIGN, PHOTO_STAGES
from alignimation_index.stages.stage import Key
from alignimation_index.store import people, runs
from alignimation_index.store.engine import Store
from alignimation_index.store.people import EmbeddedFaces


def assign_people(store: Store, embedder: str, keys: Mapping[str, Key]) -> int:
    """Assign the faces of photos whose assignment is stale; how many photos that were.

    Faces assigned under the present key stay where they are. If everything is stale, everyone is found anew and
    recognised by the faces they share with who they were before.
    """
    key = keys[ASSIGN].key
    with store.reading() as session:
        stale = runs.stale_photo_ids(session, [key])
        if not stale:
            return 0
        computed = [keys[stage].key for stage in PHOTO_STAGES]
        waiting = set(runs.stale_photo_ids(session, computed))
        photo_ids = [photo_id for photo_id in stale if photo_id not in waiting]
        if not photo_ids:
            return 0
        faces = people.embedded_faces(session, embedder, ASSIGN, key)
    assignments, person_ids = _assign(faces, embedder)
    labels, scores = assignments.labels, assignments.scores
    with store.writing() as session:
        for label in np.unique(labels[labels != NOBODY]).tolist():
            if label not in person_ids:
                person_ids[label] = people.add_person(session)
        ids = np.array([person_ids.get(label, NOBODY) for label in labels.tolist()], np.int64)
        written = np.flatnonzero(~faces.settled | (ids != faces.person_ids) | np.isfinite(scores))
        assigned = {int(faces.face_ids[i]): (int(ids[i]), float(scores[i])) for i in written if ids[i] != NOBODY}
        people.replace_assignments(session, faces.face_ids[written].tolist(), assigned)
        runs.register_key(session, key, ASSIGN, keys[ASSIGN].made_of)
        runs.record_runs(session, [runs.Run(photo_id, ASSIGN, key) for photo_id in photo_ids])
    return len(photo_ids)


def _assign(found: EmbeddedFaces, embedder: str) -> tuple[Assignments, dict[int, int]]:
    """Who all faces are, and the person that each label stands for, where there is one already."""
    before = np.where(found.settled, found.person_ids, NOBODY)
    settled_ids = np.unique(before[before != NOBODY])
    settled = np.where(before == NOBODY, NOBODY, np.searchsorted(settled_ids, before))
    faces = Faces(found.vectors, found.photo_ids, found.taken_at_s, found.quality)
    evidence = replace(Evidence.none(len(faces)), settled=settled)
    assignments = assign_faces(faces, evidence, CALIBRATIONS[embedder])
    labels = assignments.labels
    person_ids = dict(enumerate(settled_ids.tolist()))
    founded = np.where(labels >= len(settled_ids), labels, NOBODY)
    earlier = np.where(np.isin(found.person_ids, settled_ids), NOBODY, found.person_ids)
    return assignments, person_ids | keep_ids(founded, earlier)
