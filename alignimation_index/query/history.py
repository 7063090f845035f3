"""What was answered about people, as one line for each entry of the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alignimation_index.people.answers import (
    BIRTHDAY,
    CONFIRM,
    COVER,
    HIDE,
    KINDS,
    MERGE,
    NAME,
    NOT_A_FACE,
    REGION,
    REJECT,
    SPLIT,
    UNHIDE,
)
from alignimation_index.store.answer_log import NUMBER
from alignimation_index.store.face_tables import Answer
from alignimation_index.store.identity_tables import AnswerFace


@dataclass(slots=True)
class Entry:
    """One entry of the log.

    Attributes:
        number: what `undo` takes.
        kind: see people.answers.
        answered_at_utc: when it was given.
        is_undone: whether it was taken back.
        people: of whom it speaks.
        other: for a merge, who became one with the first; for a split, whose faces they were.
        value: a name or a date.
        source: the kind of file that says so; None for what was answered here.
        faces: those of which it speaks, as far as they are found at present.
        face_count: how many it speaks of.
    """

    number: int
    kind: str
    answered_at_utc: datetime
    is_undone: bool
    other: int | None
    value: str | None
    source: str | None
    people: list[int] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    face_count: int = 0

    @property
    def text(self) -> str:
        """What it says."""
        return _SAID[self.kind](self)

    @property
    def who(self) -> str:
        """The people of whom it speaks, by number."""
        return " and ".join(f"person {person}" for person in self.people)

    @property
    def which(self) -> str:
        """The faces of which it speaks, as far as they are found; else how many they are."""
        if len(self.faces) < self.face_count:
            return f"{self.face_count} faces, {len(self.faces)} of them found now" if self.face_count > 1 else "a face"
        return f"face{'s' if len(self.faces) > 1 else ''} {' '.join(map(str, self.faces))}"


def history(session: Session, people: Collection[int] | None = None) -> list[Entry]:
    """All entries about these people (None: about anybody), in the order in which they were given."""
    columns = (Answer.kind, Answer.answered_at_utc, Answer.undone_at_utc.is_not(None), Answer.other_id, Answer.value)
    statement = (
        select(NUMBER, *columns, Answer.source, Answer.person_id, AnswerFace.face_id, Answer.box.is_not(None))
        .outerjoin(AnswerFace, AnswerFace.answer_id == Answer.id)
        .where(Answer.kind.in_(KINDS))
        .order_by(Answer.id)
    )
    entries: dict[int, Entry] = {}
    for number, kind, when, is_undone, other, value, source, person, face, has_face in session.execute(statement):
        entry = entries.setdefault(number, Entry(number, kind, when, is_undone, other, value, source))
        entry.value = entry.value or value
        if person is not None and person not in entry.people:
            entry.people.append(person)
        entry.faces += [] if face is None else [face]
        entry.face_count += has_face
    everything = entries.values()
    if people is None:
        return list(everything)
    return [entry for entry in everything if {*entry.people, entry.other} & set(people)]


def _named(entry: Entry) -> str:
    return f"{entry.who} is called {entry.value}" if entry.value else f"{entry.who} has no name"


def _born(entry: Entry) -> str:
    return f"{entry.who} was born on {entry.value}" if entry.value else f"{entry.who} has no birthday"


def _newly_named(entry: Entry) -> str:
    return f", called {entry.value}" if entry.value else ""


_SAID: Mapping[str, Callable[[Entry], str]] = {
    NAME: _named,
    CONFIRM: lambda entry: f"{entry.which}: {entry.who}{_newly_named(entry)}",
    REJECT: lambda entry: f"{entry.which}: not {entry.who}",
    NOT_A_FACE: lambda entry: f"{entry.which}: not a face",
    MERGE: lambda entry: f"person {entry.other} is {entry.who}",
    SPLIT: lambda entry: f"{entry.which}: {entry.who}{_newly_named(entry)}, and not person {entry.other}",
    HIDE: lambda entry: f"{entry.who} is hidden",
    UNHIDE: lambda entry: f"{entry.who} is not hidden",
    BIRTHDAY: _born,
    COVER: lambda entry: f"{entry.which} stands for {entry.who}",
    REGION: lambda entry: f"{entry.which}: {entry.value} (a named region)",
}
