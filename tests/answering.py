"""A drawn library with people on it, and what the tests ask of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from fakes import FakeModels, draw_photo, frames, index
from sqlalchemy import extract, select

from alignimation_index.query.people import PersonSummary, summaries
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Face
from alignimation_index.store.tables import Photo

PX_APART = 50


def draw_people(folder: Path, *photos: tuple[str, ...], first_year: int = 1990) -> None:
    """A photo a year with the faces of these people, from left to right."""
    for number, shown in enumerate(photos):
        taken_at = datetime(first_year + number, 5, 6)
        draw_photo(folder / f"{first_year + number}.jpg", *shown, shade=100 + number, taken_at=taken_at)


def index_people(store: Store, fakes: FakeModels, folder: Path, *photos: tuple[str, ...]) -> None:
    """Draw, and index."""
    draw_people(folder, *photos)
    index(store, fakes, folder)


def who(store: Store) -> dict[tuple[int, int], tuple[int | None, str | None, str | None]]:
    """(Year, which face from the left) → person's number and name, and whether an answer or the machine says so."""
    return {
        (frame.taken_at.year, int(frame.box[0]) // PX_APART): (frame.person_id, frame.person, frame.assigned_by)
        for frame in frames(store)
        if frame.taken_at is not None
    }


def face(store: Store, year: int, place: int = 0) -> int:
    """The number of a face, by year and place from the left; also of one that is none by answer."""
    columns = select(Face.id, Face.box).join(Photo, Photo.id == Face.photo_id)
    with store.reading() as session:
        found = session.execute(columns.where(extract("year", Photo.taken_at) == year)).all()
    (face_id,) = (id_ for id_, box in found if int(box[0]) // PX_APART == place)
    return int(face_id)


def people(store: Store, **hidden: bool) -> list[PersonSummary]:
    """As a list shows them."""
    with store.reading() as session:
        return summaries(session, **hidden)
