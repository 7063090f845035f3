"""Photos that are variants of each other, and the best of them, in whatever order they are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from alignimation_index.library.variants.candidates import Candidate
from alignimation_index.library.variants.names import NamedFile, named_pairs
from alignimation_index.library.variants.similar import Looks, bursts, copies

KINDS = ("edited", "raw", "burst", "duplicate")
"""Kinds of groups; one that is several is of the first of them."""
_ROLES = {"edited": ("edited", "original"), "raw": ("developed", "raw"), "burst": ("burst",) * 2}
_ROLE_ORDER = ("edited", "original", "raw", "developed", "burst", "duplicate")

MIN_DEVELOPED_SHARE = 0.5
"""A developed photo with a smaller share of the pixels of its RAW file stands behind it."""


class Link(NamedTuple):
    """Two photos, by position, that are variants of each other; of a named pair, `first` is the better."""

    kind: str
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Variant:
    """A photo in a group.

    Attributes:
        photo_id: the photo.
        group_id: the lowest photo id in the group.
        kind: of the group, one of KINDS.
        role: what the photo is in it: edited, original, raw, developed, burst or duplicate.
        rank: 0 for the best of the group, then upwards.
    """

    photo_id: int
    group_id: int
    kind: str
    role: str
    rank: int


def find_variants(photos: Iterable[Candidate]) -> list[Variant]:
    """Group the photos that are variants of each other; those that are of no group are left out.

    The best of a group: an edited photo before its original, a developed one before RAW unless it is far smaller, then
    the one with the best face, then the largest; of copies of one picture the largest.
    """
    ordered = sorted(photos, key=lambda photo: photo.content_hash)
    links = [*_links_by_name(ordered), *_links_by_looks(ordered)]
    roles = _roles(links)
    kinds = defaultdict(set)
    top = _united(links)
    members = defaultdict(list)
    for i in roles:
        members[top[i]].append(i)
    for link in links:
        kinds[top[link.first]].add(link.kind)
    return [
        variant
        for first, group in members.items()
        for variant in _ranked(
            [ordered[i] for i in group], [roles[i] for i in group], min(kinds[first], key=KINDS.index)
        )
    ]


def _links_by_name(photos: Sequence[Candidate]) -> Iterator[Link]:
    files = [
        NamedFile(i, photo.content_hash, folder, name) for i, photo in enumerate(photos) for folder, name in photo.files
    ]
    for kind, first, second in named_pairs(files):
        if not photos[first].is_of_another_moment(photos[second]):
            yield Link(kind, first, second)


def _links_by_looks(photos: Sequence[Candidate]) -> Iterator[Link]:
    positions = [i for i, photo in enumerate(photos) if photo.fingerprint]
    if len(positions) < 2:
        return
    seen = [photos[i] for i in positions]
    looks = Looks.of(seen)
    for kind, pairs in (("duplicate", copies(seen, looks)), ("burst", bursts(seen, looks))):
        for first, second in pairs:
            yield Link(kind, positions[first], positions[second])


def _roles(links: Iterable[Link]) -> dict[int, str]:
    found: dict[int, set[str]] = defaultdict(set)
    for kind, *pair in links:
        for i, role in zip(pair, _ROLES.get(kind, (kind, kind)), strict=True):
            found[i].add(role)
    return {i: min(roles, key=_ROLE_ORDER.index) for i, roles in found.items()}


def _united(links: Iterable[Link]) -> Mapping[int, int]:
    """For each linked position the one that stands for all that are linked with it, at whatever remove."""
    parent: dict[int, int] = {}

    def top_of(i: int) -> int:
        while parent.setdefault(i, i) != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for _, first, second in links:
        one, other = sorted((top_of(first), top_of(second)))
        parent[other] = one
    return {i: top_of(i) for i in list(parent)}


def _ranked(photos: Sequence[Candidate], roles: Sequence[str], kind: str) -> Iterator[Variant]:
    most_raw = max((photo.pixels for photo in photos if photo.is_raw), default=0)

    def order(one: tuple[Candidate, str]) -> tuple[object, ...]:
        photo, role = one
        behind_raw = 1 if photo.is_raw else 2 if photo.pixels < MIN_DEVELOPED_SHARE * most_raw else 0
        by_face, by_size = -photo.quality, -photo.pixels
        # One picture shows no face better for being scaled down, though its edges are sharper then.
        worth = (by_size, by_face) if kind == "duplicate" else (by_face, by_size)
        return role != "edited", behind_raw, *worth, photo.content_hash

    group_id = min(photo.photo_id for photo in photos)
    for rank, (photo, role) in enumerate(sorted(zip(photos, roles, strict=True), key=order)):
        yield Variant(photo.photo_id, group_id, kind, role, rank)
