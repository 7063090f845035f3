"""The rows that queries ask are those of the tables they are derived from, whoever wrote these."""

from datetime import date, datetime

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from alignimation_index.store import listed_triggers
from alignimation_index.store.face_tables import Answer, Assignment, Face, Person, Template, Transform
from alignimation_index.store.identity_tables import AnswerFace, FaceVerdict, PersonState
from alignimation_index.store.listed_tables import ARCHIVED, TRASHED, UNDATED, ListedFace, ListedPhoto
from alignimation_index.store.tables import File, Photo, Root, Variant

TABLES = ListedFace.__table__, ListedPhoto.__table__
PHOTO, FACE, SECOND = 7, 70, 71


@pytest.fixture
def session(store):
    """A photo in two files with two faces, one of them assigned and registered; written row by row."""
    with store.writing() as session:
        session.add_all([Root(id=1, path="/p"), Person(id=1), Person(id=2)])
        session.add(Template(id=1, name="face", landmarks=np.zeros((5, 2))))
        session.add(Photo(id=PHOTO, content_hash="aa", taken_at=datetime(1969, 12, 31, 23, 59, 59, 900000)))
        session.flush()
        for id_ in (FACE, SECOND):
            session.add(Face(id=id_, photo_id=PHOTO, box=[0, 0, 1, 1], score=1, detected_landmarks=np.zeros((5, 2))))
        session.flush()
        for number in (1, 2):
            session.add(File(id=number, root_id=1, path=f"/p/{number}", size=1, mtime_ns=1, inode=1, photo_id=PHOTO))
        session.flush()
        yield session


def rows(session):
    """The faces that are listed by the triggers, which are those that would be if all were listed anew."""
    session.flush()
    kept = [session.execute(select(table).order_by(table.c.photo_id)).all() for table in TABLES]
    listed_triggers.drop_triggers(session.connection())
    listed_triggers.rebuild(session.connection())
    assert [session.execute(select(table).order_by(table.c.photo_id)).all() for table in TABLES] == kept
    return {row.face_id: row for row in kept[0]}


def photos(session):
    return {row.photo_id: row for row in session.execute(select(ListedPhoto.__table__))}


def finish(session, *faces):
    """What later stages write."""
    done = {"landmarks": np.ones((5, 2)), "frontal": True, "yaw_deg": 1.0, "pitch_deg": 2.0, "size_px": 80.0}
    session.execute(update(Face).where(Face.id.in_(faces)).values(quality=0.5, **done))


def say(session, model, **columns):
    session.add(model(**columns))
    session.flush()


def test_a_face_is_listed_once_its_stages_are_done(session):
    assert rows(session) == {}
    finish(session, FACE)
    (row,) = rows(session).values()
    assert (row.moment, row.face_id, row.photo_id, row.person_id) == (-1, FACE, PHOTO, None)
    assert (row.frontal, row.yaw_deg, row.pitch_deg, row.size_px, row.quality) == (True, 1.0, 2.0, 80.0, 0.5)
    assert (row.favourite, row.hidden, row.variant_group, row.variant_rank) == (False, 0, None, 0)
    session.execute(update(Photo).values(taken_at=None, favourite=True, trashed=True))
    (row,) = rows(session).values()
    assert (row.moment, row.favourite, row.hidden) == (UNDATED, True, TRASHED)


def test_a_face_is_listed_while_a_file_holds_its_photo(session):
    finish(session, FACE)
    for number in (1, 2):
        assert FACE in rows(session)
        session.execute(update(File).where(File.id == number).values(missing_since_utc=datetime(2024, 1, 1)))
    assert rows(session) == {}
    session.execute(update(File).where(File.id == 1).values(missing_since_utc=None))
    assert FACE in rows(session)
    session.execute(delete(File).where(File.id == 1))
    assert rows(session) == {}
    say(session, File, id=3, root_id=1, path="/p/3", size=1, mtime_ns=1, inode=1, photo_id=PHOTO)
    assert FACE in rows(session)
    session.execute(update(File).where(File.id == 3).values(photo_id=None))
    assert rows(session) == {}


def test_whose_face_it_is_follows_the_machine_answers_and_merges(session):
    finish(session, FACE)
    say(session, Assignment, face_id=FACE, person_id=2, score=3)
    assert rows(session)[FACE].person_id == 2
    say(session, PersonState, person_id=2, goes_by_id=1, hidden=False)
    assert rows(session)[FACE].person_id == 1
    session.execute(update(PersonState).values(goes_by_id=2))
    assert rows(session)[FACE].person_id == 2
    say(session, FaceVerdict, face_id=FACE, person_id=1, is_face=True)
    assert rows(session)[FACE].person_id == 1
    session.execute(update(FaceVerdict).values(person_id=None))
    assert rows(session)[FACE].person_id is None
    session.execute(update(FaceVerdict).values(is_face=False))
    assert rows(session) == {}
    session.execute(delete(FaceVerdict))
    assert rows(session)[FACE].person_id == 2
    session.execute(delete(Assignment))
    assert rows(session)[FACE].person_id is None


def test_registration_variants_and_what_goes_are_followed(session):
    finish(session, FACE, SECOND)
    say(session, Transform, face_id=FACE, template_id=1, matrix=np.ones((2, 3)), residual=0.1, method="x")
    assert [row.residual for row in rows(session).values()] == [0.1, None]
    session.execute(update(Transform).values(residual=0.2))
    assert rows(session)[FACE].residual == 0.2
    session.execute(delete(Transform))
    assert rows(session)[FACE].residual is None
    say(session, Variant, photo_id=PHOTO, group_id=3, kind="burst", role="burst", rank=1)
    assert {(row.variant_group, row.variant_rank) for row in rows(session).values()} == {(3, 1)}
    session.execute(delete(Variant))
    assert rows(session)[SECOND].variant_group is None
    session.execute(delete(Face).where(Face.id == FACE))
    assert list(rows(session)) == [SECOND]


def test_a_photo_at_hand_is_listed_with_what_its_faces_come_to(session):
    assert photos(session)[PHOTO][:2] == ("/p/1", PHOTO)
    assert (photos(session)[PHOTO].faces, photos(session)[PHOTO].people) == (0, ",")
    finish(session, FACE, SECOND)
    say(session, Assignment, face_id=FACE, person_id=2, score=3)
    say(session, Assignment, face_id=SECOND, person_id=1, score=3)
    assert {(row.faces, row.people) for row in rows(session).values()} == {(2, ",1,2,")}
    assert (photos(session)[PHOTO].faces, photos(session)[PHOTO].people) == (2, ",1,2,")
    say(session, FaceVerdict, face_id=SECOND, person_id=None, is_face=False)
    assert {(row.faces, row.people) for row in rows(session).values()} == {(1, ",2,")}
    session.execute(delete(Assignment).where(Assignment.face_id == FACE))
    assert rows(session)[FACE].people == ","
    session.execute(delete(File))
    assert (rows(session), photos(session)) == ({}, {})


def test_paths_follow_the_files(session):
    finish(session, FACE)
    assert (rows(session)[FACE].path, rows(session)[FACE].more_paths) == ("/p/1", True)
    session.execute(update(File).where(File.id == 1).values(path="/p/9"))
    assert rows(session)[FACE].path == "/p/2"
    session.execute(delete(File).where(File.id == 2))
    assert (rows(session)[FACE].path, rows(session)[FACE].more_paths) == ("/p/9", False)


def test_a_face_moves_with_what_is_said_of_its_photo(session):
    finish(session, FACE)
    place = {"latitude_deg": 48.85, "longitude_deg": 2.35}
    session.execute(update(Photo).values(taken_at=datetime(2012, 1, 1), camera="Pixel", archived=True, **place))
    row = rows(session)[FACE]
    assert (row.moment, row.camera, row.hidden, row.latitude_deg, row.longitude_deg) == (
        1325376000,
        "Pixel",
        ARCHIVED,
        48.85,
        2.35,
    )
    session.add(Photo(id=8, content_hash="bb"))
    session.flush()
    session.execute(update(File).where(File.id == 1).values(photo_id=8))
    assert photos(session).keys() == {PHOTO, 8}
    session.execute(update(File).values(photo_id=8))
    assert (list(rows(session)), list(photos(session))) == ([], [8])


def test_an_age_follows_the_person_their_birthday_and_the_date(session):
    finish(session, FACE)
    session.execute(update(Photo).values(taken_at=datetime(2004, 2, 29, 12)))
    say(session, Assignment, face_id=FACE, person_id=2, score=3)
    assert rows(session)[FACE].age_years is None
    say(session, PersonState, person_id=2, goes_by_id=2, hidden=False, born=date(2000, 2, 29))
    assert rows(session)[FACE].age_years == 4
    session.execute(update(Photo).values(taken_at=datetime(2004, 2, 28, 12)))
    assert rows(session)[FACE].age_years == pytest.approx(3 + 364 / 365.2425)
    session.execute(update(PersonState).values(born=date(2003, 12, 31)))
    assert rows(session)[FACE].age_years == pytest.approx(59 / 365.2425)
    session.execute(update(Photo).values(taken_at=datetime(2003, 12, 30)))
    assert rows(session)[FACE].age_years is None
    session.execute(update(Photo).values(taken_at=datetime(2023, 12, 31)))
    assert rows(session)[FACE].age_years == 20
    say(session, FaceVerdict, face_id=FACE, person_id=1, is_face=True)
    assert rows(session)[FACE].age_years is None
    say(session, PersonState, person_id=1, goes_by_id=1, hidden=False, born=date(2013, 12, 31))
    assert rows(session)[FACE].age_years == 10
    session.execute(update(Photo).values(taken_at=None))
    assert rows(session)[FACE].age_years is None


def test_reviewed_follows_answers(session):
    finish(session, FACE)
    assert not rows(session)[FACE].reviewed
    for number, kind in ((1, "confirm"), (2, "cover")):
        say(session, Answer, id=number, kind=kind)
        say(session, AnswerFace, answer_id=number, face_id=FACE)
    assert rows(session)[FACE].reviewed
    session.execute(update(Answer).where(Answer.id == 1).values(undone_at_utc=datetime(2024, 1, 1)))
    assert not rows(session)[FACE].reviewed
    session.execute(update(Answer).values(undone_at_utc=None))
    assert rows(session)[FACE].reviewed
    session.execute(delete(AnswerFace).where(AnswerFace.answer_id == 1))
    assert not rows(session)[FACE].reviewed


def test_photos_are_listed_once_more_when_they_come_back(session):
    finish(session, FACE, SECOND)
    before = rows(session)
    session.execute(update(File).values(missing_since_utc=datetime(2024, 1, 1)))
    assert rows(session) == {}
    session.execute(update(File).values(missing_since_utc=None))
    assert rows(session) == before
    assert len(before) == 2
