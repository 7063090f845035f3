from datetime import date, datetime

import pytest
from answering import face, index_people, people, who
from fakes import FakeModels, draw_photo, frames, index

from alignimation_index.errors import UserError
from alignimation_index.pipeline import person_answers as answer
from alignimation_index.query.people import find_person, suggestions
from alignimation_index.store import answer_log
from alignimation_index.store.answer_log import PlacedFace
from alignimation_index.store.people import replace_suggestions

RED, BLUE = 1, 2
PHOTOS = [("red",), ("red", "blue"), ("blue",), ("red", "blue"), ("red",), ("yellow",)]


@pytest.fixture(autouse=True)
def album(store, fakes, photos):
    """Red from 1990 and blue from 1991, by the machine; on the last photo a stranger."""
    index_people(store, fakes, photos, *PHOTOS)
    return photos


def by_machine(person, name=None):
    return person, name, "machine"


def by_answer(person, name=None):
    return person, name, "answer"


NOBODY = (None, None, None)
START = {
    (1990, 0): by_machine(RED),
    (1991, 0): by_machine(RED),
    (1991, 1): by_machine(BLUE),
    (1992, 0): by_machine(BLUE),
    (1993, 0): by_machine(RED),
    (1993, 1): by_machine(BLUE),
    (1994, 0): by_machine(RED),
    (1995, 0): NOBODY,
}


def test_the_machine_finds_two_people_and_a_stranger(store):
    assert who(store) == START
    assert [(one.id, one.photo_count, one.to_review) for one in people(store)] == [(RED, 4, 0), (BLUE, 3, 0)]


def test_a_confirmed_face_is_that_person_at_once(store):
    given = answer.confirm(store, [face(store, 1995)], str(RED))
    assert (given.person, given.called, given.notes, given.has_followed) == (RED, "person 1", [], True)
    assert who(store) == START | {(1995, 0): by_answer(RED)}


def test_a_face_is_confirmed_as_whom_it_is_taken_for(store):
    given = answer.confirm(store, [face(store, 1991, 0), face(store, 1991, 1)])
    assert given.person == 0
    assert who(store) == START | {(1991, 0): by_answer(RED), (1991, 1): by_answer(BLUE)}


def test_somebody_new_can_be_made_of_one_face_and_goes_when_that_is_undone(store):
    given = answer.confirm(store, [face(store, 1995)], "Zoe", create=True)
    assert who(store)[1995, 0] == by_answer(given.person, "Zoe")
    assert answer.undo(store) == f"{given.number}: face {face(store, 1995)}: person 3, called Zoe"
    assert who(store) == START
    answer.name_person(store, "1", "Zoe")


def test_a_rejected_face_is_never_that_person_again(store, fakes, album):
    answer.reject(store, [face(store, 1990)])
    assert who(store) == START | {(1990, 0): NOBODY}
    index(store, FakeModels(detector_id="another", shift_px=3))
    index(store, fakes)
    assert who(store) == START | {(1990, 0): NOBODY}
    answer.confirm(store, [face(store, 1990)], str(BLUE))
    assert who(store)[1990, 0] == by_answer(BLUE)
    draw_photo(album / "1996.jpg", "red", shade=140, taken_at=datetime(1996, 1, 1))
    index(store, fakes)
    assert who(store)[1996, 0] == by_machine(RED)


def test_what_is_no_face_is_left_out_everywhere_until_it_is_one_again(store):
    number = face(store, 1991, 1)
    answer.deny_faces(store, [number])
    assert who(store) == {place: one for place, one in START.items() if place != (1991, 1)}
    assert [one.photo_count for one in people(store)] == [4, 2]
    answer.confirm(store, [number], str(BLUE))
    assert who(store) == START | {(1991, 1): by_answer(BLUE)}


def test_a_merge_shows_at_once_and_is_undone_by_one_answer(store):
    answer.name_person(store, str(BLUE), "Blue")
    given = answer.merge(store, "1", "blue")
    assert given.notes == ["They are on 2 photos together: if they are two, take it back."]
    assert set(who(store).values()) == {by_machine(RED, "Blue"), NOBODY}
    with store.reading() as session:
        assert find_person(session, "2") == find_person(session, "BLUE") == RED
    answer.undo(store)
    named = {place: by_machine(BLUE, "Blue") for place, one in START.items() if one == by_machine(BLUE)}
    assert who(store) == START | named


def test_an_undone_merge_gives_back_faces_that_were_assigned_anew_meanwhile(store, fakes):
    answer.merge(store, "1", "2")
    index(store, FakeModels(embedder_id="facenet-vggface2"))
    assert set(who(store).values()) == {by_machine(RED), NOBODY}
    answer.undo(store)
    assert who(store) == START
    index(store, fakes)
    assert who(store) == START


def test_what_is_not_split_off_stays_though_everybody_is_found_anew(store):
    given = answer.split(store, "1", [face(store, 1990), face(store, 1991)], "Other")
    expected = START | {(1990, 0): by_answer(3, "Other"), (1991, 0): by_answer(3, "Other")}
    assert (given.person, who(store)) == (3, expected)
    index(store, FakeModels(embedder_id="facenet-vggface2"))
    assert who(store) == expected
    answer.undo(store)
    assert who(store) == START


def test_a_name_is_taken_and_can_be_taken_away(store):
    answer.name_person(store, "1", " Ada ")
    with pytest.raises(UserError, match=r"Person 1 is called ada already.*alignindex people merge 1 2"):
        answer.name_person(store, "2", "ada")
    answer.name_person(store, "ADA", "")
    answer.name_person(store, "2", "ada")
    assert [one.name for one in people(store)] == [None, "ada"]
    answer.undo(store, 1)
    answer.undo(store, 2)
    assert [one.name for one in people(store)] == [None, "ada"]


def test_giving_a_name_that_somebody_has_can_make_them_one(store):
    answer.name_person(store, "2", "Ada")
    assert answer.name_person(store, "1", "ada", merge=True).person == BLUE
    assert [(one.id, one.name, one.photo_count) for one in people(store)] == [(BLUE, "Ada", 5)]


def test_two_people_of_one_name_are_said_with_the_way_out(store):
    answer.name_person(store, "1", "Ada")
    answer.name_person(store, "1", "Eve")
    answer.name_person(store, "2", "Ada")
    answer.undo(store, 2)
    with store.reading() as session, pytest.raises(UserError, match=r"2 people are called ada: 1, 2.*merge 1 2"):
        find_person(session, "ada")


def test_one_person_twice_on_a_photo_by_answer_is_kept_and_said(store):
    faces = [face(store, 1991, 0), face(store, 1991, 1)]
    given = answer.confirm(store, faces, "1")
    assert f"1991.jpg 2 times now (faces {faces[0]} {faces[1]})" in given.notes[0]
    assert who(store) == START | {(1991, 0): by_answer(RED), (1991, 1): by_answer(RED)}


def test_an_answer_takes_the_place_of_the_machines_face_on_the_same_photo(store):
    answer.confirm(store, [face(store, 1991, 1)], "1")
    assert who(store) == START | {(1991, 0): NOBODY, (1991, 1): by_answer(RED)}
    answer.undo(store)
    assert who(store) == START


def test_a_hidden_person_is_not_listed(store):
    answer.hide(store, "1")
    assert [one.id for one in people(store)] == [BLUE]
    assert [(one.id, one.hidden) for one in people(store, include_hidden=True)] == [(RED, True), (BLUE, False)]
    answer.hide(store, "1", hidden=False)
    assert [one.id for one in people(store)] == [RED, BLUE]


def test_nobody_is_on_photos_taken_before_their_birth_and_later_frames_have_an_age(store, fakes, album):
    answer.set_birthday(store, "1", date(1991, 5, 6))
    assert who(store) == START | {(1990, 0): NOBODY}
    ages = {frame.taken_at.year: frame.age_years for frame in frames(store) if frame.person_id == RED}
    assert ages == {1991: 0, 1993: pytest.approx(2, abs=0.01), 1994: pytest.approx(3, abs=0.01)}
    draw_photo(album / "1985.jpg", "red", shade=140, taken_at=datetime(1985, 1, 1))
    index(store, fakes)
    assert who(store)[1985, 0][0] != RED
    index(store, FakeModels(embedder_id="facenet-vggface2"))
    assert RED not in (who(store)[1985, 0][0], who(store)[1990, 0][0])
    assert who(store)[1991, 0] == by_machine(RED)
    answer.set_birthday(store, "1", None)
    assert who(store)[1985, 0] == who(store)[1990, 0] == by_machine(RED)
    assert {frame.age_years for frame in frames(store)} == {None}


def test_an_answer_wins_over_a_birthday(store):
    answer.confirm(store, [face(store, 1990)], "1")
    answer.set_birthday(store, "1", date(1991, 5, 6))
    assert who(store)[1990, 0] == by_answer(RED)


def test_a_cover_is_one_of_the_persons_faces(store):
    with pytest.raises(UserError, match="is not person 1's"):
        answer.set_cover(store, "1", face(store, 1992))
    answer.set_cover(store, "1", face(store, 1993))
    assert [one.cover_face_id for one in people(store)] == [face(store, 1993), None]


@pytest.mark.parametrize(
    ("say", "message"),
    [
        (lambda store: answer.confirm(store, [99], "1"), "There is no face 99"),
        (lambda store: answer.confirm(store, [face(store, 1995)]), "is nobody's so far.*people confirm"),
        (lambda store: answer.reject(store, [face(store, 1995)]), "is nobody's so far.*people reject"),
        (lambda store: answer.confirm(store, [face(store, 1990)], "Zoe"), "Nobody is called Zoe"),
        (lambda store: answer.merge(store, "1", "1"), "one person already"),
        (lambda store: answer.merge(store, "1", "9"), "There is no person 9"),
        (lambda store: answer.split(store, "1", [face(store, 1992)]), "is not person 1's"),
        (lambda store: answer.split(store, "1", [face(store, 1990)], "7"), "'7' cannot be a name"),
        (lambda store: answer.undo(store), "Nothing was answered"),
        (lambda store: answer.undo(store, 5), "There is no answer 5"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused_and_changes_nothing(store, say, message):
    with pytest.raises(UserError, match=message):
        say(store)
    assert who(store) == START
    with store.reading() as session:
        assert answer_log.version(session)[0] == 0


def test_an_answer_is_undone_once(store):
    given = answer.hide(store, "1")
    answer.undo(store, given.number)
    with pytest.raises(UserError, match=r"Answer 1 was undone before: person 1 is hidden\."):
        answer.undo(store, given.number)


def say_region(store, year, name, box):
    """What reading a sidecar with a named region leaves."""
    (content,) = {frame.content_hash for frame in frames(store) if frame.taken_at.year == year}
    with store.writing() as session:
        return answer_log.record(session, "region", faces=[PlacedFace(content, box)], value=name, source="xmp")


def test_a_named_region_names_the_face_that_it_covers(store, fakes):
    say_region(store, 1990, "Ada", [5, 35, 60, 90])
    say_region(store, 1991, "Nobody", [100, 0, 120, 20])
    index(store, fakes)
    assert who(store)[1990, 0] == by_answer(3, "Ada")
    assert who(store)[1991, 0] == by_machine(3, "Ada")
    answer.merge(store, "2", "ada")
    assert who(store)[1990, 0] == by_answer(BLUE, "Ada")
    assert who(store)[1992, 0] == by_machine(BLUE, "Ada")
    answer.reject(store, [face(store, 1990)])
    assert who(store)[1990, 0][0] != BLUE


def test_a_region_means_who_has_its_name(store, fakes):
    answer.name_person(store, "2", "ada")
    say_region(store, 1990, "Ada", [10, 40, 50, 80])
    index(store, fakes)
    assert who(store)[1990, 0] == by_answer(BLUE, "ada")


def test_an_undone_region_leaves_the_face_to_the_machine(store, fakes):
    number = say_region(store, 1990, "Ada", [10, 40, 50, 80])
    index(store, fakes)
    answer.undo(store, number)
    index(store, fakes)
    assert who(store) == START


def test_answers_hold_where_the_face_is_found_again_after_a_time_without_it(store, fakes):
    answer.confirm(store, [face(store, 1995)], "Zoe", create=True)
    index(store, FakeModels(detector_id="another", shift_px=25))
    assert "Zoe" not in {name for _, name, _ in who(store).values()}
    index(store, fakes)
    assert who(store)[1995, 0][1:] == ("Zoe", "answer")


def test_a_face_that_drifts_keeps_its_answers(store):
    answer.confirm(store, [face(store, 1995)], "Zoe", create=True)
    for step in range(1, 5):
        index(store, FakeModels(detector_id=f"another {step}", shift_px=7 * step))
        assert {name for _, name, _ in who(store).values()} >= {"Zoe"}


def test_answers_wait_for_an_update_that_runs(store):
    with store.updating(lambda: None):
        given = answer.confirm(store, [face(store, 1991, 1)], "1")
    assert not given.has_followed
    assert who(store)[1991, 0] == by_machine(RED)


def test_what_is_left_to_the_next_update_is_done_by_it(store, fakes):
    with store.updating(lambda: None):
        answer.confirm(store, [face(store, 1991, 1)], "1")
    index(store, fakes)
    assert who(store)[1991, 0] == NOBODY


def test_a_suggestion_is_gone_once_it_is_answered(store):
    with store.writing() as session:
        replace_suggestions(session, [(face(store, 1995), RED, -1.0), (face(store, 1990), RED, 0.5)])
    with store.reading() as session:
        assert [(one.face_id, one.person_id, one.is_assigned) for one in suggestions(session)] == [
            (face(store, 1990), RED, True),
            (face(store, 1995), RED, False),
        ]
    assert people(store)[0].to_review == 2
    with store.updating(lambda: None):
        answer.reject(store, [face(store, 1995)])
        answer.confirm(store, [face(store, 1990)])
    assert who(store) == START | {(1990, 0): by_answer(RED)}
    assert people(store)[0].to_review == 0
