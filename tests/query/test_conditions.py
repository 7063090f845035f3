"""What each term means, on rows of a store."""

from datetime import datetime

import numpy as np
import pytest
from few_faces import ADA, BOB, add_face, add_photo, add_portrait, name_person, paths
from sqlalchemy import delete, update

from alignimation_index.errors import UserError
from alignimation_index.pipeline.identity import refresh
from alignimation_index.query.frames import stream_judged_frames
from alignimation_index.query.language.expression import FrameFilter, parse_expression
from alignimation_index.query.language.photo_selection import PhotoFilter, count_photos, stream_photo_paths
from alignimation_index.query.language.selection import count_faces, count_variants_left_out, remarks
from alignimation_index.query.language.terms import TERMS
from alignimation_index.query.photos import select_photos
from alignimation_index.store.answer_log import PlacedFace, record
from alignimation_index.store.face_tables import Answer, Face
from alignimation_index.store.tables import Photo, PhotoAlbum, Variant


def set_photo(session, path, **columns):
    session.execute(update(Photo).where(Photo.content_hash == f"hash of {path}").values(**columns))


def photo_paths(session, expression):
    wanted = PhotoFilter(parse_expression(expression).condition)
    found = [photo.paths[0] for photo in select_photos(session, wanted)]
    assert found == list(stream_photo_paths(session, wanted))
    assert count_photos(session, wanted) == len(found)
    return found


def answer(session, kind, face_id, person_id=None):
    face = session.get(Face, face_id)
    content_hash = session.get(Photo, face.photo_id).content_hash
    number = record(session, kind, person_id, faces=[PlacedFace(content_hash, face.box)])
    refresh(session)
    return number


@pytest.fixture
def together(session):
    """Ada alone, Bob alone, both, and Ada with nobody known."""
    for path, people in (("ada", [ADA]), ("bob", [BOB]), ("both", [ADA, BOB]), ("stranger", [ADA, None])):
        photo_id = add_photo(session, path)
        for person in people:
            add_face(session, photo_id, person)
    name_person(session, BOB, "Bob")
    return session


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("person:1", ["ada", "both", "stranger"]),
        ("person:1 with:bob", ["both"]),
        ("with:Bob", ["both"]),
        ("without:Bob", ["ada", "stranger", "stranger"]),
        ("not with:Bob", ["ada", "bob", "both", "stranger", "stranger"]),
        ("person:1 not with:Bob", ["ada", "stranger"]),
        ("alone:yes", ["ada", "bob"]),
        ("alone:no person:1", ["both", "stranger"]),
        ("not person:1", ["bob", "both", "stranger"]),
        ("person:1 or person:Bob", ["ada", "bob", "both", "both", "stranger"]),
        ("person:1 person:Bob", []),
        ("not (person:1 or person:Bob)", ["stranger"]),
    ],
)
def test_who_is_on_a_photo_and_with_whom(together, expression, found):
    assert paths(together, expression) == found
    assert count_faces(together, parse_expression(expression)) == len(found)


def test_what_is_no_face_does_not_keep_anybody_company(together):
    (stranger,) = [frame for frame in select_all(together) if frame.person_id is None]
    assert paths(together, "person:1 alone:yes") == ["ada"]
    together.get(Face, stranger.face_id).box = np.array([100, 100, 200, 200])
    together.flush()
    answer(together, "not-a-face", stranger.face_id)
    assert paths(together, "person:1 alone:yes") == ["ada", "stranger"]


def select_all(session):
    from alignimation_index.query.frames import select_frames

    return select_frames(session, FrameFilter())


def test_dates_hold_to_the_second_and_undated_photos_have_none(session):
    for path, taken_at in (
        ("may", datetime(2015, 5, 31, 23, 59, 59, 999999)),
        ("june", datetime(2015, 6, 1)),
        ("2016", datetime(2016, 12, 31, 23, 59, 59, 999999)),
        ("old", datetime(1931, 2, 3, 4, 5, 6)),
        ("undated", None),
    ):
        add_face(session, add_photo(session, path, taken_at=taken_at))
    for listed in (paths, photo_paths):
        assert sorted(listed(session, "date:2015-06..2016")) == ["2016", "june"]
        assert sorted(listed(session, "date:<2015-06")) == ["may", "old"]
        assert sorted(listed(session, "date:..2015-06-01")) == ["june", "may", "old"]
        assert sorted(listed(session, "not date:2015..")) == ["old", "undated"]
        assert sorted(listed(session, "date:1900..")) == ["2016", "june", "may", "old"]
        assert listed(session, "year:>9999") == []


def test_an_age_is_counted_in_birthdays(session):
    for path, taken_at in (
        ("before", datetime(1999, 12, 30)),
        ("newborn", datetime(1999, 12, 31)),
        ("three weeks", datetime(2000, 1, 21)),
        ("nearly 3", datetime(2002, 12, 30, 23, 59)),
        ("3", datetime(2002, 12, 31)),
        ("nearly 4", datetime(2003, 12, 30)),
        ("4", datetime(2003, 12, 31)),
        ("undated", None),
    ):
        add_face(session, add_photo(session, path, taken_at=taken_at), ADA)
    add_portrait(session, "bob", 2003, BOB)
    assert paths(session, "age:3") == []
    assert "people birthday" in remarks(session, parse_expression("age:3"))[0]
    record(session, "birthday", ADA, value="1999-12-31")
    refresh(session)
    assert remarks(session, parse_expression("age:3")) == []
    assert paths(session, "age:3") == ["3", "nearly 4"]
    assert paths(session, "age:0..2") == ["newborn", "three weeks", "nearly 3"]
    assert paths(session, "age:<0.05") == ["newborn"]
    assert paths(session, "age:>3") == ["4"]
    assert paths(session, "age:>=3") == ["3", "nearly 4", "4"]


def test_angles_count_to_both_sides(session):
    for path, yaw, pitch in (("left", -25, 0), ("right", 25, -12), ("front", -5, 3)):
        face = session.get(Face, add_face(session, add_photo(session, path)))
        face.yaw_deg, face.pitch_deg = yaw, pitch
    session.flush()
    assert paths(session, "yaw:<20") == ["front"]
    assert paths(session, "yaw:20..") == ["left", "right"]
    assert paths(session, "yaw:<=25 pitch:<=3") == ["front", "left"]


def test_measures_have_bounds_that_belong_to_them_or_not(session):
    for path, size, residual in (("a", 80, 0.01), ("b", 120, 0.05), ("c", 200, None)):
        add_portrait(session, path, size_px=size, residual=residual)
    assert paths(session, "size:>=120") == ["b", "c"]
    assert paths(session, "size:>120") == ["c"]
    assert paths(session, "size:80..120") == ["a", "b"]
    assert paths(session, "residual:<0.05") == ["a"]
    assert paths(session, "not residual:<0.05") == ["b", "c"]
    assert paths(session, "quality:>=0.5 size:<100") == ["a"]


def test_albums_and_cameras_are_found_in_any_letter_case_or_by_pattern(session):
    for path, album, camera in (
        ("a", "Été 15", "Pixel 4"),
        ("b", "Summer 15", "NIKON D90"),
        ("c", "summer [16]", None),
    ):
        add_portrait(session, path)
        set_photo(session, path, camera=camera)
        session.add(
            PhotoAlbum(photo_id=session.query(Photo.id).order_by(Photo.id.desc()).limit(1).scalar(), name=album)
        )
    session.flush()
    for listed in (paths, photo_paths):
        assert listed(session, 'album:"été 15"') == listed(session, 'album:"E\u0301te\u0301 15"') == ["a"]
        assert listed(session, "album:summer*") == ["b", "c"]
        assert listed(session, 'album:"summer [16]"') == ["c"]
        assert listed(session, "camera:nikon") == ["b"]
        assert listed(session, "camera:*4") == ["a"]
        assert listed(session, "not camera:nikon") == ["a", "c"]
    with pytest.raises(UserError, match=r"There is no album 'Sumer 15'\. Did you mean 'Summer 15'"):
        paths(session, 'album:"Sumer 15"')
    with pytest.raises(
        UserError, match=r"There is no camera 'nikkon'. Did you mean 'NIKON D90'\?\n  camera:nikkon\n +\^{6}$"
    ):
        photo_paths(session, "camera:nikkon")


def test_paths_are_found_by_a_part_or_a_pattern_of_the_whole(session):
    add_face(session, add_photo(session, "/p/Cafe\u0301/a_1.jpg", "/q/b%.jpg"))
    add_face(session, add_photo(session, "/p/ab1.jpg", "-/p/caf\u00e9/gone.jpg"))
    for listed in (paths, photo_paths):
        assert listed(session, "path:café") == ["/p/Cafe\u0301/a_1.jpg"]
        assert listed(session, "path:a_1") == ["/p/Cafe\u0301/a_1.jpg"]
        assert listed(session, "path:%") == ["/p/Cafe\u0301/a_1.jpg"]
        assert listed(session, "path:/P/AB?.jpg") == ["/p/ab1.jpg"]
        assert listed(session, "path:ab?.jpg") == []
        assert listed(session, "path:*.jpg") == ["/p/Cafe\u0301/a_1.jpg", "/p/ab1.jpg"]


def test_places_are_near_across_the_date_line_and_at_the_poles(session):
    places = {"paris": (48.85, 2.35), "versailles": (48.80, 2.12), "fiji": (-17, 179.9), "taveuni": (-17, -179.9)}
    for path, (latitude, longitude) in {
        **places,
        "pole": (89.99, 0),
        "pole too": (89.99, 180),
        "none": (None, None),
    }.items():
        add_portrait(session, path)
        set_photo(session, path, latitude_deg=latitude, longitude_deg=longitude)
    for listed in (paths, photo_paths):
        assert listed(session, "near:48.85,2.35,20km") == ["paris", "versailles"]
        assert listed(session, "near:48.85,2.35,15km") == ["paris"]
        assert listed(session, "near:48.85,2.35,0m") == ["paris"]
        assert listed(session, 'near:"-17,180,20mi"') == listed(session, 'near:"-17,-180,12 km"') == ["fiji", "taveuni"]
        assert listed(session, "near:90,77,2km") == ["pole", "pole too"]
        assert "none" in listed(session, "not near:48.85,2.35,20km")


def test_favourites_are_those_of_the_export(session):
    for path, favourite in (("a", True), ("b", False), ("c", None)):
        add_portrait(session, path)
        set_photo(session, path, favourite=favourite)
    for listed in (paths, photo_paths):
        assert listed(session, "favourite:yes") == ["a"]
        assert listed(session, "favourite:no") == ["b", "c"]


def test_reviewed_is_of_whom_something_was_said_and_not_taken_back(session):
    faces = [add_face(session, add_photo(session, path), ADA) for path in "abc"]
    answer(session, "reject", faces[0], ADA)
    number = answer(session, "confirm", faces[1], ADA)
    assert paths(session, "reviewed:yes") == ["a", "b"]
    session.execute(update(Answer).where(Answer.id == number).values(undone_at_utc=datetime(2024, 1, 1)))
    assert paths(session, "reviewed:yes") == ["a"]
    assert paths(session, "reviewed:no") == ["b", "c"]


def test_photos_without_faces_are_asked_for_what_is_true_of_photos(together):
    add_photo(together, "landscape", taken_at=datetime(2012, 1, 1))
    set_photo(together, "both", taken_at=datetime(2012, 5, 5))
    assert photo_paths(together, "") == ["ada", "bob", "both", "landscape", "stranger"]
    assert photo_paths(together, "year:2012") == ["both", "landscape"]
    assert photo_paths(together, "without:Bob") == ["ada", "landscape", "stranger"]
    assert photo_paths(together, "with:Bob") == ["bob", "both"]
    assert photo_paths(together, "person:1 year:2012") == ["both"]
    assert photo_paths(together, "not person:1") == ["bob", "both", "stranger"]


def test_somebody_unknown_is_pointed_at_with_who_may_be_meant(together):
    name_person(together, ADA, "Ada L")
    with pytest.raises(UserError) as raised:
        paths(together, "year:2012 with:Adda")
    assert str(raised.value) == (
        'Nobody is called Adda. Did you mean "Ada L"? See who there is: alignindex people list\n'
        "  year:2012 with:Adda\n"
        "                 ^^^^"
    )


def test_bodies_are_refused_as_long_as_there_are_none(session):
    with pytest.raises(UserError, match="no bodies"):
        paths(session, "kind:body")


def test_of_variants_the_best_that_is_wanted_is_taken(session):
    for rank, path in enumerate("abc"):
        add_portrait(session, path, size_px=200 if path != "a" else 50)
        photo_id = session.query(Photo.id).order_by(Photo.id.desc()).limit(1).scalar()
        session.add(Variant(photo_id=photo_id, group_id=1, kind="burst", role="burst", rank=rank))
    session.flush()

    def best(expression):
        wanted = FrameFilter(parse_expression(expression).condition, all_variants=False)
        from alignimation_index.query.frames import select_frames

        found = [frame.path for frame in select_frames(session, wanted)]
        assert count_faces(session, wanted) == len(found)
        return found, count_variants_left_out(session, wanted)

    assert best("") == (["a"], 2)
    assert best("size:>=100") == (["b"], 1)
    set_photo(session, "b", trashed=True)
    assert best("size:>=100") == (["c"], 0)


def test_it_is_told_by_which_conditions_a_frame_is_left_out(session):
    add_portrait(session, "good", 2000)
    add_portrait(session, "early", 1990)
    add_portrait(session, "bad", 2000, frontal=False, size_px=10)
    add_portrait(session, "of another", 2000, person_id=BOB)
    wanted = parse_expression("person:1 year:2000.. frontal:yes size:>=100 (yaw:<10 or pitch:<1) not residual:>0.5")
    assert [(frame.path, why) for frame, why in stream_judged_frames(session, wanted)] == [
        ("bad", ["not frontal (--any-pose keeps them)", "the face is smaller than 100 pixels"]),
        ("good", []),
    ]
    everything = stream_judged_frames(session, wanted, of_whole_person=True)
    assert [(frame.path, why[:1]) for frame, why in everything] == [
        ("early", ["not year:2000.."]),
        ("bad", ["not frontal (--any-pose keeps them)"]),
        ("good", []),
    ]


def test_every_term_takes_part_in_every_combination(together):
    """No term breaks the statement of another, for faces or photos, negated or not."""
    record(together, "birthday", ADA, value="1980-01-01")
    set_photo(together, "ada", camera="pixel")
    together.add(PhotoAlbum(photo_id=1, name="A"))
    refresh(together)
    examples = {"person": "person:1", "album": "album:a", "camera": "camera:pixel", "kind": "kind:face"}
    terms = [examples.get(name, kind.examples.split()[0]) for name, kind in TERMS.items() if name != "kind"]
    everything = len(select_all(together))
    for written in [*terms, " or ".join(terms), " ".join(terms)]:
        yes, no = paths(together, written), paths(together, f"not ({written})")
        assert len(yes) + len(no) == everything
        photo_paths(together, written)
        photo_paths(together, f"not ({written})")


def test_people_without_faces_are_no_error(session):
    session.execute(delete(Face))
    assert paths(session, "person:1 with:2") == []
