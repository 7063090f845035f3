"""The frames of a film, chosen from a store."""

from datetime import datetime

import pytest
from answering import face, index_people
from fakes import draw_photo, index
from sqlalchemy import delete, update

from alignimation_index.query.choosing.choose import Choice, choose_frames
from alignimation_index.query.choosing.pacing import Pace
from alignimation_index.query.language.expression import parse_expression
from alignimation_index.store.face_tables import Face, Transform
from alignimation_index.store.tables import Photo

FIRST, LAST = 1990, 1999


@pytest.fixture
def red(store, fakes, photos):
    """Red, a photo a year from FIRST to LAST."""
    index_people(store, fakes, photos, *[("red",)] * (LAST - FIRST + 1))
    return store


def change(store, year, **columns):
    with store.writing() as session:
        session.execute(update(Face).where(Face.id == face(store, year)).values(**columns))


def choose(store, choice=None, expression=""):
    with store.reading() as session:
        return choose_frames(session, parse_expression(expression), choice)


def years(chosen):
    return [frame.taken_at.year for frame in chosen.frames]


def test_what_is_left_out_is_counted_by_reason_and_listed_in_the_order_of_time(red):
    change(red, 1991, frontal=False)
    change(red, 1995, frontal=False)
    change(red, 1993, size_px=5.0)
    with red.writing() as session:
        session.execute(delete(Transform).where(Transform.face_id == face(red, 1992)))
        session.execute(update(Transform).where(Transform.face_id == face(red, 1994)).values(residual=0.3))
    chosen = choose(red, expression="frontal:yes size:>=20 residual:<=0.2")
    assert years(chosen) == [1990, 1996, 1997, 1998, 1999]
    assert chosen.reasons == {
        "not frontal (--any-pose keeps them)": 2,
        "the face could not be registered": 1,
        "the face is smaller than 20 pixels": 1,
        "the residual is above 0.2": 1,
    }
    assert [one.frame.taken_at.year for one in chosen.left_out] == [1991, 1992, 1993, 1994, 1995]


def test_without_a_person_it_is_me(red, fakes, photos):
    draw_photo(photos / "green.jpg", "green", taken_at=datetime(1990, 1, 1))
    index(red, fakes, photos)
    chosen = choose(red)
    assert years(chosen) == list(range(FIRST, LAST + 1))
    assert "taking person 1" in chosen.note


@pytest.mark.parametrize("limit", [1, 2, 4, 10, 99])
def test_a_limit_leaves_as_many_evenly_over_time(red, limit):
    chosen = choose(red, Choice(limit=limit))
    count = min(limit, LAST - FIRST + 1)
    assert len(chosen.frames) == count
    early = sum(year < 1995 for year in years(chosen))
    assert early == pytest.approx(count / 2, abs=0.5)
    assert chosen.reasons == ({f"more than --limit {limit}": 10 - limit} if limit < 10 else {})


def test_the_frames_have_times_and_the_film_its_length(red):
    chosen = choose(red, Choice(Pace(photos_per_second=5)))
    assert chosen.starts_s == pytest.approx([0.2 * place for place in range(10)])
    assert chosen.seconds == pytest.approx(2)
    assert choose(red, Choice(Pace(5, 0.4))).reasons == {"there are more than --duration has room for": 5}


def test_undated_frames_come_last_or_not_at_all(red):
    with red.writing() as session:
        session.execute(update(Photo).where(Photo.taken_at < datetime(1992, 1, 1)).values(taken_at=None))
    by_photos, by_time = choose(red), choose(red, Choice(Pace(even="time")))
    assert [frame.taken_at is None for frame in by_photos.frames] == [False] * 8 + [True] * 2
    assert by_time.reasons == {"it has no date (photos set-date gives it one)": 2}
    assert len(by_time.frames) == 8


def test_nothing_is_chosen_from_nothing(red):
    chosen = choose(red, Choice(Pace(12, 60), limit=3, pins=frozenset({"ab"})), "year:2050..")
    assert (chosen.frames, chosen.starts_s, chosen.seconds, chosen.left_out) == ([], [], 0, [])
    assert "1 pinned photo cannot be shown" in chosen.note


def test_choosing_twice_is_the_same(red):
    choice = Choice(Pace(12, 0.5, "time"), limit=8)
    assert years(choose(red, choice)) == years(choose(red, choice))
