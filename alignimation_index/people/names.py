"""Which person a name in an export means: the one who keeps company with it.

An export says who is on a photo, and not which face that is. A name and a person agree on a photo that bears both, and
disagree on one that bears the name alone or the person alone. Photos of one day are taken of the same company and count
once: the day agrees if more than half of its photos do.

A name is given automatically if all of this is less likely than `AUTOMATIC_CHANCE` to be luck, each by the sign test
(the chance that so many or more of so many tosses of a coin show heads):

- name and person agree on more than half of the days that bear either;
- of the days on which this person and anybody else differ in bearing the name, most speak for this person;
- of the days on which this name and any other differ in bearing the person, most speak for this name.

With nothing that speaks against it that takes seven days. Two who are always together, and named together, are told
apart by none of this: they get suggestions or nothing.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Borne = TypeVar("Borne", str, int)

AUTOMATIC_CHANCE = 0.01
SUGGESTED_PHOTOS = 2


@dataclass(frozen=True, slots=True)
class NamedPhoto:
    """A photo whose export names people.

    Attributes:
        day: on which it was taken; None, which is a day of its own, where that is not known.
        names: of who is on it.
        people: whose faces are on it, as far as faces were recognised.
    """

    day: Hashable
    names: frozenset[str]
    people: frozenset[int]


@dataclass(frozen=True, slots=True)
class NameSuggestion:
    """A person is probably called this.

    Attributes:
        person: the person.
        name: as most photos spell it.
        shared: photos that bear the name and the person.
        named: photos that bear the name.
        chance: that name and person agree by luck, the worst of the tests above.
        automatic: whether that is little enough.
    """

    person: int
    name: str
    shared: int
    named: int
    chance: float
    automatic: bool


def suggest_names(
    photos: Iterable[NamedPhoto], taken_names: Collection[str] = (), named_people: Collection[int] = ()
) -> list[NameSuggestion]:
    """Find who is meant by names; at most one name for a person and one person for a name, the surest first.

    Args:
        photos: those whose export names somebody, with at least one face.
        taken_names: names of which it is answered who bears them; nobody else gets them.
        named_people: people of whom it is answered what they are called; they get no other name.
    """
    company = _Company(photos)
    pairs = [
        company.suggestion(name, person)
        for name, person in company.pairs()
        if name not in taken_names and person not in named_people
    ]
    found: list[NameSuggestion] = []
    for pair in sorted(pairs, key=lambda one: (one.chance, -one.shared, one.name, one.person)):
        if all(pair.name != other.name and pair.person != other.person for other in found):
            found.append(pair)
    return found


def chance_of(heads: int, tails: int) -> float:
    """The chance that a fair coin shows so many heads or more in heads + tails tosses."""
    tosses = heads + tails
    ways: int = sum(math.comb(tosses, count) for count in range(heads, tosses + 1))
    return ways / int(2**tosses)


class _Company:
    """Who keeps company with which name, by days."""

    def __init__(self, photos: Iterable[NamedPhoto]) -> None:
        self._days: dict[Hashable, list[NamedPhoto]] = defaultdict(list)
        self._with_name: dict[str, set[Hashable]] = defaultdict(set)
        self._with_person: dict[int, set[Hashable]] = defaultdict(set)
        self._named: Counter[str] = Counter()
        self._shared: Counter[tuple[str, int]] = Counter()
        for photo in photos:
            self._add(photo)

    def _add(self, photo: NamedPhoto) -> None:
        self._days[photo.day].append(photo)
        for name in photo.names:
            self._with_name[name].add(photo.day)
            self._named[name] += 1
        for person in photo.people:
            self._with_person[person].add(photo.day)
        self._shared.update((name, person) for name in photo.names for person in photo.people)

    def pairs(self) -> list[tuple[str, int]]:
        """Names and people that share more than half of the photos that bear the name."""
        enough = ((pair, count) for pair, count in self._shared.items() if count >= SUGGESTED_PHOTOS)
        return [pair for pair, count in enough if 2 * count > self._named[pair[0]]]

    def suggestion(self, name: str, person: int) -> NameSuggestion:
        """How well a name and a person agree."""
        against = self._against_people(name, person), self._against_names(name, person)
        chance = max(self._agreement(name, person), *against)
        shared, named = self._shared[name, person], self._named[name]
        return NameSuggestion(person, name, shared, named, chance, chance <= AUTOMATIC_CHANCE)

    def _agreement(self, name: str, person: int) -> float:
        days = self._with_name[name] | self._with_person[person]
        agree = 0
        for day in days:
            bears = [(name in photo.names) + (person in photo.people) for photo in self._days[day]]
            agree += bears.count(2) > bears.count(1)
        return chance_of(agree, len(days) - agree)

    def _against_people(self, name: str, person: int) -> float:
        """Of the days that bear the name: which bear this person more often than that one."""
        rivals = {other for rival, other in self._shared if rival == name} - {person}
        days = self._with_name[name]
        counts = {
            day: Counter(p for photo in self._days[day] if name in photo.names for p in photo.people) for day in days
        }
        return _worst(counts, person, rivals)

    def _against_names(self, name: str, person: int) -> float:
        rivals = {rival for rival, other in self._shared if other == person} - {name}
        days = self._with_person[person]
        counts = {
            day: Counter(n for photo in self._days[day] if person in photo.people for n in photo.names) for day in days
        }
        return _worst(counts, name, rivals)


def _worst(counts: Mapping[Hashable, Counter[Borne]], one: Borne, rivals: Iterable[Borne]) -> float:
    """The largest chance that luck alone sets one apart from its rivals."""
    worst = 0.0
    for rival in rivals:
        ahead = sum(count[one] > count[rival] for count in counts.values())
        behind = sum(count[one] < count[rival] for count in counts.values())
        worst = max(worst, chance_of(ahead, behind))
    return worst
