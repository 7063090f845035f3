from datetime import datetime

import numpy as np
import pytest
from few_faces import ADA, BOB, MATRIX, add_face, add_photo, add_portrait, name_person, paths

from alignimation_index.errors import UserError
from alignimation_index.query.frames import select_frames, stream_frames
from alignimation_index.query.language.expression import FrameFilter, parse_expression
from alignimation_index.query.people import who_is
from alignimation_index.query.photos import select_photos
from alignimation_index.store.face_tables import Face
from alignimation_index.store.tables import StageKey, StageRun


def test_a_frame_carries_what_is_known_of_its_face(session):
    taken_at = datetime(2004, 2, 29, 12, 30)
    face_id = add_face(session, add_photo(session, "/photos/a.jpg", taken_at=taken_at), ADA)
    name_person(session, ADA, "Ada")
    (frame,) = select_frames(session, FrameFilter())
    assert (frame.path, frame.content_hash, frame.taken_at) == ("/photos/a.jpg", "hash of /photos/a.jpg", taken_at)
    assert (frame.width_px, frame.height_px, frame.face_id, frame.score) == (800, 600, face_id, 0.9)
    assert (frame.yaw_deg, frame.pitch_deg, frame.roll_deg, frame.frontal) == (1, 2, 3, True)
    assert (frame.size_px, frame.quality, frame.person_id, frame.person) == (200, 0.5, ADA, "Ada")
    assert (frame.template, frame.residual) == ("face", 0.01)
    np.testing.assert_array_equal(frame.box, [1, 2, 3, 4])
    np.testing.assert_array_equal(frame.landmarks, np.ones((5, 2)))
    np.testing.assert_array_equal(frame.template_from_photo, MATRIX)


def test_a_face_of_nobody_that_is_not_registered_is_listed_all_the_same(session):
    add_portrait(session, "/photos/a.jpg", person_id=None, residual=None)
    (frame,) = select_frames(session, FrameFilter())
    assert (frame.person_id, frame.person, frame.template_from_photo, frame.residual) == (None, None, None, None)


def test_a_face_whose_stages_are_not_all_done_is_not_listed(session):
    photo_id = add_photo(session, "/photos/a.jpg")
    face_id = add_face(session, photo_id)
    session.get(Face, face_id).quality = None
    assert paths(session) == []


def test_frames_come_in_the_order_of_time_and_undated_ones_last(session):
    for name, year in (("c", None), ("b", 2010), ("a", 2015), ("d", 2001)):
        add_portrait(session, f"/photos/{name}.jpg", year)
    assert paths(session) == ["/photos/d.jpg", "/photos/b.jpg", "/photos/a.jpg", "/photos/c.jpg"]


def test_a_person_is_meant_by_name_in_any_case_or_by_number(session):
    add_portrait(session, "/photos/ada.jpg", person_id=ADA)
    add_portrait(session, "/photos/bob.jpg", person_id=BOB)
    name_person(session, BOB, "Bob")
    assert paths(session, "person:bob") == paths(session, "person:2") == ["/photos/bob.jpg"]
    assert who_is(session, "BOB") == ("2", None)


def test_me_is_the_person_so_named(session):
    add_portrait(session, "/photos/ada.jpg", person_id=ADA)
    add_portrait(session, "/photos/bob.jpg", person_id=BOB)
    name_person(session, BOB, "me")
    assert who_is(session, "me") == (str(BOB), None)


def test_me_where_nobody_is_so_named_is_who_is_on_most_photos_and_that_is_said(session):
    for name, person in (("1", ADA), ("2", BOB), ("3", BOB)):
        add_portrait(session, f"/photos/{name}.jpg", person_id=person)
    name_person(session, BOB, "Bob")
    number, note = who_is(session, "me")
    assert number == str(BOB)
    assert "taking person 2 (Bob), who is on most photos (2)" in note
    assert "alignindex people name NUMBER me" in note


@pytest.mark.parametrize("unknown", ["Zoe", "77", "me"])
def test_an_unknown_person_is_named_with_the_way_to_see_who_there_is(session, unknown):
    with pytest.raises(UserError, match=f"Nobody is called {unknown}.*alignindex people list"):
        select_frames(session, parse_expression(f"person:{unknown}"))


def test_years_are_inclusive_and_leave_undated_photos_out(session):
    for path, taken_at in (
        ("1999", datetime(1999, 12, 31, 23, 59, 59)),
        ("2000", datetime(2000, 1, 1)),
        ("2001", datetime(2001, 12, 31, 23, 59, 59)),
        ("2002", datetime(2002, 1, 1)),
        ("undated", None),
    ):
        add_face(session, add_photo(session, path, taken_at=taken_at))
    assert paths(session, "year:2000..2001") == ["2000", "2001"]
    assert paths(session, "year:2001..") == ["2001", "2002"]
    assert paths(session, "year:..2000") == ["1999", "2000"]


def test_a_last_year_beyond_the_calendar_is_no_bound(session):
    add_portrait(session, "/photos/a.jpg", 2010)
    assert paths(session, "year:..9999") == ["/photos/a.jpg"]


def test_frontal_size_and_residual_narrow_the_choice(session):
    add_portrait(session, "good")
    add_portrait(session, "profile", frontal=False)
    add_portrait(session, "small", size_px=99.9)
    add_portrait(session, "askew", residual=0.2)
    assert paths(session, "frontal:yes") == ["askew", "good", "small"]
    assert paths(session, "frontal:no") == ["profile"]
    assert paths(session, "size:>=100") == ["askew", "good", "profile"]
    assert paths(session, "residual:<=0.1") == ["good", "profile", "small"]
    assert paths(session, "frontal:yes size:>=100 residual:<=0.1") == ["good"]


def test_photos_whose_files_are_all_missing_are_not_listed(session):
    add_portrait(session, "-gone.jpg")
    add_portrait(session, "here.jpg")
    assert paths(session) == ["here.jpg"]
    assert [photo.paths for photo in select_photos(session)] == [["here.jpg"]]


def test_a_photo_in_several_files_is_one_frame_at_the_first_that_is_there(session):
    add_face(session, add_photo(session, "c.jpg", "b.jpg", "-a.jpg"))
    assert paths(session) == ["b.jpg"]
    assert [photo.paths for photo in select_photos(session)] == [["b.jpg", "c.jpg"]]


def test_two_faces_of_a_photo_are_two_frames(session):
    photo_id = add_photo(session, "a.jpg")
    faces = [add_face(session, photo_id, ADA), add_face(session, photo_id, BOB)]
    assert [frame.face_id for frame in select_frames(session, FrameFilter())] == faces


def test_photos_are_listed_by_path_with_whether_they_could_be_read(session):
    add_photo(session, "b.jpg")
    broken = add_photo(session, "a.jpg")
    session.add(StageKey(key="k", stage="detect", made_of={}))
    session.flush()
    session.add(StageRun(photo_id=broken, stage="detect", key="k", status="error", reason="truncated"))
    session.flush()
    assert [(photo.paths[0], photo.status) for photo in select_photos(session)] == [("a.jpg", "error"), ("b.jpg", "ok")]


@pytest.mark.parametrize("asked", ["Ärger", "ärger", "ÄRGER", "A\u0308rger", " Ärger "])
def test_a_name_is_found_in_any_letter_case_and_encoding(session, asked):
    name_person(session, BOB, "Ärger")
    assert who_is(session, asked) == (str(BOB), None)


def test_a_later_name_of_the_same_person_replaces_the_earlier_one(session):
    name_person(session, BOB, "Bob")
    name_person(session, BOB, "Robert")
    assert who_is(session, "robert") == (str(BOB), None)
    with pytest.raises(UserError, match="Nobody is called Bob"):
        who_is(session, "Bob")


def test_that_nobody_is_so_called_is_said_before_the_first_frame_is_asked_for(session):
    with pytest.raises(UserError, match="Nobody is called Eve"):
        stream_frames(session, parse_expression("person:Eve"))


def test_frames_and_photos_are_complete_beyond_what_is_read_at_a_time(session):
    for number in range(1003):
        add_face(session, add_photo(session, f"{number:04}.jpg"))
    in_order = [f"{number:04}.jpg" for number in range(1003)]
    assert [frame.path for frame in stream_frames(session, FrameFilter())] == in_order
    assert [photo.paths for photo in select_photos(session)] == [[path] for path in in_order]
