"""The rows that queries ask are those of the tables they are derived from, whoever wrote these."""

from datetime import datetime

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from alignimation_index.store import listed_triggers
from alignimation_index.store.face_tables import Assignment, Face, Person, Template, Transform
from alignimation_index.store.identity_tables import FaceVerdict, PersonState
from alignimation_index.store.listed_tables import TRASHED, UNDATED, ListedFace
from alignimation_index.store.tables import File, Photo, Root, Variant

COLUMNS = list(ListedFace.__table__.columns)
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
    session.flush()
    return {row.face_id: row for row in session.execute(select(*COLUMNS))}


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


def test_rows_made_anew_are_those_that_triggers_kept(session):
    finish(session, FACE, SECOND)
    say(session, Assignment, face_id=FACE, person_id=2, score=3)
    say(session, FaceVerdict, face_id=SECOND, person_id=1, is_face=True)
    kept = rows(session)
    listed_triggers.drop_triggers(session.connection())
    session.execute(delete(ListedFace))
    listed_triggers.rebuild(session.connection())
    assert rows(session) == kept
    assert len(kept) == 2
