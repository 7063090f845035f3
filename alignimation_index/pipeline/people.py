"""The stage that looks at all photos at once: who is who."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from alignimation_index.people.answers import Known
from alignimation_index.people.assign import FOUND_ANEW, assign_faces
from alignimation_index.people.calibration import CALIBRATIONS
from alignimation_index.people.faces import NOBODY, Assignments, Evidence, Faces, Labels
from alignimation_index.people.recognise import keep_ids
from alignimation_index.pipeline.identity import known_people, refresh
from alignimation_index.pipeline.stages import ASSIGN, PHOTO_STAGES
from alignimation_index.stages.stage import Key
from alignimation_index.store import answer_log, people, runs
from alignimation_index.store.engine import Store
from alignimation_index.store.people import EmbeddedFaces

Numbers = NDArray[np.int64]
"""(N,) the person of each face, or NOBODY."""


def assign_people(store: Store, embedder: str, keys: Mapping[str, Key]) -> int:
    """Assign the faces of photos whose assignment is stale; how many photos that were.

    Faces that were answered, and those assigned under the present key, stay where they are. If everything is stale,
    everyone is found anew and recognised by the faces they share with who they were before; only people of whom it was
    answered which faces are theirs, by a merge or a split, keep them.
    """
    with store.writing() as session:
        refresh(session)
    with store.reading() as session:
        photo_ids = _ready_photos(session, keys)
        is_wanted = bool(photo_ids) or people.is_assignment_asked_for(session)
    if is_wanted:
        _assign(store, embedder, keys, lambda session, found: found.store(session, photo_ids, keys[ASSIGN]))
    return len(photo_ids)


def assign_anew(store: Store, embedder: str, keys: Mapping[str, Key], switch: Callable[[Session], None]) -> None:
    """Assign everyone by another embedder, and let the store use it, in one transaction: `switch` writes that it does.

    People are recognised by the faces that they share with who they were before, and keep what was answered of them.
    """

    def write(session: Session, found: _Found) -> None:
        switch(session)
        found.store(session, _ready_photos(session, keys), keys[ASSIGN])
        people.drop_assignments_before(session)

    _assign(store, embedder, keys, write)


def _assign(store: Store, embedder: str, keys: Mapping[str, Key], write: Callable[[Session, _Found], None]) -> None:
    """Find who faces are, and write that; once more if something was answered meanwhile.

    Whoever calls holds the right to run stages, so that nothing else changes meanwhile.
    """
    while True:
        with store.reading() as session:
            version, known = answer_log.version(session), known_people(session)
            faces = people.embedded_faces(session, embedder, keys[ASSIGN].key)
        found = _Found.of(faces, known, embedder)
        with store.writing() as session:
            # What was answered meanwhile would be recorded as heeded.
            if answer_log.version(session) == version:
                write(session, found)
                return


def _ready_photos(session: Session, keys: Mapping[str, Key]) -> list[int]:
    """Photos whose assignment is stale, and nothing that it builds on."""
    stale = runs.stale_photo_ids(session, [keys[ASSIGN].key])
    if not stale:
        return []
    waiting = set(runs.stale_photo_ids(session, [keys[stage].key for stage in PHOTO_STAGES]))
    return [photo_id for photo_id in stale if photo_id not in waiting]


@dataclass(frozen=True)
class _Found:
    """Who faces are.

    Attributes:
        faces: those that were assigned.
        known: what was answered.
        evidence: what was known of them before.
        assigned: who they are, as labels.
        people: the person that each label stands for, where there is one already.
    """

    faces: EmbeddedFaces
    known: Known
    evidence: Evidence
    assigned: Assignments
    people: dict[int, int]

    @classmethod
    def of(cls, faces: EmbeddedFaces, known: Known, embedder: str) -> _Found:
        """Assign."""
        before = _numbers(faces, known)
        everyone, evidence = _evidence(faces, known, before)
        seen = Faces(faces.vectors, faces.photo_ids, faces.taken_at_s, faces.quality)
        assigned = assign_faces(seen, evidence, CALIBRATIONS[embedder])
        founded = np.where(assigned.labels >= len(everyone), assigned.labels, NOBODY)
        stayed = everyone[np.unique(evidence.settled[evidence.settled != NOBODY])]
        kept = keep_ids(founded, np.where(np.isin(before, stayed), NOBODY, before), known.people)
        return cls(faces, known, evidence, assigned, dict(enumerate(everyone.tolist())) | kept)

    def store(self, session: Session, photo_ids: list[int], key: Key) -> None:
        """Write who faces are and may be, together with the records that this is done."""
        for label in np.unique(self.assigned.labels[self.assigned.labels != NOBODY]).tolist():
            if label not in self.people:
                self.people[label] = people.add_person(session)
        changed = self._store_assignments(session)
        people.replace_suggestions(session, self._suggestions(), self._not_looked_at(changed))
        runs.register_key(session, key.key, ASSIGN, key.made_of)
        done = dict.fromkeys([*photo_ids, *self.faces.photo_ids[changed].tolist()])
        runs.record_runs(session, [runs.Run(photo_id, ASSIGN, key.key) for photo_id in done])
        refresh(session, outdate=False)

    def _store_assignments(self, session: Session) -> NDArray[np.bool_]:
        """Write whom the machine takes faces for; (N,) bool for which of them that changed.

        Of faces that were answered its opinion is left as it was, since an answer may be undone; and so is the number
        of somebody who was merged, since a merge may be.
        """
        now = self._once_a_photo(self._people_of(self.assigned.labels))
        same = now == _numbers(self.faces, self.known)
        now = np.where(same, self.faces.person_ids, now)
        changed = now != self.faces.person_ids
        answered = (self.evidence.answered != NOBODY) | self.evidence.ignored
        rows = np.flatnonzero((changed | ~np.isnan(self.assigned.scores)) & ~answered)
        ids, scores = self.faces.face_ids, self.assigned.scores
        last_answer = answer_log.last_number(session)
        if last_answer:
            people.remember_assignments(session, ids[np.flatnonzero(changed & ~answered)].tolist(), last_answer)
        people.replace_assignments(
            session,
            ids[rows].tolist(),
            [(int(ids[i]), int(now[i]), _score(scores[i])) for i in rows if now[i] != NOBODY],
        )
        new: NDArray[np.bool_] = changed & ~answered
        return new

    def _once_a_photo(self, now: Numbers) -> Numbers:
        """Take faces from people who were found anew beside faces that were answered to be theirs on the same photo."""
        sure = self.evidence.answered != NOBODY
        photos = self.faces.photo_ids
        taken = set(zip(photos[sure].tolist(), now[sure].tolist(), strict=True))
        pairs = zip(sure.tolist(), photos.tolist(), now.tolist(), strict=True)
        twice = [not is_sure and (photo, person) in taken for is_sure, photo, person in pairs]
        once: Numbers = np.where(np.array(twice, bool), NOBODY, now)
        return once

    def _suggestions(self) -> list[tuple[int, int, float]]:
        suggested = self._people_of(self.assigned.suggested)
        scores = self.assigned.suggestion_scores
        return [
            (int(self.faces.face_ids[i]), int(suggested[i]), float(scores[i]))
            for i in np.flatnonzero(suggested != NOBODY)
        ]

    def _not_looked_at(self, changed: NDArray[np.bool_]) -> list[int]:
        """Faces of a large library of which nothing new is known, whose suggestions stand."""
        if len(self.faces.face_ids) <= FOUND_ANEW:
            return []
        stand = self.faces.is_current & ~changed & np.isnan(self.assigned.scores)
        faces: list[int] = self.faces.face_ids[stand].tolist()
        return faces

    def _people_of(self, labels: Labels) -> Numbers:
        numbers = np.full(max(self.people, default=NOBODY) + 2, NOBODY, np.int64)
        numbers[list(self.people)] = list(self.people.values())
        found: Numbers = numbers[labels]  # NOBODY is the last
        return found


def _score(score: float) -> float | None:
    return None if np.isnan(score) else float(score)


def _numbers(faces: EmbeddedFaces, known: Known) -> Numbers:
    """The people to whom the machine assigned faces, by the numbers that they go by."""
    numbers: Numbers = faces.person_ids.copy()
    for person, number in known.goes_by.items():
        numbers[faces.person_ids == person] = number
    return numbers


def _evidence(faces: EmbeddedFaces, known: Known, before: Numbers) -> tuple[Numbers, Evidence]:
    """(L,) the people that labels stand for, and what is known before."""
    rows = {face: row for row, face in enumerate(faces.face_ids.tolist())}
    answered, ignored = np.full(len(rows), NOBODY, np.int64), np.zeros(len(rows), bool)
    for face, person in known.faces.items():
        if face in rows:
            answered[rows[face]], ignored[rows[face]] = (NOBODY, True) if person is None else (person, False)
    rejected = [(rows[face], person) for face, person in known.rejected if face in rows]
    settled = np.where(_stands(faces, known, before) & (answered == NOBODY) & ~ignored, before, NOBODY)
    for row, person in rejected:
        if settled[row] == person:
            settled[row] = NOBODY
    mentioned = [
        *known.people,
        *(person for _, person in rejected),
        *(person for pair in known.apart for person in pair),
    ]
    everyone = np.unique(np.concatenate([answered, settled, np.array(mentioned, np.int64)]))
    everyone = everyone[everyone != NOBODY]
    labels = {person: label for label, person in enumerate(everyone.tolist())} | {NOBODY: NOBODY}
    as_labels = np.vectorize(labels.__getitem__, otypes=[np.int64])
    return everyone, Evidence(
        as_labels(answered),
        as_labels(settled),
        frozenset((row, labels[person]) for row, person in rejected),
        ignored,
        {labels[person]: _midnight_s(born) for person, born in known.births.items()},
        frozenset((labels[one], labels[other]) for one, other in known.apart),
        frozenset(labels[person] for person in known.people),
        faces.is_current & (faces.person_ids == NOBODY),
    )


def _stands(faces: EmbeddedFaces, known: Known, before: Numbers) -> NDArray[np.bool_]:
    """Whether the machine's earlier opinion stands: it was formed under this key, or people were asked what it made.

    Whoever merged or split people has seen who they are made of; what was not taken out of a person is theirs.
    """
    stands = faces.is_current | np.isin(before, list(known.shaped))
    for person, born in known.births.items():
        stands &= ~((before == person) & (faces.taken_at_s < _midnight_s(born)))
    return stands


def _midnight_s(day: date) -> float:
    return float(people.seconds([datetime(day.year, day.month, day.day)])[0])
