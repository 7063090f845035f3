"""Sidecars as programs write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alignimation_index.query.language.photo_selection import PhotoFilter
from alignimation_index.query.photos import IndexedPhoto, select_photos
from alignimation_index.store.engine import Store

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{rating}"
  xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:DateCreated="{date}"
  xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
  xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">
 <mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li>
  <rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face">
   <mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.25" stArea:h="0.5"/>
  </rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
</rdf:Description></rdf:RDF></x:xmpmeta>"""

PICASA = "[{photo}]\nfaces=rect64(4000400080008000),{id}\n[Contacts2]\n{id}={name};;\n"


def google(title: str, taken_at: int = 1_100_000_000, people: tuple[str, ...] = (), **flags: Any) -> bytes:
    """A photo's JSON; `taken_at` is in seconds since 1970, flags are favorited, archived and trashed."""
    about = {"title": title, "photoTakenTime": {"timestamp": str(taken_at)}, "people": [{"name": p} for p in people]}
    return json.dumps({**about, **flags}).encode()


def album(title: str) -> bytes:
    return json.dumps({"title": title, "description": ""}).encode()


def xmp(name: str = "Ada", rating: int = 4, date: str = "1999-05-06T07:08:09") -> bytes:
    return XMP.format(name=name, rating=rating, date=date).encode()


def picasa(photo: str, name: str = "Ada") -> bytes:
    return PICASA.format(photo=photo, name=name, id="d56d7d9e2e1f3a4b").encode()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def listed(store: Store, **options: Any) -> list[IndexedPhoto]:
    """The photos, trashed and archived ones too unless the options say otherwise."""
    with store.reading() as session:
        wanted = {"include_trashed": True, "include_archived": True, **options}
        return list(select_photos(session, PhotoFilter(**wanted)))


def only(store: Store) -> IndexedPhoto:
    (photo,) = listed(store)
    return photo
