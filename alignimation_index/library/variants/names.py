"""Variants that give themselves away by their names, in one folder: edited copies, RAW files, and moving halves."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from alignimation_index.library.formats import CAMERA_RAW, extension
from alignimation_index.library.takeout.names import is_edited, nfc, split_name

_DEVELOPED = ("jpg", "jpeg", "jpe", "heic", "heif", "hif", "avif", "tif", "tiff", "png", "webp")
"""What a camera, or somebody at a desk, makes of a RAW file; the likeliest first."""

_EDITED_ON_IPHONE = re.compile(r"(IMG_)E(\d{4,}.*)", re.IGNORECASE | re.ASCII)
_PART_OF_PIXEL_RAW = re.compile(r"\.RAW-\d+(?:\.MP)?\.(?:COVER|ORIGINAL)\Z", re.IGNORECASE | re.ASCII)
_MOTION_PHOTO = re.compile(r"\.MP\Z", re.IGNORECASE | re.ASCII)


class NamedFile(NamedTuple):
    """A photo's or video's file: `owner` is the photo's or the video file's id, `content_hash` orders photos."""

    owner: int
    content_hash: str
    folder: str
    name: str


class NamedPair(NamedTuple):
    """Two photos of one shot: `first` is the better one, "edited" before its original, developed before "raw"."""

    kind: str
    first: int
    second: int


def named_pairs(files: Iterable[NamedFile]) -> Iterator[NamedPair]:
    """Pairs of photos that are one by their names: an edited copy and its original, a RAW file and what it became.

    The two lie in one folder. Where a name leaves several originals, those of the copy's own format come first.
    """
    by_stem = _by_stem(files)
    for (folder, _), here in by_stem.items():
        for file in here:
            original = _original_stem(file.name)
            if original is not None:
                yield from _pair("edited", file, by_stem.get((folder, _shot(original)), ()))
        raw = {file.owner: file for file in here if extension(file.name) in CAMERA_RAW}
        if len(raw) == 1:
            developed = [file for file in here if extension(file.name) in _DEVELOPED]
            for file in raw.values():
                yield from (NamedPair("raw", pair.second, pair.first) for pair in _pair("raw", file, developed))


def moving_halves(videos: Iterable[NamedFile], photos: Iterable[NamedFile]) -> dict[int, int]:
    """Videos that are the moving half of a still in their folder: id of the video's file → id of the photo."""
    by_stem = _by_stem(photos)
    found = {}
    for video in videos:
        stills = by_stem.get((video.folder, _shot(_stem(video.name))), ())
        best = min(stills, key=lambda file: _likeliest(file, ""), default=None)
        if best is not None:
            found[video.owner] = best.owner
    return found


def _pair(kind: str, file: NamedFile, others: Sequence[NamedFile]) -> Iterator[NamedPair]:
    """The file and the likeliest of the others, unless that is the same photo."""
    likeliest = min(others, key=lambda other: _likeliest(other, extension(file.name)), default=None)
    if likeliest is not None and likeliest.owner != file.owner:
        yield NamedPair(kind, file.owner, likeliest.owner)


def _likeliest(file: NamedFile, wanted: str) -> tuple[object, ...]:
    suffix = extension(file.name)
    order = _DEVELOPED.index(suffix) if suffix in _DEVELOPED else len(_DEVELOPED)
    return suffix != wanted, order, file.content_hash


def _by_stem(files: Iterable[NamedFile]) -> Mapping[tuple[str, str], list[NamedFile]]:
    """Files by folder and by the name of their shot."""
    found = defaultdict(list)
    for file in files:
        found[file.folder, _shot(_stem(file.name))].append(file)
    return found


def _original_stem(name: str) -> str | None:
    """The stem of the photo of which a file is an edited copy, by its name; None if it is none."""
    on_iphone = _EDITED_ON_IPHONE.fullmatch(_stem(nfc(name)))
    return on_iphone[1] + on_iphone[2] if on_iphone else is_edited(name)


def _stem(name: str) -> str:
    stem, counter, _ = split_name(nfc(name))
    return stem + counter


def _shot(stem: str) -> str:
    """What the files of one press of the button have in common."""
    return _MOTION_PHOTO.sub("", _PART_OF_PIXEL_RAW.sub("", stem)).casefold()
