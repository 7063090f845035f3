"""Answers about people, which show at once; what the machine makes of them follows.

Every answer is one entry of a log, and can be undone. People are given as names or numbers, faces as numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.models.faces import MIN_FACE_SHARE, FaceModelIds
from alignimation_index.people import answers as kinds
from alignimation_index.people.answers import folded
from alignimation_index.pipeline.identity import known_people, refresh
from alignimation_index.pipeline.names import suggest_names
from alignimation_index.pipeline.people import assign_people
from alignimation_index.pipeline.stages import stage_keys
from alignimation_index.query.answered_faces import answered_faces, photos_together, twice_on_a_photo
from alignimation_index.query.history import Entry, history
from alignimation_index.query.people import called, person_at
from alignimation_index.store import answer_log, people, switch
from alignimation_index.store.answer_log import PlacedFace
from alignimation_index.store.engine import Store
from alignimation_index.store.faces import min_face_share, pinned_embedder

# So many are assigned in a second or so; with more, what follows from an answer is left to the next update.
FOLLOWED_AT_ONCE = 20_000

_SAYS_NOTHING_OF_FACES = (kinds.NAME, kinds.HIDE, kinds.UNHIDE, kinds.COVER)


@dataclass
class Given:
    """What was answered: the number of its entry, whom it is about (0: several people), and what to tell besides.

    `has_followed` says whether the machine has drawn its conclusions; else the next update does.
    """

    number: int = 0
    person: int = 0
    called: str = ""
    notes: list[str] = field(default_factory=list)
    has_followed: bool = False


@contextmanager
def _answering(store: Store) -> Iterator[tuple[Session, Given]]:
    """A transaction for one answer: what it comes to is written in the same one."""
    given = Given()
    with store.writing() as session:
        yield session, given
        refresh(session)
        given.called = called(session, given.person) if given.person else ""
    given.has_followed = follow(store)


def follow(store: Store) -> bool:
    """Let the machine draw its conclusions from what was answered; False where that is left to the next update."""
    with store.reading() as session:
        embedder, share = pinned_embedder(session), min_face_share(session) or MIN_FACE_SHARE
        if embedder is None:
            return True
        if people.embedded_count(session, embedder, FOLLOWED_AT_ONCE + 1) > FOLLOWED_AT_ONCE:
            return False
    with store.updating_if_free() as is_free:
        if is_free:
            assign_people(store, embedder, stage_keys(FaceModelIds(embedder, min_face_share=share)))
            suggest_names(store)
        return is_free


def name_person(store: Store, person: str, name: str, *, merge: bool = False) -> Given:
    """Answer what a person is called; "" takes the name away.

    With `merge`, a person who has the name already becomes one with them; their number is the one that stays.

    Raises:
        UserError: there is no such person, somebody else has the name, or it cannot be one.
    """
    name = _checked(name)
    with _answering(store) as (session, given):
        given.person = person_at(session, person)
        holders = [id_ for id_, held in known_people(session).names.items() if name and folded(held) == folded(name)]
        others = [holder for holder in holders if holder != given.person]
        if others and not merge:
            raise UserError(
                f"Person {others[0]} is called {name} already. Choose another name for person {given.person}, or, if "
                f"they are the same, make them one: alignindex people merge {others[0]} {given.person}"
            )
        if others:
            number = answer_log.record(session, kinds.MERGE, others[0], other_id=given.person)
            given.number, given.person = number, others[0]
        else:
            given.number = answer_log.record(session, kinds.NAME, given.person, value=name)
    return given


def confirm(store: Store, faces: Sequence[int], person: str | None = None, *, create: bool = False) -> Given:
    """Answer that faces are a person; without one, that each is whom it is taken for or suggested to be.

    With `create`, somebody of that name is made if there is nobody.

    Raises:
        UserError: there is no such person or face, or nobody whom a face is taken for.
    """
    with _answering(store) as (session, given):
        found = answered_faces(session, faces)
        name = _new_name(session, person) if person is not None and create else None
        who = people.add_person(session) if name else None if person is None else person_at(session, person)
        placed = [one.placed(who or one.opinion("confirm")) for one in found]
        given.number = answer_log.record(session, kinds.CONFIRM, faces=placed)
        given.person = _only_person(placed)
        if name:
            answer_log.record(session, kinds.NAME, who, value=name, entry=given.number)
        given.notes = _twice(session, placed)
    return given


def reject(store: Store, faces: Sequence[int], person: str | None = None) -> Given:
    """Answer that faces are not a person; without one, that none is whom it is taken for or suggested to be.

    Raises:
        UserError: there is no such person or face, or nobody whom a face is taken for.
    """
    with _answering(store) as (session, given):
        found = answered_faces(session, faces)
        who = None if person is None else person_at(session, person)
        placed = [one.placed(who or one.opinion("reject")) for one in found]
        given.number = answer_log.record(session, kinds.REJECT, faces=placed)
        given.person = _only_person(placed)
    return given


def deny_faces(store: Store, faces: Sequence[int]) -> Given:
    """Answer that what was found are no faces: they are left out everywhere.

    Raises:
        UserError: there is no such face.
    """
    with _answering(store) as (session, given):
        placed = [one.placed(None) for one in answered_faces(session, faces)]
        given.number = answer_log.record(session, kinds.NOT_A_FACE, faces=placed)
    return given


def merge(store: Store, person: str, other: str) -> Given:
    """Answer that `other` is `person`, whose number and, if there is one, name stay.

    Raises:
        UserError: there is no such person, or they are one already.
    """
    with _answering(store) as (session, given):
        given.person, gone = person_at(session, person), person_at(session, other)
        if given.person == gone:
            raise UserError(f"{person} and {other} are one person already: number {gone}.")
        together = photos_together(session, given.person, gone)
        given.number = answer_log.record(session, kinds.MERGE, given.person, other_id=gone)
        people.ask_for_assignment(session)
    if together:
        given.notes.append(f"They are on {together} photos together: if they are two, take it back.")
    return given


def split(store: Store, person: str, faces: Sequence[int], name: str | None = None) -> Given:
    """Answer that faces of a person are somebody else: a new person.

    Raises:
        UserError: there is no such person or face, a face is not that person's, the name is taken, or nothing is left.
    """
    with _answering(store) as (session, given):
        whole, found = person_at(session, person), answered_faces(session, faces)
        if name is not None and _new_name(session, name) is None:
            raise UserError(f"Somebody is called {name} already. Choose another name.")
        for one in found:
            if one.person_id != whole:
                raise UserError(f"Face {one.face_id} is not {called(session, whole)}'s. See theirs: {_show(whole)}")
        given.person = people.add_person(session)
        placed = [one.placed(given.person) for one in found]
        given.number = answer_log.record(session, kinds.SPLIT, other_id=whole, faces=placed)
        if name is not None:
            answer_log.record(session, kinds.NAME, given.person, value=name.strip(), entry=given.number)
    return given


def hide(store: Store, person: str, *, hidden: bool = True) -> Given:
    """Answer that lists leave a person out, or do not.

    Raises:
        UserError: there is no such person.
    """
    with _answering(store) as (session, given):
        given.person = person_at(session, person)
        given.number = answer_log.record(session, kinds.HIDE if hidden else kinds.UNHIDE, given.person)
    return given


def set_birthday(store: Store, person: str, born: date | None) -> Given:
    """Answer when a person was born: no earlier face is theirs; None takes that away.

    Raises:
        UserError: there is no such person.
    """
    with _answering(store) as (session, given):
        given.person = person_at(session, person)
        given.number = answer_log.record(session, kinds.BIRTHDAY, given.person, value=born.isoformat() if born else "")
        people.ask_for_assignment(session)
    return given


def set_cover(store: Store, person: str, face: int) -> Given:
    """Answer which of a person's faces stands for them.

    Raises:
        UserError: there is no such person, or the face is not theirs.
    """
    with _answering(store) as (session, given):
        given.person = person_at(session, person)
        (found,) = answered_faces(session, [face])
        if found.person_id != given.person:
            raise UserError(f"Face {face} is not {called(session, given.person)}'s. See theirs: {_show(given.person)}")
        given.number = answer_log.record(session, kinds.COVER, given.person, faces=[found.placed(None)])
    return given


def undo(store: Store, number: int | None = None) -> str:
    """Take an entry back, or the latest that was given here; what it said.

    Raises:
        UserError: there is none, or it was taken back before.
    """
    with store.writing() as session:
        chosen = answer_log.latest(session, kinds.KINDS) if number is None else number
        if chosen is None:
            raise UserError("Nothing was answered that could be undone.")
        entry = next((one for one in history(session) if one.number == chosen), None)
        if entry is None:
            raise UserError(f"There is no answer {number}. See which there are: alignindex people history")
        if entry.is_undone:
            raise UserError(f"Answer {number} was undone before: {entry.text}.")
        answer_log.undo(session, chosen)
        if entry.kind in _SAYS_NOTHING_OF_FACES:
            refresh(session)
        else:
            _think_again(session, entry)
    follow(store)
    return f"{chosen}: {entry.text}"


def _think_again(session: Session, entry: Entry) -> None:
    """Take faces for whom the machine took them before it was told what was undone now."""
    people.restore_assignments(session, entry.number)
    people.ask_for_assignment(session)
    # With nothing said since, what the machine thought before is right as it is, unless it sees faces anew.
    is_last = not answer_log.has_live_after(session, entry.number, kinds.KINDS)
    is_last = is_last and not switch.has_switched_since(session, entry.answered_at_utc)
    if not is_last:
        people.outdate_assignments_since(session, entry.answered_at_utc)
    refresh(session, outdate=not is_last)


def _only_person(placed: Sequence[PlacedFace]) -> int:
    people = {face.person_id or 0 for face in placed}
    return people.pop() if len(people) == 1 else 0


def _checked(name: str) -> str:
    name = name.strip()
    if name.isdecimal():
        raise UserError(f"'{name}' cannot be a name: use at least one letter, so that it is not taken for a number.")
    return name


def _new_name(session: Session, name: str) -> str | None:
    """The name, unless somebody is called that."""
    held = {folded(one) for one in known_people(session).names.values()}
    return None if folded(name) in held else _checked(name)


def _twice(session: Session, placed: Sequence[PlacedFace]) -> list[str]:
    """What to tell of people who are twice on a photo by what was answered."""
    refresh(session)
    return [
        f"{who} is on {path} {len(faces)} times now (faces {' '.join(map(str, faces))}), as in collages and mirrors. "
        "If one is somebody else: alignindex people reject FACE"
        for path, who, faces in twice_on_a_photo(session, {face.content_hash for face in placed})
    ]


def _show(person: int) -> str:
    return f"alignindex people show {person} -o sheet.jpg"
