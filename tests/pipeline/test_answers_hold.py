"""Two hundred random answers, and all that may happen to a store after them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from answering import draw_people, people
from fakes import FakeModels, frames, index
from sqlalchemy import select

from alignimation_index.errors import UserError
from alignimation_index.people.calibration import CALIBRATIONS
from alignimation_index.pipeline import person_answers as answer
from alignimation_index.query.people import find_person
from alignimation_index.store import schema
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Face

ANSWERS = 200
PHOTOS = 30
# As a later release might: tables that answers refer to, and the log itself, are built anew.
NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade():
    for table, options in (("answer", {{"sqlite_autoincrement": True}}), ("face", {{"sqlite_autoincrement": True}})):
        with op.batch_alter_table(table, recreate="always", table_kwargs=options) as batch:
            batch.add_column(sa.Column("stars", sa.Integer()))
"""


@dataclass
class Said:
    """An answer as the test remembers it; people and faces by number."""

    number: int
    kind: str
    faces: dict[int, int] = field(default_factory=dict)
    person: int = 0
    other: int = 0
    value: str = ""


@dataclass
class Talker:
    """Somebody who answers at random, and what holds of it."""

    store: Store
    random: random.Random
    said: list[Said] = field(default_factory=list)
    refused: int = 0

    def say(self) -> None:
        """Give one answer, or take one back; refused ones do not count."""
        kinds = [self.confirm] * 6 + [self.reject] * 5 + [self.deny, self.split, self.name, self.name, self.birthday]
        kinds += [self.hide, self.cover, self.merge, self.undo]
        try:
            self.random.choice(kinds)()
        except UserError:
            self.refused += 1

    def confirm(self) -> None:
        faces = self.random.sample(list(self.faces()), self.random.randint(1, 3))
        person = self.random.choice([*self.people(), f"New {len(self.said)}"])
        given = answer.confirm(self.store, faces, str(person), create=True)
        self.keep(given.number, "is", faces=dict.fromkeys(faces, given.person), person=given.person)

    def reject(self) -> None:
        mine = [face for face, person in self.faces().items() if person]
        face = self.random.choice(mine)
        given = answer.reject(self.store, [face])
        self.keep(given.number, "is not", faces={face: given.person}, person=given.person)

    def deny(self) -> None:
        face = self.random.choice(list(self.faces()))
        self.keep(answer.deny_faces(self.store, [face]).number, "no face", faces={face: 0})

    def split(self) -> None:
        person = self.random.choice(list(self.people()))
        mine = [face for face, whose in self.faces().items() if whose == person]
        chosen = self.random.sample(mine, min(len(mine), 2))
        given = answer.split(self.store, str(person), chosen)
        self.keep(given.number, "is", faces=dict.fromkeys(chosen, given.person), person=given.person, other=person)

    def merge(self) -> None:
        person, other = self.random.sample(list(self.people()), 2)
        given = answer.merge(self.store, str(person), str(other))
        self.keep(given.number, "merge", person=person, other=other)

    def name(self) -> None:
        name = f"Name {self.random.randint(1, 30)}"
        given = answer.name_person(self.store, str(self.random.choice(list(self.people()))), name)
        self.keep(given.number, "name", person=given.person, value=name)

    def birthday(self) -> None:
        born = date(self.random.randint(1991, 2005), 1, 1)
        given = answer.set_birthday(self.store, str(self.random.choice(list(self.people()))), born)
        self.keep(given.number, "birthday", person=given.person, value=born.isoformat())

    def hide(self) -> None:
        hidden = self.random.random() < 0.6
        given = answer.hide(self.store, str(self.random.choice(list(self.people()))), hidden=hidden)
        self.keep(given.number, "hide", person=given.person, value="hidden" if hidden else "")

    def cover(self) -> None:
        face, person = self.random.choice([(face, person) for face, person in self.faces().items() if person])
        given = answer.set_cover(self.store, str(person), face)
        self.keep(given.number, "cover", faces={face: 0}, person=person)

    def undo(self) -> None:
        if self.said:
            gone = self.said.pop(self.random.randrange(len(self.said)))
            answer.undo(self.store, gone.number)

    def keep(self, number: int, kind: str, **about: object) -> None:
        self.said.append(Said(number, kind, **about))  # type: ignore[arg-type]

    def faces(self) -> dict[int, int | None]:
        return {frame.face_id: frame.person_id for frame in frames(self.store)}

    def people(self) -> list[int]:
        return [person.id for person in people(self.store, include_hidden=True)]

    def broken(self) -> list[tuple[str, Said]]:
        """What was said and does not hold."""
        with self.store.reading() as session:
            numbers = {
                one: find_person(session, str(one)) for said in self.said for one in (said.person, said.other) if one
            }
        now = {frame.face_id: frame for frame in frames(self.store)}
        listed = {person.id: person for person in people(self.store, include_hidden=True)}
        merged = _Merged([said for said in self.said if said.kind == "merge"])
        found: list[tuple[str, Said]] = []
        for said in self.said:
            later = [one for one in self.said if one.number > said.number]
            holds = _HOLDS[said.kind](said, later, now, listed, numbers, merged)
            found += [] if holds else [(said.kind, said)]
        return found


class _Merged:
    """Who is one with whom, by the merges that were not undone."""

    def __init__(self, merges: list[Said]) -> None:
        self.groups: list[set[int]] = []
        for said in merges:
            joined = {said.person, said.other}.union(*(one for one in self.groups if one & {said.person, said.other}))
            self.groups = [one for one in self.groups if not one & joined] + [joined]

    def are_one(self, one: int, other: int) -> bool:
        return one == other or any({one, other} <= group for group in self.groups)

    def group(self, person: int) -> set[int]:
        return next((group for group in self.groups if person in group), {person})


def _later(later: list[Said], kind: str, face: int, person: int, merged: _Merged) -> list[Said]:
    about = [one for one in later if one.kind == kind and face in one.faces]
    return [one for one in about if merged.are_one(one.faces[face], person)]


def _is(said, later, now, listed, numbers, merged):  # noqa: ARG001
    for face, person in said.faces.items():
        about = [one for one in later if face in one.faces and one.kind in ("is", "no face")]
        denied = _later(later, "is not", face, person, merged)
        if about or denied:
            continue
        if (now[face].person_id, now[face].assigned_by) != (numbers[person], "answer"):
            return False
    return not said.other or merged.are_one(said.person, said.other) or numbers[said.person] != numbers[said.other]


def _is_not(said, later, now, listed, numbers, merged):  # noqa: ARG001
    for face, person in said.faces.items():
        affirmed = _later(later, "is", face, person, merged)
        if not affirmed and face in now and now[face].person_id == numbers[person]:
            return False
    return True


def _no_face(said, later, now, listed, numbers, merged):  # noqa: ARG001
    (face,) = said.faces
    return face not in now or any(one.kind == "is" and face in one.faces for one in later)


def _merge(said, later, now, listed, numbers, merged):  # noqa: ARG001
    return numbers[said.person] == numbers[said.other]


def _about(kind: str, read: Callable) -> Callable:
    def holds(said, later, now, listed, numbers, merged):  # noqa: ARG001
        number = numbers[said.person]
        group = merged.group(said.person)
        another = [one for one in later if one.kind == kind and one.person in group]
        return said.person != number or bool(another) or number not in listed or read(listed[number], said)

    return holds


_HOLDS = {
    "is": _is,
    "is not": _is_not,
    "no face": _no_face,
    "merge": _merge,
    "name": _about("name", lambda person, said: person.name == said.value),
    "birthday": _about("birthday", lambda person, said: person.born.isoformat() == said.value),
    "hide": _about("hide", lambda person, said: person.hidden == bool(said.value)),
    "cover": _about("cover", lambda person, said: person.cover_face_id in said.faces),
}


def state(store: Store) -> tuple[object, object]:
    """Who is on which face, and who there is."""
    shown = {frame.face_id: (frame.person_id, frame.person, frame.assigned_by) for frame in frames(store)}
    return shown, people(store, include_hidden=True)


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Talker, tuple[object, object]]]:
    """A store in which 200 answers were given, and how it was before."""
    folder = tmp_path_factory.mktemp("talked")
    chance = random.Random(7)
    shown = [tuple(chance.sample(["red", "green", "blue"], chance.randint(1, 3))) for _ in range(PHOTOS - 2)]
    draw_people(folder / "photos", *shown, ("yellow",), ("yellow", "red"))
    with closing(Store.open(folder / "store.db")) as store:
        index(store, FakeModels(), folder / "photos")
        before = state(store)
        talker = Talker(store, chance)
        while len(talker.said) + talker.refused < ANSWERS:
            talker.say()
        yield talker, before


@pytest.fixture
def talker(talked, tmp_path) -> Iterator[Talker]:
    """The same, in a copy of the store."""
    first, _ = talked
    first.store.backup(tmp_path / "store.db")
    with closing(Store.open(tmp_path / "store.db")) as store:
        yield Talker(store, random.Random(1), list(first.said))


def test_many_answers_of_all_kinds_were_given(talked):
    talker, _ = talked
    assert {said.kind for said in talker.said} == _HOLDS.keys()
    assert talker.broken() == []


def test_they_hold_when_faces_are_detected_anew(talker):
    index(talker.store, FakeModels(detector_id="another", shift_px=6))
    assert talker.broken() == []


def test_they_hold_when_everybody_is_found_anew(talker, monkeypatch):
    monkeypatch.setitem(CALIBRATIONS, "dlib-resnet", replace(CALIBRATIONS["dlib-resnet"], threshold=1.5))
    index(talker.store, FakeModels())
    assert talker.broken() == []


def test_they_hold_with_another_embedder(talker):
    index(talker.store, FakeModels(embedder_id="facenet-vggface2"))
    assert talker.broken() == []


def test_they_hold_after_a_migration_and_all_of_the_above(talker, tmp_path, monkeypatch):
    talker.store.close()
    migrations = shutil.copytree(Path(__file__).parents[2] / "migrations", tmp_path / "next" / "migrations")
    (migrations / "versions" / "next.py").write_text(NEXT_MIGRATION.format(head=schema.HEAD))
    monkeypatch.setattr(schema, "_PACKAGE", tmp_path / "next")
    monkeypatch.setattr(schema, "HEAD", "next")
    with closing(Store.open(talker.store.path)) as talker.store:
        assert schema.revision(talker.store.path) == "next"
        assert talker.broken() == []
        index(talker.store, FakeModels(detector_id="another", shift_px=6, embedder_id="facenet-vggface2"))
        assert talker.broken() == []
        undo_all(talker)
        shown, _ = state(talker.store)
        with talker.store.reading() as session:
            assert shown.keys() == set(session.scalars(select(Face.id)))
        assert {(name, by) for _, name, by in shown.values()} <= {(None, "machine"), (None, None)}


def test_undoing_all_restores_the_start(talked, talker):
    _, before = talked
    assert state(talker.store) != before
    undo_all(talker)
    assert state(talker.store) == before


def undo_all(talker: Talker) -> None:
    """Take back all that was said, in any order."""
    for said in talker.random.sample(talker.said, len(talker.said)):
        answer.undo(talker.store, said.number)
    with pytest.raises(UserError, match="Nothing was answered"):
        answer.undo(talker.store)
