"""Which sidecars speak of which files of a folder, by whatever program they were written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from alignimation_index.library.sidecars.files import SidecarContent, SidecarKind
from alignimation_index.library.takeout.matching import pair_sidecars
from alignimation_index.library.takeout.names import nfc
from alignimation_index.library.takeout.sidecar import GoogleSidecar

EXPORT_KINDS: frozenset[SidecarKind] = frozenset({"google", "album"})
"""Kinds of sidecars that only an export of Google Photos has."""


@dataclass(frozen=True, slots=True)
class FolderSidecar:
    """A sidecar in a folder: its id, base name, kind, and what it says."""

    id: int
    name: str
    kind: str
    content: SidecarContent


Pairs = dict[tuple[int, int], str]
"""(id of a file, id of a sidecar that speaks of it) → the rule by which it does, in words."""


def pair_folder(media: Mapping[int, str], sidecars: Collection[FolderSidecar]) -> Pairs:
    """Pair the photos and videos of a folder with all sidecars that speak of them.

    In the folder of an export, which may be spread over several archives, a name may occur more than once; each of the
    files is then paired with each of the sidecars.

    Args:
        media: base name by the file's id.
        sidecars: those that could be read.
    """
    by_name = defaultdict(list)
    for file_id, name in media.items():
        by_name[name].append(file_id)
    rules = (
        *_google(by_name.keys(), [one for one in sidecars if one.kind == "google"]),
        *_by_stem(by_name.keys(), [one for one in sidecars if one.kind == "xmp"]),
        *_by_section(by_name.keys(), [one for one in sidecars if one.kind == "picasa"]),
        *((name, one, "album of the folder") for one in sidecars if one.kind == "album" for name in by_name),
    )
    return {(file_id, sidecar.id): rule for name, sidecar, rule in rules for file_id in by_name[name]}


_Rule = tuple[str, FolderSidecar, str]
"""Name of a medium, a sidecar, and why they belong together."""


def _google(names: Collection[str], sidecars: Collection[FolderSidecar]) -> Iterator[_Rule]:
    by_name = defaultdict(list)
    for sidecar in sidecars:
        by_name[sidecar.name].append(sidecar)
    if not sidecars:
        return
    # Of several of one name, which differ only if exports of different days lie in one folder, one title will do.
    titles = {one.name: one.content.title for one in sidecars if isinstance(one.content, GoogleSidecar)}
    for name, pairing in pair_sidecars(names, by_name.keys(), titles).items():
        for sidecar in by_name[pairing.sidecar]:
            yield name, sidecar, pairing.rule


def _by_stem(names: Collection[str], sidecars: Collection[FolderSidecar]) -> Iterator[_Rule]:
    """`a.jpg.xmp`, or `a.xmp`, for `a.jpg`."""
    spoken_of = defaultdict(list)
    for sidecar in sidecars:
        spoken_of[_folded(sidecar.name)[: -len(".xmp")]].append(sidecar)
    for name in names:
        folded = _folded(name)
        for key, rule in ((folded, "XMP of this name"), (folded.rpartition(".")[0], "XMP of this stem")):
            yield from ((name, sidecar, rule) for sidecar in spoken_of.get(key, ()))


def _by_section(names: Collection[str], sidecars: Collection[FolderSidecar]) -> Iterator[_Rule]:
    for sidecar in sidecars:
        sections = {_folded(section) for section in sidecar.content} if isinstance(sidecar.content, Mapping) else ()
        yield from ((name, sidecar, "named in the folder's Picasa file") for name in names if _folded(name) in sections)


def _folded(name: str) -> str:
    return nfc(name).casefold()
