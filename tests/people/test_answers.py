from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.people.answers import Answer, Known, folded, replay

ADA, BOB, EVE = 1, 2, 3
FACE, OTHER = 10, 11


def said(*answers):
    """What these answers come to, given in this order."""
    return replay(Answer(number, **answer) for number, answer in enumerate(answers, 1))


def confirm(face, person):
    return {"kind": "confirm", "face": face, "person": person}


def reject(face, person):
    return {"kind": "reject", "face": face, "person": person}


def merge(person, other):
    return {"kind": "merge", "person": person, "other": other}


def split(face, person, other):
    return {"kind": "split", "face": face, "person": person, "other": other}


def about(kind, person, value=None, face=None):
    return {"kind": kind, "person": person, "value": value, "face": face}


def region(face, name):
    return {"kind": "region", "face": face, "value": name, "given_here": False}


def test_nothing_said_is_nothing_known():
    assert said() == Known()


def test_of_two_answers_about_a_face_the_later_one_holds():
    assert said(confirm(FACE, ADA), confirm(FACE, BOB)).faces == {FACE: BOB}
    denied = {"kind": "not-a-face", "face": FACE}
    assert said(confirm(FACE, ADA), denied).faces == {FACE: None}
    assert said(denied, confirm(FACE, ADA)).faces == {FACE: ADA}


def test_a_rejection_takes_away_an_earlier_answer_and_gives_way_to_a_later_one():
    rejected = said(confirm(FACE, ADA), reject(FACE, ADA))
    assert (rejected.faces, rejected.rejected) == ({}, {(FACE, ADA)})
    confirmed = said(reject(FACE, ADA), confirm(FACE, ADA))
    assert (confirmed.faces, confirmed.rejected) == ({FACE: ADA}, frozenset())
    somebody_else = said(reject(FACE, ADA), confirm(FACE, BOB))
    assert (somebody_else.faces, somebody_else.rejected) == ({FACE: BOB}, {(FACE, ADA)})


def test_a_merged_person_goes_by_the_number_of_the_other():
    known = said(confirm(FACE, BOB), merge(ADA, BOB), merge(EVE, ADA))
    assert (known.faces, known.goes_by) == ({FACE: EVE}, {BOB: EVE, ADA: EVE})
    assert known.shaped == {EVE}


def test_merging_in_a_circle_changes_nothing():
    assert said(merge(ADA, BOB), merge(BOB, ADA)).goes_by == {BOB: ADA}


def test_a_merged_person_keeps_the_name_of_the_number_they_go_by():
    ada, bob = about("name", ADA, "Ada"), about("name", BOB, "Bob")
    assert said(ada, bob, merge(ADA, BOB)).names == {ADA: "Ada"}
    assert said(bob, merge(ADA, BOB)).names == {ADA: "Bob"}
    assert said(merge(ADA, BOB), ada, bob).names == {ADA: "Ada"}


def test_what_is_rejected_of_a_merged_person_is_rejected_of_both():
    assert said(reject(FACE, BOB), merge(ADA, BOB)).rejected == {(FACE, ADA)}


def test_a_split_takes_faces_to_somebody_else_and_keeps_them_apart():
    known = said(split(FACE, BOB, ADA), split(OTHER, BOB, ADA))
    assert known.faces == {FACE: BOB, OTHER: BOB}
    assert (known.apart, known.shaped) == ({(ADA, BOB)}, {ADA, BOB})
    assert said(split(FACE, BOB, ADA), merge(ADA, BOB)).apart == frozenset()


def test_names_birthdays_and_covers_are_those_said_last_and_can_be_taken_away():
    known = said(about("name", ADA, "Eda"), about("birthday", ADA, "1999-01-02"), about("cover", ADA, face=FACE))
    assert (known.names, known.births, known.covers) == ({ADA: "Eda"}, {ADA: date(1999, 1, 2)}, {ADA: FACE})
    known = said(about("name", ADA, "Eda"), about("birthday", ADA, "1999-01-02"), about("birthday", ADA, ""))
    assert known.births == {}
    assert said(about("name", ADA, "Eda"), about("name", ADA, "")).names == {ADA: ""}


def test_hidden_until_unhidden():
    assert said(about("hide", ADA)).hidden == {ADA}
    assert said(about("hide", ADA), about("unhide", ADA)).hidden == frozenset()


def test_a_named_region_is_whoever_has_the_name_else_somebody_to_be_made():
    assert said(about("name", BOB, "Ada "), region(FACE, "ADA")).faces == {FACE: BOB}
    missing = said(region(FACE, "Ada"), region(OTHER, "ada"))
    assert (missing.faces, missing.nobodys_names) == ({}, ("Ada",))


MADE = {"kind": "name", "person": EVE, "value": "Ada", "given_here": False}


def test_who_was_made_for_a_region_has_its_name_as_long_as_there_is_one():
    known = said(region(FACE, "ADA"), MADE)
    assert (known.faces, known.names, known.nobodys_names) == ({FACE: EVE}, {EVE: "ADA"}, ())
    assert said(MADE).names == {}
    assert said(region(FACE, "Ada"), MADE, about("name", EVE, "Ada Lovelace")).names == {EVE: "Ada Lovelace"}
    assert said(region(FACE, "Ada"), MADE, merge(BOB, EVE)).names == {BOB: "Ada"}


def test_an_answer_given_here_wins_over_a_region_whenever_that_was_read():
    assert said(confirm(FACE, BOB), region(FACE, "Ada"), MADE).faces == {FACE: BOB}
    assert said({"kind": "not-a-face", "face": FACE}, region(FACE, "Ada"), MADE).faces == {FACE: None}
    assert said(reject(FACE, EVE), region(FACE, "Ada"), MADE).faces == {}


@pytest.mark.parametrize(("one", "other"), [("Ärger", "ä\u0308rger".replace("ä\u0308", "a\u0308")), (" ADA", "ada ")])
def test_names_compare_in_any_letter_case_and_encoding(one, other):
    assert folded(one) == folded(other)


PEOPLE, FACES = st.integers(1, 5), st.integers(1, 6)
ANSWERS = st.lists(
    st.one_of(
        st.builds(confirm, FACES, PEOPLE),
        st.builds(reject, FACES, PEOPLE),
        st.builds(merge, PEOPLE, PEOPLE),
        st.builds(split, FACES, PEOPLE, PEOPLE),
        st.builds(about, st.just("name"), PEOPLE, st.sampled_from(["Ada", "Bob", ""])),
        st.builds(about, st.sampled_from(["hide", "unhide"]), PEOPLE),
        st.builds(region, FACES, st.sampled_from(["Ada", "Eve"])),
    ),
    max_size=25,
)


@given(ANSWERS, st.randoms())
def test_neither_the_order_of_reading_nor_numbers_in_between_matter(answers, random):
    numbered = [Answer(2 * number, **answer) for number, answer in enumerate(answers, 1)]
    known = replay(numbered)
    random.shuffle(numbered)
    assert replay(numbered) == known
    assert said(*answers) == known


@given(ANSWERS)
def test_what_is_known_is_known_of_numbers_that_people_go_by(answers):
    known = said(*answers)
    people = {person for person in known.faces.values() if person is not None}
    people |= {*known.names, *known.hidden, *known.shaped, *(person for _, person in known.rejected)}
    gone = known.goes_by.keys() - {*known.hidden}
    assert not (people - known.hidden) & gone
    assert all(known.number_of(number) == number for number in known.goes_by.values())
    assert not {pair for pair in known.faces.items() if pair in known.rejected}
    assert all(one < other for one, other in known.apart)
