"""From the log of answers to the rows that queries read."""

from __future__ import annotations

from sqlalchemy.orm import Session

from alignimation_index.people.answers import KINDS, NAME, Answer, Known, folded, replay
from alignimation_index.store import answer_log, identity, people
from alignimation_index.store.answer_log import LiveAnswer
from alignimation_index.store.identity import KnownPerson

OF_REGIONS = "region"
"""Source of the names of people who were made because a named region speaks of them."""

FROM_EXPORT = "export"


def known_people(session: Session) -> Known:
    """What was answered, all in all."""
    return replay(map(_answer, answer_log.live_answers(session, KINDS)))


def refresh(session: Session, *, outdate: bool = True) -> Known:
    """Bring up to date what answers come to, in the transaction in which something about them or their faces changed.

    Args:
        session: of the transaction.
        outdate: have photos assigned again on which answers now say something else of a face.

    Returns:
        What was answered, all in all.
    """
    answer_log.link_faces(session)
    known = known_people(session)
    for name in known.nobodys_names:
        answer_log.record(session, NAME, people.add_person(session), value=name, source=OF_REGIONS)
    if known.nobodys_names:
        known = known_people(session)
    identity.store_people(session, _people(known, people.automatic_names(session)))
    changed = identity.store_verdicts(session, _verdicts(session, known))
    if outdate:
        people.outdate_assignments_of_faces(session, changed)
    return known


def _answer(row: LiveAnswer) -> Answer:
    # A face that is not found at present is nobody's face, which no row has.
    face = (row.face_id or -row.id) if row.has_box else None
    return Answer(row.id, row.kind, row.person_id, row.other_id, face, row.value, given_here=row.source is None)


def _people(known: Known, automatic: dict[int, str]) -> dict[int, KnownPerson]:
    names: dict[int, tuple[str | None, str | None]] = {
        person: (name or None, None) for person, name in known.names.items()
    }
    taken = {folded(name) for name in known.names.values()}
    for person, name in sorted(automatic.items(), key=lambda item: (item[0] in known.goes_by, item)):
        if folded(name) not in taken:
            names.setdefault(known.number_of(person), (name, FROM_EXPORT))
    merged = {person: KnownPerson(number) for person, number in known.goes_by.items()}
    spoken_of = {*names, *known.hidden, *known.births, *known.covers} - merged.keys()
    return merged | {
        person: KnownPerson(
            person,
            *names.get(person, (None, None)),
            person in known.hidden,
            known.births.get(person),
            _found(known.covers.get(person)),
        )
        for person in spoken_of
    }


def _verdicts(session: Session, known: Known) -> dict[int, tuple[int | None, bool]]:
    """Face id → (person, whether it is a face), where an answer overrides the machine."""
    against = identity.rejected_at_present(session, known.rejected, known.goes_by)
    against |= identity.before_birth(session, known.births)
    nobody: dict[int, tuple[int | None, bool]] = dict.fromkeys(against, (None, True))
    return nobody | {face: (person, person is not None) for face, person in known.faces.items() if _found(face)}


def _found(face: int | None) -> int | None:
    return face if face is not None and face > 0 else None
