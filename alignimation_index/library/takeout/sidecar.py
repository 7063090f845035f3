"""What the JSON files of a Google Photos export say: about a photo, or about an album."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alignimation_index.errors import UserError

_PHOTO_FIELDS = {"photoTakenTime", "creationTime", "geoDataExif", "imageViews", "googlePhotosOrigin"}
"""What stands in the file of a photo or video, and never at the top of an album's."""

_SECONDS = re.compile(r"-?\d{1,12}", re.ASCII)
_EPOCH = datetime(1970, 1, 1)


class SidecarError(UserError):
    """A JSON file is neither a sidecar nor an album's; the message is the reason, without the path."""


class ForeignJson(SidecarError):  # noqa: N818 - nothing is wrong with it
    """It is JSON, of another program."""


@dataclass(frozen=True, slots=True)
class GoogleSidecar:
    """What Google Photos knows about a photo or video.

    Attributes:
        title: its name when it was uploaded, the same for all uploads of that name.
        description: the caption; empty without one.
        taken_at_utc: when it was taken, in UTC without a time zone, to the second, or None.
        latitude: degrees, north positive, or None; None together with `longitude`.
        longitude: degrees, east positive, or None.
        people: the names of those who are on it, each once.
        favourite: it was marked with a star.
        archived: it was moved to the archive.
        trashed: it was in the bin.
    """

    title: str
    description: str
    taken_at_utc: datetime | None
    latitude: float | None
    longitude: float | None
    people: tuple[str, ...]
    favourite: bool
    archived: bool
    trashed: bool


@dataclass(frozen=True, slots=True)
class GoogleAlbum:
    """What Google Photos knows about an album: its title and description, either may be empty."""

    title: str
    description: str


def read_sidecar(data: bytes) -> GoogleSidecar | GoogleAlbum:
    """Read a JSON file of an export; fields that are absent or of another type than Google's count as empty.

    Args:
        data: the whole file.

    Raises:
        ForeignJson: it is JSON about neither a photo nor an album.
        SidecarError: it is no JSON.
    """
    fields = _mapping(_parse(data))
    if not _PHOTO_FIELDS.isdisjoint(fields):
        return _photo(fields)
    album = _mapping(fields.get("albumData")) or fields
    if not isinstance(album.get("title"), str):
        raise ForeignJson("the JSON describes neither a photo nor an album of Google Photos")
    return GoogleAlbum(_text(album.get("title")), _text(album.get("description")))


def _parse(data: bytes) -> object:
    try:
        return json.loads(data)
    except RecursionError as error:
        raise SidecarError("the JSON is nested too deeply") from error
    except ValueError as error:  # also bytes that are no text, and integers of thousands of digits
        raise SidecarError(f"the JSON is broken: {error}") from error


def _photo(fields: Mapping[str, object]) -> GoogleSidecar:
    place = _coordinates(fields.get("geoData")) or _coordinates(fields.get("geoDataExif"))
    latitude, longitude = place or (None, None)
    return GoogleSidecar(
        title=_text(fields.get("title")),
        description=_text(fields.get("description")),
        taken_at_utc=_time(fields.get("photoTakenTime")),
        latitude=latitude,
        longitude=longitude,
        people=_people(fields.get("people")),
        favourite=fields.get("favorited") is True,
        archived=fields.get("archived") is True,
        trashed=fields.get("trashed") is True,
    )


def _time(value: object) -> datetime | None:
    """Seconds since 1970 as text; zero stands for an unknown time."""
    seconds = _SECONDS.fullmatch(_text(_mapping(value).get("timestamp")))
    if seconds is None or int(seconds[0]) == 0:
        return None
    try:
        return _EPOCH + timedelta(seconds=int(seconds[0]))
    except OverflowError:
        return None


def _coordinates(value: object) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees; (0, 0) stands for an unknown place."""
    place = _mapping(value)
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180) or latitude == longitude == 0:
        return None
    return float(latitude), float(longitude)


def _people(value: object) -> tuple[str, ...]:
    people = value if isinstance(value, list) else []
    names = (_text(_mapping(person).get("name")) for person in people)
    return tuple(dict.fromkeys(name for name in names if name))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """A text, without the halves of characters that JSON can hold and no database takes; empty for all else."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
