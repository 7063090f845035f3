"""The files that speak of photos, of any kind: what they say, and how that is kept as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from alignimation_index.library.formats import extension
from alignimation_index.library.metadata import PhotoFacts, PhotoMetadata
from alignimation_index.library.names import PICASA_NAMES
from alignimation_index.library.sidecars.picasa import read_picasa_ini
from alignimation_index.library.sidecars.regions import FaceRegion
from alignimation_index.library.sidecars.xmp import Xmp, parse_xmp
from alignimation_index.library.takeout.folders import is_album_metadata
from alignimation_index.library.takeout.sidecar import ForeignJson, GoogleAlbum, GoogleSidecar, read_sidecar

SidecarKind = Literal["google", "album", "xmp", "picasa", "other"]
"""Of a photo or video, of an album, of a photo, of a folder; "other" speaks of no photo."""

PicasaRegions = Mapping[str, tuple[FaceRegion, ...]]
SidecarContent = GoogleSidecar | GoogleAlbum | Xmp | PicasaRegions

MAX_SIDECAR_BYTES = 16 << 20
"""What is larger is no sidecar."""


def read_sidecar_file(name: str, data: bytes) -> tuple[SidecarKind, SidecarContent]:
    """Read a sidecar by its name; of JSON that is none, nothing is kept.

    Args:
        name: base name.
        data: the whole file.

    Raises:
        UserError: it is broken; the message is the reason, without the path.
    """
    if name.lower() in PICASA_NAMES:
        return "picasa", read_picasa_ini(data)
    if extension(name) == "xmp":
        return "xmp", parse_xmp(data)
    try:
        found = read_sidecar(data)
    except ForeignJson:
        return "other", {}
    if isinstance(found, GoogleSidecar):
        return "google", found
    return ("album", found) if is_album_metadata(name) else ("other", {})


def to_json(record: SidecarContent | PhotoFacts) -> dict[str, Any]:
    """What a file says as JSON can hold it; `sidecar_from_json` and `facts_from_json` lead back."""
    if isinstance(record, Mapping):
        return {name: [asdict(region) for region in regions] for name, regions in record.items()}
    return asdict(record, dict_factory=_with_dates_as_text)


def sidecar_from_json(kind: str, fields: Mapping[str, Any]) -> SidecarContent:
    """What a sidecar of this kind says, from `to_json`."""
    return _CONTENTS[kind](fields)


def facts_from_json(fields: Mapping[str, Any]) -> PhotoFacts:
    """What a picture file says about itself, from `to_json`."""
    metadata = PhotoMetadata(**{**fields["metadata"], "taken_at": _date(fields["metadata"]["taken_at"])})
    position = fields["position"] and tuple(fields["position"])
    return PhotoFacts(metadata, position, fields["orientation"], _xmp(fields["xmp"]))


def _with_dates_as_text(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in items}


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _regions(regions: list[Mapping[str, Any]]) -> tuple[FaceRegion, ...]:
    return tuple(FaceRegion(region["name"], tuple(region["box"])) for region in regions)


def _google(fields: Mapping[str, Any]) -> GoogleSidecar:
    dates = {"taken_at_utc": _date(fields["taken_at_utc"])}
    return GoogleSidecar(**{**fields, **dates, "people": tuple(fields["people"])})


def _album(fields: Mapping[str, Any]) -> GoogleAlbum:
    return GoogleAlbum(**fields)


def _xmp(fields: Mapping[str, Any]) -> Xmp:
    return Xmp(**{**fields, "taken_at": _date(fields["taken_at"]), "regions": _regions(fields["regions"])})


def _picasa(fields: Mapping[str, Any]) -> PicasaRegions:
    return {name: _regions(regions) for name, regions in fields.items()}


_CONTENTS: dict[str, Callable[[Mapping[str, Any]], SidecarContent]] = {
    "google": _google,
    "album": _album,
    "xmp": _xmp,
    "picasa": _picasa,
    "other": dict,
}
