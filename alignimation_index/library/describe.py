"""What is known of a photo, resolved from all that speaks of it: its content, its files, their sidecars, and answers.

Nothing depends on the order in which these are given, nor on when they were found.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from alignimation_index.library.dates.resolve import (
    DateCandidate,
    PhotoDate,
    choose_date,
    from_answer,
    from_exif,
    from_folder,
    from_mtime,
    from_name,
    from_sidecar,
    from_xmp,
)
from alignimation_index.library.dates.timestamps import format_utc_offset
from alignimation_index.library.metadata import PhotoFacts
from alignimation_index.library.sidecars.files import SidecarContent
from alignimation_index.library.sidecars.regions import Box, FaceRegion, upright_regions
from alignimation_index.library.sidecars.xmp import Xmp
from alignimation_index.library.takeout.folders import folder_kind
from alignimation_index.library.takeout.names import nfc
from alignimation_index.library.takeout.sidecar import GoogleAlbum, GoogleSidecar

FOLDERS_WITH_YEARS = 2
"""How far up a year in a folder's name is looked for: `2015/06` is common, and a drive may be called `Backup 2019`."""


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A file that holds a photo.

    Attributes:
        path: absolute, of a file or of an archive's member.
        mtime_ns: nanoseconds since 1970 UTC.
        in_export: whether its folder is one of a Google Photos export.
        sidecars: what those that speak of it say.
    """

    path: str
    mtime_ns: int
    in_export: bool
    sidecars: tuple[SidecarContent, ...]

    @property
    def folders(self) -> list[str]:
        """The names of its folders, the nearest last."""
        return self._names[:-1]

    @property
    def name(self) -> str:
        """Its base name."""
        return self._names[-1]

    @property
    def _names(self) -> list[str]:
        return nfc(self.path).replace(os.sep, "/").split("/")

    @property
    def google(self) -> Iterator[GoogleSidecar]:
        """What Google Photos says of it."""
        return (sidecar for sidecar in self.sidecars if isinstance(sidecar, GoogleSidecar))

    def is_filed_under(self, kind: str) -> bool:
        """Whether its folder is one of an export, and of this kind."""
        return self.in_export and folder_kind(self.folders[-1]) == kind


@dataclass(frozen=True, slots=True)
class NamedRegion:
    """A face that somebody framed and named in another program.

    Attributes:
        name: of the person.
        box: xyxy in pixels of the upright photo.
        source: "embedded", "xmp" or "picasa", where it was found.
    """

    name: str
    box: Box
    source: str


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a photo.

    Attributes:
        date: None if nothing credible speaks of one.
        position: (latitude, longitude) in degrees, north and east positive, or None.
        rating: 1 to 5 stars, 0 for none, -1 for rejected; None where nobody rated it.
        favourite: marked with a star in an export.
        archived: all files that hold it are archived in an export.
        trashed: all files that hold it are in the bin of an export.
        albums: names, sorted.
        google_people: names, sorted.
        regions: sorted.
    """

    date: PhotoDate | None
    position: tuple[float, float] | None
    rating: int | None
    favourite: bool
    archived: bool
    trashed: bool
    albums: tuple[str, ...]
    google_people: tuple[str, ...]
    regions: tuple[NamedRegion, ...]


def describe(facts: PhotoFacts | None, files: Sequence[PhotoFile], answered_date: datetime | None) -> Description:
    """Resolve what is known of a photo.

    Args:
        facts: what its content says; None if it could not be read.
        files: those at hand that hold it, one at least.
        answered_date: what a person answered, by the wall clock, with the offset from UTC or without.
    """
    google = [sidecar for file in files for sidecar in file.google]
    position = _position(facts, google)
    return Description(
        date=choose_date(_dates(facts, files, answered_date), position and position[1]),
        position=position,
        rating=_rating(facts, files),
        favourite=any(sidecar.favourite for sidecar in google),
        archived=all(map(_is_archived, files)),
        trashed=all(map(_is_trashed, files)),
        albums=tuple(sorted({album for file in files for album in _albums(file)})),
        google_people=tuple(sorted({name for sidecar in google for name in sidecar.people})),
        regions=tuple(sorted(set(_regions(facts, files)), key=lambda one: (one.source, one.name, one.box))),
    )


def _dates(
    facts: PhotoFacts | None, files: Iterable[PhotoFile], answered_date: datetime | None
) -> Iterator[DateCandidate | None]:
    if answered_date is not None:
        yield _answered(answered_date)
    if facts is not None:
        yield from_exif(facts.metadata)
        yield from_xmp(facts.xmp)
    for file in files:
        yield from_name(file.name)
        yield next(filter(None, map(from_folder, reversed(file.folders[-FOLDERS_WITH_YEARS:]))), None)
        yield from_mtime(file.mtime_ns)
        yield from (from_sidecar(sidecar.taken_at_utc) for sidecar in file.google)
        yield from map(from_xmp, _xmps(file))


def _answered(taken_at: datetime) -> DateCandidate:
    """An answer, by the wall clock, with the offset from UTC or without."""
    offset = taken_at.utcoffset()
    return from_answer(taken_at.replace(tzinfo=None), None if offset is None else format_utc_offset(offset))


def _position(facts: PhotoFacts | None, google: Iterable[GoogleSidecar]) -> tuple[float, float] | None:
    """The camera's, else the one in the export; of several the first by number."""
    if facts is not None and facts.position:
        return facts.position
    places = ((one.latitude, one.longitude) for one in google)
    return min(((north, east) for north, east in places if north is not None and east is not None), default=None)


def _rating(facts: PhotoFacts | None, files: Iterable[PhotoFile]) -> int | None:
    """That of a sidecar, which is the later one, before the embedded one; of several the best."""
    beside = [xmp.rating for file in files for xmp in _xmps(file) if xmp.rating is not None]
    return max(beside, default=facts.xmp.rating if facts else None)


def _is_archived(file: PhotoFile) -> bool:
    return file.is_filed_under("archive") or any(sidecar.archived for sidecar in file.google)


def _is_trashed(file: PhotoFile) -> bool:
    return file.is_filed_under("trash") or any(sidecar.trashed for sidecar in file.google)


def _albums(file: PhotoFile) -> Iterator[str]:
    """Folders of an export that people made, by their titles, else by their names."""
    titles = [sidecar.title for sidecar in file.sidecars if isinstance(sidecar, GoogleAlbum) and sidecar.title.strip()]
    if file.is_filed_under("album"):
        yield from titles or [file.folders[-1].strip()]
    elif file.is_filed_under("untitled"):
        yield from titles


def _regions(facts: PhotoFacts | None, files: Iterable[PhotoFile]) -> Iterator[NamedRegion]:
    if facts is None:
        return
    size_px = (facts.metadata.width_px, facts.metadata.height_px)
    yield from _in_pixels(upright_regions(facts.xmp.regions, facts.orientation), size_px, "embedded")
    for file in files:
        for xmp in _xmps(file):
            yield from _in_pixels(upright_regions(xmp.regions, facts.orientation), size_px, "xmp")
        yield from _in_pixels(_picasa_regions(file), size_px, "picasa")


def _in_pixels(regions: Iterable[FaceRegion], size_px: tuple[int, int], source: str) -> Iterator[NamedRegion]:
    width_px, height_px = size_px
    for region in regions:
        x1, y1, x2, y2 = region.box
        # The centre of the first pixel is at (0, 0), its outer edge at −0.5.
        box = (x1 * width_px - 0.5, y1 * height_px - 0.5, x2 * width_px - 0.5, y2 * height_px - 0.5)
        yield NamedRegion(region.name, box, source)


def _picasa_regions(file: PhotoFile) -> Iterator[FaceRegion]:
    """Regions on the upright photo."""
    for sidecar in file.sidecars:
        if not isinstance(sidecar, GoogleSidecar | GoogleAlbum | Xmp):
            for name, regions in sidecar.items():
                if nfc(name).casefold() == file.name.casefold():
                    yield from regions


def _xmps(file: PhotoFile) -> Iterator[Xmp]:
    return (sidecar for sidecar in file.sidecars if isinstance(sidecar, Xmp))
