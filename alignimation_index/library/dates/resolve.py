"""When a photo was taken, decided from everything that speaks of it.

Convention: a photo's date is what a wall clock on the spot showed, a time without a zone; what a source says in UTC is
moved to it. Nothing depends on the zone of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from alignimation_index.errors import UserError
from alignimation_index.library.dates.names import date_in_name, year_in_name
from alignimation_index.library.dates.sources import SOURCES
from alignimation_index.library.dates.timestamps import (
    format_utc_offset,
    is_credible_utc,
    offset_as_delta,
    offset_between,
    parse_date,
    parse_utc_offset,
)
from alignimation_index.library.metadata import PhotoMetadata
from alignimation_index.library.sidecars.xmp import Xmp

_CLOCKS = ("exif", "sidecar", "xmp", "name", "exif-modified")
"""Sources that tell each other's offset from UTC. An answer stands as given; an mtime may be that of a copy."""

_YEAR = re.compile(r"\d{4}", re.ASCII)

_ONE_YEAR = timedelta(days=365)
_SAME_MOMENT = timedelta(minutes=1)
"""By how much two sources may be apart that speak of one moment: a file is named when it is saved."""


@dataclass(frozen=True, slots=True)
class DateCandidate:
    """When a photo was taken, according to one source.

    Attributes:
        source: one of SOURCES.
        time: without a time zone: by the wall clock, or in UTC.
        is_utc: which of them.
        has_time: whether more than the day is known.
        utc_offset: what the wall clock was ahead of UTC, like "+02:00", or None.
    """

    source: str
    time: datetime
    is_utc: bool = False
    has_time: bool = True
    utc_offset: str | None = None


@dataclass(frozen=True, slots=True)
class PhotoDate:
    """When a photo was taken.

    Attributes:
        taken_at: by the wall clock, to the second; in UTC where the source is UTC and no offset is known. Midnight
            where only the day is known, the middle of the year where only that is ("folder-year").
        source: one of SOURCES.
        utc_offset: what the wall clock was ahead of UTC, like "+02:00", or None.
    """

    taken_at: datetime
    source: str
    utc_offset: str | None


def from_answer(taken_at: datetime, utc_offset: str | None = None) -> DateCandidate:
    """What a person said, by the wall clock."""
    return DateCandidate("answer", taken_at, utc_offset=utc_offset)


def parse_answer(text: str, utc_offset: str | None = None) -> datetime:
    """What a person answered: `2004-05-06`, `2004-05-06 07:08`, or `2004` for its middle; with the zone if it is given.

    Raises:
        UserError: it is no date, or the offset is not like +02:00.
    """
    said = parse_date(text) or (from_folder(text) if _YEAR.fullmatch(text) else None)
    if said is None:
        raise UserError(f"'{text}' is no date of a photo. Write 2004-05-06, '2004-05-06 07:08' or 2004.")
    offset = parse_utc_offset(utc_offset) if utc_offset else said.utc_offset
    if utc_offset and offset is None:
        raise UserError(f"'{utc_offset}' is no offset from UTC. Write it like +02:00.")
    return said.time.replace(tzinfo=timezone(offset_as_delta(offset))) if offset else said.time


def from_exif(metadata: PhotoMetadata) -> DateCandidate | None:
    """The date of a file's EXIF, "exif" or "exif-modified"."""
    if metadata.taken_at is None or metadata.taken_at_source is None:
        return None
    return DateCandidate(metadata.taken_at_source, metadata.taken_at, utc_offset=metadata.utc_offset)


def from_sidecar(taken_at_utc: datetime | None) -> DateCandidate | None:
    """The time in the sidecar of an export, in UTC, with or without saying so."""
    if taken_at_utc is None:
        return None
    if taken_at_utc.tzinfo is not None:
        taken_at_utc = taken_at_utc.astimezone(timezone.utc).replace(tzinfo=None)
    return _in_utc("sidecar", taken_at_utc)


def from_xmp(xmp: Xmp) -> DateCandidate | None:
    """The date of an XMP packet, embedded or in a file of its own."""
    if xmp.taken_at is None:
        return None
    return DateCandidate("xmp", xmp.taken_at, has_time=xmp.has_time, utc_offset=xmp.utc_offset)


def from_name(file_name: str) -> DateCandidate | None:
    """The date in a file's name."""
    found = date_in_name(file_name)
    return DateCandidate("name", found.time, found.is_utc, found.has_time) if found else None


def from_folder(folder_name: str) -> DateCandidate | None:
    """The middle of the year in a folder's name."""
    year = year_in_name(folder_name)
    return DateCandidate("folder-year", datetime(year, 7, 2, 12), has_time=False) if year else None


def from_mtime(mtime_ns: int) -> DateCandidate | None:
    """The last change of a file, nanoseconds since 1970 UTC."""
    try:
        return _in_utc("mtime", datetime(1970, 1, 1) + timedelta(seconds=mtime_ns // 10**9))
    except OverflowError:
        return None


def choose_date(candidates: Iterable[DateCandidate | None], longitude_deg: float | None = None) -> PhotoDate | None:
    """The best date of a photo; the same whatever the order of the candidates.

    The most trusted of SOURCES wins, with one exception: a scanned photo bears the date of the scan, so that a sidecar
    which is more than a year older than EXIF is a person's correction. Of several candidates from one source, those
    with a time of day come first, then the earliest.

    A time in UTC is moved to the wall clock by the first of these that is known: an offset that another source names;
    the offset at which another source's wall clock shows the same moment; the nautical zone of the longitude. The
    offset that a wall clock lacks is found by the second way alone.

    Args:
        candidates: of all files that hold the photo; None is passed over.
        longitude_deg: where it was taken, east positive, or None.
    """
    known = sorted(filter(None, candidates), key=_by_trust)
    if not known:
        return None
    best = _correction_of_scan(known) or known[0]
    offset = _utc_offset(best, known, longitude_deg)
    if offset is None:
        return PhotoDate(best.time, best.source, None)
    taken_at = best.time + offset if best.is_utc else best.time
    return PhotoDate(taken_at, best.source, format_utc_offset(offset))


def _in_utc(source: str, time: datetime) -> DateCandidate | None:
    time = time.replace(microsecond=0)
    return DateCandidate(source, time, is_utc=True) if is_credible_utc(time) else None


def _by_trust(candidate: DateCandidate) -> tuple[object, ...]:
    unknown_last = (candidate.utc_offset is None, candidate.utc_offset or "")
    return (SOURCES.index(candidate.source), not candidate.has_time, candidate.time, candidate.is_utc, *unknown_last)


def _correction_of_scan(known: Sequence[DateCandidate]) -> DateCandidate | None:
    sidecar = next((candidate for candidate in known if candidate.source == "sidecar"), None)
    if sidecar and known[0].source == "exif" and known[0].time - sidecar.time > _ONE_YEAR:
        return sidecar
    return None


def _utc_offset(best: DateCandidate, known: Sequence[DateCandidate], longitude_deg: float | None) -> timedelta | None:
    if best.utc_offset is not None:
        return offset_as_delta(best.utc_offset)
    clocks = [candidate for candidate in known if candidate.source in _CLOCKS and candidate.has_time]
    if best.is_utc and (named := _offset_named(best, clocks)):
        return offset_as_delta(named)
    told = _offset_told(best, clocks)
    if told is not None:
        return told or None  # no difference: a program took the wall clock for UTC, and the zone is still unknown
    return _nautical_zone(longitude_deg) if best.is_utc else None


def _offset_named(best: DateCandidate, clocks: Sequence[DateCandidate]) -> str | None:
    """An offset that another source names; the day of a scan says nothing of the zone of the photo."""
    near = (other for other in clocks if abs(best.time - other.time) <= _ONE_YEAR)
    return next((other.utc_offset for other in near if other.utc_offset), None)


def _offset_told(best: DateCandidate, clocks: Sequence[DateCandidate]) -> timedelta | None:
    """The offset at which two candidates, one by the wall clock and one in UTC, are the same moment."""
    if best not in clocks:
        return None
    pairs = ((other, best) if best.is_utc else (best, other) for other in clocks if other.is_utc != best.is_utc)
    offsets = (offset_between(wall_clock.time, utc.time, _SAME_MOMENT) for wall_clock, utc in pairs)
    return next((offset for offset in offsets if offset is not None), None)


def _nautical_zone(longitude_deg: float | None) -> timedelta | None:
    """Whole hours by the sun: where clocks follow a law instead, up to about three hours off."""
    return None if longitude_deg is None else timedelta(hours=round(longitude_deg / 15))
