import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.people.faces import NOBODY
from alignimation_index.people.recognise import keep_ids


def kept(labels, before, known=()):
    return keep_ids(np.array(labels), np.array(before), known)


def test_a_person_found_anew_keeps_the_number_that_most_of_its_faces_had():
    assert kept([0, 0, 0, 1, 1], [7, 7, 3, 3, 3]) == {0: 7, 1: 3}


def test_of_two_parts_of_a_person_the_larger_keeps_the_number():
    assert kept([0, 1, 1, 1, 0], [5, 5, 5, 5, 5]) == {1: 5}


def test_two_people_who_become_one_keep_the_number_of_the_larger():
    assert kept([0, 0, 0, 0, 0], [1, 1, 2, 2, 2]) == {0: 2}


def test_a_number_lost_to_a_larger_overlap_leaves_the_next_best():
    assert kept([0, 0, 0, 1, 1, 1, 1], [2, 2, 3, 2, 2, 2, 3]) == {1: 2, 0: 3}


def test_faces_that_wait_or_waited_share_nothing():
    assert kept([NOBODY, 0, 1], [4, NOBODY, 6]) == {1: 6}
    assert kept([NOBODY], [NOBODY]) == {}


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=40))
def test_numbers_are_kept_one_to_one(pairs):
    labels, before = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    mapping = keep_ids(labels, before)
    assert len(set(mapping.values())) == len(mapping)
    assert all(((labels == new) & (before == old)).any() for new, old in mapping.items())


def test_somebody_named_keeps_most_of_their_faces_though_a_larger_stranger_joined_them():
    labels, before = [0] * 8, [1] * 3 + [2] * 5
    assert kept(labels, before) == {0: 2}
    assert kept(labels, before, known=(1,)) == {0: 1}


def test_a_few_faces_of_somebody_named_win_nothing():
    assert kept([0] * 6 + [1] * 3, [2] * 5 + [1] * 4, known=(1,)) == {0: 2, 1: 1}
