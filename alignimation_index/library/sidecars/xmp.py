"""XMP, embedded in a picture or in a sidecar file: dates, a rating, named faces."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from alignimation_index.errors import UserError
from alignimation_index.library.dates.timestamps import WallClock, parse_date
from alignimation_index.library.sidecars.regions import FaceRegion, face_region

log = logging.getLogger(__name__)

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_MWG = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
_MP_INFO = "{http://ns.microsoft.com/photo/1.2/t/RegionInfo#}"
_MP_REGION = "{http://ns.microsoft.com/photo/1.2/t/Region#}"

_DATES = (
    "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
    "{http://ns.adobe.com/exif/1.0/}DateTimeOriginal",
    f"{_XMP}CreateDate",
)
"""Best first: what a person who corrects a date changes, the camera's, when it was digitized or the file begun."""

_PADDING = b"\0 \t\r\n"


class XmpError(UserError):
    """A packet is no XMP; the message is the reason, without the path."""


@dataclass(frozen=True, slots=True)
class Xmp:
    """What an XMP packet says about a photo.

    Attributes:
        taken_at: local wall-clock time without a time zone, to the second; midnight where only the day is known.
        has_time: whether more than the day is known.
        utc_offset: what the wall clock was ahead of UTC, like "+02:00", or None.
        rating: 1 to 5 stars, 0 for none given, -1 for rejected; None where it says nothing.
        regions: named faces on the picture as it is stored, before EXIF orientation. So the Metadata Working Group
            wants it (Guidelines 2.0, 5.9), and so digiKam writes both schemas that are read. Programs that frame faces
            on the upright picture instead are not told apart.
    """

    taken_at: datetime | None = None
    has_time: bool = False
    utc_offset: str | None = None
    rating: int | None = None
    regions: tuple[FaceRegion, ...] = ()


def read_xmp(data: bytes) -> Xmp:
    """Read an embedded XMP packet as `parse_xmp` does; one that cannot be read is empty."""
    try:
        return parse_xmp(data)
    except XmpError as error:
        log.debug("unreadable XMP: %s", error)
        return Xmp()


def parse_xmp(data: bytes) -> Xmp:
    """Read an XMP packet, or a whole `.xmp` file, in UTF-8.

    Raises:
        XmpError: it is no XML, or has a document type declaration, which could name other files, or entities that grow
            without end.
    """
    try:
        root = ElementTree.fromstring(data.strip(_PADDING), ElementTree.XMLParser(target=_WithoutDoctype()))
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the last two for encodings
        raise XmpError(f"the XMP is broken: {error}") from error
    properties = list(_properties(root))
    clock = _date(properties)
    regions = tuple(filter(None, _mwg_regions(root))) or tuple(filter(None, _microsoft_regions(root)))
    rating = _rating(_value(properties, f"{_XMP}Rating"))
    if clock is None:
        return Xmp(rating=rating, regions=regions)
    return Xmp(clock.time, clock.has_time, clock.utc_offset, rating, regions)


class _WithoutDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, *_: object) -> None:
        raise ValueError(f"it declares a document type, {name}")


def _properties(root: Element) -> Iterator[Element]:
    """The elements that hold the photo's own properties, as attributes or as text; not those of its ingredients."""
    for rdf in root.iter(f"{_RDF}RDF"):
        for description in rdf:
            yield description
            yield from description


def _value(elements: Iterable[Element], name: str) -> str:
    """The first text of a property, be it an attribute, an element or the first item of a list; empty if missing."""
    for element in elements:
        if name in element.attrib:
            return element.attrib[name].strip()
        if element.tag == name:
            return next(filter(None, map(str.strip, element.itertext())), "")
    return ""


def _date(properties: list[Element]) -> WallClock | None:
    """The best date: one with a time of day before one without."""
    clocks = [clock for name in _DATES if (clock := parse_date(_value(properties, name)))]
    return min(clocks, key=lambda clock: not clock.has_time, default=None)


def _rating(text: str) -> int | None:
    rating = _number(text)
    return int(rating) if -1 <= rating <= 5 else None


def _mwg_regions(root: Element) -> Iterator[FaceRegion | None]:
    """Regions of the Metadata Working Group: centre and size."""
    for fields in _items(root, f"{_MWG}RegionList"):
        if _value(fields, f"{_MWG}Type") in ("Face", ""):
            x, y, w, h = (_number(_value(fields, _AREA + side)) for side in "xywh")
            yield face_region(_value(fields, f"{_MWG}Name"), (x - w / 2, y - h / 2, x + w / 2, y + h / 2))


def _microsoft_regions(root: Element) -> Iterator[FaceRegion | None]:
    """Regions of Windows Photo Gallery: left, top and size."""
    for fields in _items(root, f"{_MP_INFO}Regions"):
        numbers = [_number(part) for part in _value(fields, f"{_MP_REGION}Rectangle").split(",")]
        if len(numbers) == 4:
            x, y, w, h = numbers
            yield face_region(_value(fields, f"{_MP_REGION}PersonDisplayName"), (x, y, x + w, y + h))


def _items(root: Element, list_name: str) -> Iterator[list[Element]]:
    """The items of a list of structures, each with all elements inside, any of which may hold its fields."""
    structures = next(root.iter(list_name), None)
    if structures is not None:
        for item in structures.iterfind(f"*/{_RDF}li"):
            yield list(item.iter())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
