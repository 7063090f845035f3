"""The sidecars of a Google Photos export: which belongs to which photo or video, by their names.

Google names a sidecar after the title of an upload: the first 46 UTF-16 units of `title` (older exports) or of
`title.supplemental-metadata`, then the counter `(n)` of a further upload with that title, then `.json`. The photo gets
the first 47 units of the title's stem (with `-edited` behind it for an edited copy), the counter and the extension.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from alignimation_index.library.takeout.folders import is_album_metadata
from alignimation_index.library.takeout.names import (
    CREATIONS,
    EDITED,
    MEDIA_UNITS,
    SIDECAR_UNITS,
    clipped,
    media_name,
    nfc,
    original_stem,
    split_counter,
    split_name,
    utf16_units,
)

_SUFFIX = "supplemental-metadata"
_STILLS = (".heic", ".HEIC", ".jpg", ".JPG", ".jpeg", ".JPEG", ".heif", ".HEIF")
_LIVE_VIDEO = re.compile(r"\.(?:mp4|mov|m4v)", re.IGNORECASE)
_MOTION_VIDEO = re.compile(r"(?:\.(?:mp|mv)(?:~\d+)?)?", re.ASCII | re.IGNORECASE)
"""The extension of a motion photo's video, which may have none."""

_COPY_NUMBER = re.compile(r"~\d+\Z", re.ASCII)
_TITLE = "/"
"""Begins a key that was made from a title; no name of a file holds it."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """The sidecar of a photo or video.

    Attributes:
        sidecar: its name, as it was given.
        rule: why it belongs to the photo, in words.
    """

    sidecar: str
    rule: str


def pair_sidecars(
    media: Collection[str], sidecars: Collection[str], titles: Mapping[str, str] | None = None
) -> dict[str, Pairing]:
    """Find the sidecars of the photos and videos in one folder of an export.

    One rule after the other is tried on all media that are still without, names in the same letter case first. A rule
    by which a photo has a sidecar of its own takes none that another photo has by a better one.

    Args:
        media: base names of the photos and videos.
        sidecars: base names of the `.json` files; those that describe albums are passed over.
        titles: the titles inside the sidecars, by name. They help where two titles begin with the same 46 units, and
            never decide between `(n)` copies, which share a title.

    Returns:
        The pairings by name, for those of `media` that have one. The order of the arguments makes no difference.
    """
    given = {nfc(name)[: -len(".json")]: name for name in sorted(sidecars, reverse=True) if _is_sidecar(name)}
    keys = [*_keys_by_name(given), *_keys_by_title(given, titles or {})]
    indexes = [_Index(keys, spelling) for spelling in (str, str.casefold)]
    folder = _Folder(sorted({nfc(name) for name in media}))
    for rule in _RULES:
        for index in indexes:
            folder.pair(rule, index)
    return {name: folder.pairings[nfc(name)] for name in media if nfc(name) in folder.pairings}


class _Index:
    """Sidecars by the keys under which the rules look for them: (key, sidecar), the better claim to a key first.

    `spelling` makes keys equal that are to count as equal.
    """

    def __init__(self, keys: Iterable[tuple[str, str]], spelling: Callable[[str], str]) -> None:
        self._spelling = spelling
        self._sidecars: dict[str, str] = {}
        for key, sidecar in keys:
            self._sidecars.setdefault(spelling(key), sidecar)

    def find(self, keys: Iterable[str], taken: Collection[str]) -> str | None:
        """The first of the sidecars under `keys` that is not taken."""
        found = (self._sidecars.get(self._spelling(key)) for key in keys)
        return next((sidecar for sidecar in found if sidecar is not None and sidecar not in taken), None)


def _keys_by_name(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name without `.json`, sidecar), then the same without what is left of the suffix, the longest rest first."""
    yield from given.items()
    for base in sorted(given, key=len, reverse=True):
        stem, counter = split_counter(base)
        title, _, rest = stem.rpartition(".")
        if title and _SUFFIX.startswith(rest):
            yield title + counter, given[base]


def _keys_by_title(given: Mapping[str, str], titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(`_TITLE` and the media name that a title leads to, sidecar), where one sidecar alone has it, and no counter."""
    uncounted = [sidecar for base, sidecar in given.items() if sidecar in titles and not split_counter(base)[1]]
    names = {sidecar: media_name(titles[sidecar]) for sidecar in uncounted}
    count = Counter(names.values())
    return ((_TITLE + name, sidecar) for sidecar, name in names.items() if count[name] == 1)


@dataclass(slots=True)
class _Folder:
    """The media of one folder, in NFC: those that wait for a sidecar, the pairings of the others, what these took."""

    waiting: list[str]
    pairings: dict[str, Pairing] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def pair(self, rule: _Rule, index: _Index) -> None:
        """Pair all that wait and find a sidecar by one rule."""
        found = {name: index.find(rule.keys(name), () if rule.shares else self.taken) for name in self.waiting}
        claims = {name: sidecar for name, sidecar in found.items() if sidecar is not None}
        if not rule.shares:
            claims = _settled(claims)
        self.pairings.update((name, Pairing(sidecar, rule.phrase)) for name, sidecar in claims.items())
        self.taken.update(claims.values())
        self.waiting = [name for name in self.waiting if name not in claims]


def _settled(claims: Mapping[str, str]) -> dict[str, str]:
    """Leave each sidecar to its only claimant, or to the one of which all the others may be a copy or the video."""
    claimants = defaultdict(list)
    for name, sidecar in claims.items():
        claimants[sidecar].append(name)
    settled = {}
    for sidecar, names in claimants.items():
        owner, *others = sorted(names, key=_dependence)
        if not others or _dependence(owner) < _dependence(others[0]):
            settled[owner] = sidecar
    return settled


def _dependence(name: str) -> tuple[bool, bool]:
    """Whether a media name may be that of a live photo's video, and of an edited copy, however little shows it."""
    stem, _, extension = split_name(name)
    is_video = _LIVE_VIDEO.fullmatch(extension) is not None
    return is_video, original_stem(stem, EDITED, least_letters=0) is not None


def _same_name(name: str) -> Iterator[str]:
    stem, counter, _ = split_name(name)
    # A counter that the limit cuts off whole is none of the title's.
    yield from (key for key in clipped(name, SIDECAR_UNITS) if not counter or len(key) > len(stem))


def _counter_moved(name: str) -> Iterator[str]:
    stem, counter, extension = split_name(name)
    if counter:
        yield from (title + counter for title in clipped(stem + extension, SIDECAR_UNITS))


def _keys_of(names: Iterable[str]) -> Iterator[str]:
    """The keys of other media names, by the two rules above."""
    for name in names:
        yield from _same_name(name)
        yield from _counter_moved(name)


def _no_extension(name: str) -> Iterator[str]:
    stem, counter, extension = split_name(name)
    if extension:
        yield from _keys_of([stem + counter])


def _title(name: str) -> Iterator[str]:
    yield _TITLE + name


def _live_photo(name: str) -> Iterator[str]:
    stem, counter, extension = split_name(name)
    if _LIVE_VIDEO.fullmatch(extension):
        yield from _keys_of(stem + counter + still for still in _STILLS)


def _motion_photo(name: str) -> Iterator[str]:
    stem, counter, extension = split_name(name)
    if _MOTION_VIDEO.fullmatch(extension):
        yield from _keys_of(stem + extension + counter + still for still in _STILLS)


def _tilde_copy(name: str) -> Iterator[str]:
    stem, counter, extension = split_name(name)
    original = _COPY_NUMBER.sub("", stem) + counter + _COPY_NUMBER.sub("", extension)
    if original != name:
        yield from _keys_of([original])
        yield from _motion_photo(original)


def _edited_copy(name: str) -> Iterator[str]:
    return _made_from(name, EDITED)


def _creation(name: str) -> Iterator[str]:
    return _made_from(name, CREATIONS)


def _made_from(name: str, suffixes: Collection[str]) -> Iterator[str]:
    stem, counter, extension = split_name(name)
    original = original_stem(stem, suffixes, least_letters=0)
    if original is not None:
        yield from _keys_of(original + counter + other for other in (extension, *_STILLS, ""))


def _clipped_copy(name: str) -> Iterator[str]:
    # Where the title fills the limit, nothing is left of `-edited`, and the edited copy gets a counter of its own.
    stem, counter, extension = split_name(name)
    if counter and utf16_units(stem) >= MEDIA_UNITS:
        yield from _same_name(stem + extension)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a medium finds its sidecar: the keys of its name, and whether it shares the sidecar of another."""

    phrase: str
    keys: Callable[[str], Iterator[str]]
    shares: bool = False


_RULES = (
    _Rule("same name", _same_name),
    _Rule("counter moved", _counter_moved),
    _Rule("title without extension", _no_extension),
    _Rule("title inside the sidecar", _title),
    _Rule("live photo", _live_photo, shares=True),
    _Rule("motion photo", _motion_photo, shares=True),
    _Rule("tilde copy", _tilde_copy, shares=True),
    _Rule("edited copy", _edited_copy, shares=True),
    _Rule("creation", _creation, shares=True),
    _Rule("copy of a clipped name", _clipped_copy, shares=True),
)
"""Best first."""


def _is_sidecar(name: str) -> bool:
    return name.casefold().endswith(".json") and not is_album_metadata(name)
