"""What human answers come to: a replay of all that were not undone.

Undoing an answer is a replay without it, so it makes no difference which one is undone, nor when. A person's number
never dies: merging B into A makes B another number of A, and undoing that brings B back.

Of two answers about the same thing the later one holds. Answers that other programs were given, which files brought
along, count as earlier than all that this program was given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

NAME, CONFIRM, REJECT, NOT_A_FACE, MERGE = "name", "confirm", "reject", "not-a-face", "merge"
SPLIT, HIDE, UNHIDE, BIRTHDAY, COVER, REGION = "split", "hide", "unhide", "birthday", "cover", "region"

Rank = tuple[bool, int]
"""Whether it was given to this program, and its number: the higher one holds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about one thing.

    Attributes:
        number: answers are numbered in the order in which they were given.
        kind: one of the above.
        person: of whom it speaks; None for regions and where it is no face.
        other: for a merge, who becomes one with `person`; for a split, whose face it was.
        face: the face of which it speaks, or None.
        value: a name, or a date in ISO 8601; "" takes name or date away.
        given_here: whether it was given to this program.
    """

    number: int
    kind: str
    person: int | None = None
    other: int | None = None
    face: int | None = None
    value: str | None = None
    given_here: bool = True

    @property
    def rank(self) -> Rank:
        """The higher one holds."""
        return self.given_here, self.number


@dataclass(frozen=True)
class Known:
    """What was answered, all in all; people by the number that they go by.

    Attributes:
        goes_by: person → the number that they go by, for those who were merged.
        names: name by person; "" for whom somebody wants without a name.
        hidden: people whom lists leave out.
        births: by person.
        covers: face by person.
        faces: person by face; None for what is no face.
        rejected: (face, person): never that person.
        apart: (person, person) who are two, the lower number first.
        shaped: people of whom it was answered which faces are theirs, by a merge or a split.
        nobodys_names: names in regions for which somebody has yet to be made.
    """

    goes_by: Mapping[int, int] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()
    births: Mapping[int, date] = field(default_factory=dict)
    covers: Mapping[int, int] = field(default_factory=dict)
    faces: Mapping[int, int | None] = field(default_factory=dict)
    rejected: frozenset[tuple[int, int]] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()
    shaped: frozenset[int] = frozenset()
    nobodys_names: tuple[str, ...] = ()

    def number_of(self, person: int) -> int:
        """The number that a person goes by."""
        return self.goes_by.get(person, person)

    @property
    def people(self) -> set[int]:
        """Everyone of whom something was answered."""
        spoken_of = {*self.names, *self.births, *self.covers, *self.hidden, *self.shaped, *self.goes_by.values()}
        return spoken_of | {person for person in self.faces.values() if person is not None}


def folded(name: str) -> str:
    """A name as it compares: in any language's letter case, however its accents are encoded."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def replay(answers: Iterable[Answer]) -> Known:
    """What answers come to, in whatever order they are given; without those that were undone."""
    said = _Said()
    for answer in sorted(answers, key=lambda one: one.rank):
        _HEARD[answer.kind](said, answer)
    return said.known()


@dataclass
class _Said:
    """What was said, by the numbers with which it was said."""

    merged: dict[int, int] = field(default_factory=dict)
    about: dict[str, dict[int, Answer]] = field(default_factory=dict)
    faces: dict[int, Answer] = field(default_factory=dict)
    rejected: dict[tuple[int, int], Rank] = field(default_factory=dict)
    apart: list[tuple[int, int, Rank]] = field(default_factory=list)
    joined: list[tuple[int, int, Rank]] = field(default_factory=list)
    made_for: dict[str, int] = field(default_factory=dict)

    def root(self, person: int) -> int:
        while person in self.merged:
            person = self.merged[person]
        return person

    def hear_face(self, answer: Answer) -> None:
        assert answer.face is not None
        self.faces[answer.face] = answer

    def hear_rejection(self, answer: Answer) -> None:
        assert answer.face is not None
        assert answer.person is not None
        self.rejected[answer.face, answer.person] = answer.rank

    def hear_split(self, answer: Answer) -> None:
        assert answer.person is not None
        assert answer.other is not None
        self.hear_face(answer)
        self.apart.append((answer.person, answer.other, answer.rank))

    def hear_merge(self, answer: Answer) -> None:
        assert answer.person is not None
        assert answer.other is not None
        self.joined.append((answer.person, answer.other, answer.rank))
        into, gone = self.root(answer.person), self.root(answer.other)
        if into != gone:
            self.merged[gone] = into

    def hear_name(self, answer: Answer) -> None:
        assert answer.person is not None
        if answer.given_here:
            self.hear_about(answer)
        else:
            self.made_for[folded(answer.value or "")] = answer.person

    def hear_about(self, answer: Answer) -> None:
        assert answer.person is not None
        kind = HIDE if answer.kind == UNHIDE else answer.kind
        self.about.setdefault(kind, {})[answer.person] = answer

    def known(self) -> Known:
        names = self._of_people(NAME)
        missing = self._settle_regions(names)
        faces = {face: self._who(answer) for face, answer in self.faces.items()}
        rejected = self._rejections(faces)
        births = {person: answer.value for person, answer in self._of_people(BIRTHDAY).items()}
        return Known(
            goes_by={person: self.root(person) for person in self.merged},
            names={person: answer.value or "" for person, answer in names.items()},
            hidden=frozenset(p for p, answer in self.about.get(HIDE, {}).items() if answer.kind == HIDE),
            births={person: date.fromisoformat(born) for person, born in births.items() if born},
            covers={
                person: answer.face for person, answer in self._of_people(COVER).items() if answer.face is not None
            },
            faces=faces,
            rejected=rejected,
            apart=self._apart(),
            shaped=frozenset(self.root(person) for pair in (*self.apart, *self.joined) for person in pair[:2]),
            nobodys_names=missing,
        )

    def _of_people(self, kind: str) -> dict[int, Answer]:
        """The answer that holds for each person: of those merged into one, that about the number they go by."""
        holds: dict[int, Answer] = {}
        for person, answer in self.about.get(kind, {}).items():
            root = self.root(person)
            before = holds.get(root)
            if before is None or (person == root, *answer.rank) > (before.person == root, *before.rank):
                holds[root] = answer
        return holds

    def _settle_regions(self, names: dict[int, Answer]) -> tuple[str, ...]:
        """Say in `faces` and `names` who is meant by the names in regions; the names that mean nobody yet."""
        holders = {folded(answer.value or ""): person for person, answer in sorted(names.items(), reverse=True)}
        missing: dict[str, str] = {}
        for face, answer in list(self.faces.items()):
            if answer.kind != REGION:
                continue
            name = folded(answer.value or "")
            person = holders.get(name) or self.made_for.get(name)
            if person is None:
                missing.setdefault(name, answer.value or "")
                del self.faces[face]
                continue
            self.faces[face] = Answer(answer.number, REGION, person, face=face, value=answer.value, given_here=False)
            names.setdefault(self.root(person), self.faces[face])
        return tuple(missing.values())

    def _who(self, answer: Answer) -> int | None:
        return None if answer.person is None else self.root(answer.person)

    def _rejections(self, faces: dict[int, int | None]) -> frozenset[tuple[int, int]]:
        """Those that hold; of `faces` goes whom a later one rejects."""
        latest: dict[tuple[int, int], Rank] = {}
        for (face, person), rank in self.rejected.items():
            key = face, self.root(person)
            latest[key] = max(rank, latest.get(key, rank))
        for (face, person), rank in list(latest.items()):
            if face in faces and faces[face] == person:
                if self.faces[face].rank > rank:
                    del latest[face, person]
                else:
                    del faces[face]
        return frozenset(latest)

    def _apart(self) -> frozenset[tuple[int, int]]:
        pairs = ((self.root(one), self.root(other)) for one, other, _ in self.apart)
        return frozenset((min(pair), max(pair)) for pair in pairs if pair[0] != pair[1])


_HEARD: Mapping[str, Callable[[_Said, Answer], None]] = {
    NAME: _Said.hear_name,
    CONFIRM: _Said.hear_face,
    NOT_A_FACE: _Said.hear_face,
    REGION: _Said.hear_face,
    REJECT: _Said.hear_rejection,
    SPLIT: _Said.hear_split,
    MERGE: _Said.hear_merge,
    HIDE: _Said.hear_about,
    UNHIDE: _Said.hear_about,
    BIRTHDAY: _Said.hear_about,
    COVER: _Said.hear_about,
}
KINDS = tuple(_HEARD)
"""The kinds of answers about people."""
