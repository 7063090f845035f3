from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignimation_index.people.assign import LOG_ODDS_PER_REACH, assign_faces
from alignimation_index.people.calibration import CALIBRATIONS, Calibration
from alignimation_index.people.faces import NOBODY, Evidence, Faces

REACH_OF_TEST = Calibration(join=0.5, found=0.4)
# Three people, well apart from each other.
CENTRES = np.array([[0, 0, 0, 0], [2, 0, 0, 0], [0, 2, 0, 0]], np.float32)


def faces_near(person, count, seed=0, deviation=0.05):
    return CENTRES[person] + np.random.default_rng(seed).normal(0, deviation, (count, 4)).astype(np.float32)


def assign(vectors, photos=None, settled=None, **known):
    """Labels, and distances to the person joined."""
    count = len(vectors)
    photos = np.arange(count) if photos is None else np.array(photos)
    nan = np.full(count, np.nan)
    known["settled"] = np.full(count, NOBODY) if settled is None else np.array(settled)
    taken_at_s = known.pop("taken_at_s", nan)
    faces = Faces(np.asarray(vectors, np.float32), photos, np.array(taken_at_s, float), nan)
    found = assign_faces(faces, replace(Evidence.none(count), **known), REACH_OF_TEST)
    return found.labels, REACH_OF_TEST.join * (1 - found.scores / LOG_ODDS_PER_REACH)


def partition(labels, order):
    """Which faces are together, by their places before they were shuffled; who waits is alone."""
    groups = {}
    for place, label in zip(order, labels, strict=True):
        groups.setdefault(("waits", place) if label == NOBODY else label, set()).add(int(place))
    return {frozenset(group) for group in groups.values()}


def test_three_faces_that_agree_found_a_person():
    labels, distances = assign(faces_near(0, 3))
    assert labels.tolist() == [0, 0, 0]
    assert (distances < REACH_OF_TEST.join).all()


def test_two_faces_that_agree_wait():
    labels, distances = assign(faces_near(0, 2))
    assert labels.tolist() == [NOBODY, NOBODY]
    assert np.isnan(distances).all()


def test_three_faces_of_which_two_disagree_wait():
    chain = np.array([[0, 0], [0.35, 0], [-0.35, 0]])
    assert assign(chain)[0].tolist() == [NOBODY] * 3


def test_people_are_numbered_as_they_are_found():
    vectors = np.vstack([faces_near(1, 3), faces_near(0, 3), faces_near(1, 2, seed=1)])
    assert assign(vectors)[0].tolist() == [0, 0, 0, 1, 1, 1, 0, 0]


def test_a_late_face_joins_the_nearest_person_within_reach():
    labels, distances = assign(np.vstack([faces_near(0, 3), faces_near(1, 3), CENTRES[1][None] + 0.1, [[9, 9, 9, 9]]]))
    assert labels[6:].tolist() == [1, NOBODY]
    assert distances[6] == pytest.approx(0.2, abs=0.06)
    assert np.isnan(distances[7])


def test_a_waiting_face_joins_a_person_who_came_into_its_reach_later():
    far = np.array([[0.6, 0]])
    core = np.array([[0, 0], [0.01, 0], [0, 0.01]])
    drift = np.array([[0.35, 0], [0.4, 0], [0.4, 0.01], [0.4, -0.01]])
    assert assign(np.vstack([far, core]))[0].tolist() == [NOBODY, 0, 0, 0]
    assert assign(np.vstack([far, core, drift]))[0].tolist() == [0] * 8


def test_the_distance_is_the_root_mean_square_distance_to_the_persons_faces():
    vectors = np.vstack([faces_near(0, 6, deviation=0.12), CENTRES[0][None] + 0.12])
    labels, distances = assign(vectors, settled=[0] * 6 + [NOBODY])
    brute_force = np.sqrt(((vectors[:6] - vectors[6]) ** 2).sum(1).mean())
    assert labels[6] == 0
    assert distances[6] == pytest.approx(brute_force, rel=1e-5)


def test_the_running_mean_equals_brute_force_after_every_face():
    vectors = faces_near(0, 30, seed=3, deviation=0.1)
    labels, distances = assign(vectors, settled=[0] * 5 + [NOBODY] * 25)
    assert (labels == 0).all()
    for count in range(5, 30):
        brute_force = np.sqrt(((vectors[:count] - vectors[count]) ** 2).sum(1).mean())
        assert distances[count] == pytest.approx(brute_force, rel=1e-4)


def test_of_twins_in_one_photo_only_one_joins():
    vectors = np.vstack([faces_near(0, 3), faces_near(0, 2, seed=5)])
    labels, _ = assign(vectors, photos=[0, 1, 2, 3, 3])
    assert labels.tolist() == [0, 0, 0, 0, NOBODY]


def test_three_faces_of_one_photo_found_nobody():
    assert assign(faces_near(0, 3), photos=[7, 7, 8])[0].tolist() == [NOBODY] * 3


def test_twins_on_all_photos_become_two_people():
    vectors = np.vstack([faces_near(0, 6), faces_near(0, 6, seed=8)])
    labels, _ = assign(vectors, photos=[*range(6), *range(6)])
    assert sorted(np.bincount(labels)) == [6, 6]
    assert all(labels[photo] != labels[photo + 6] for photo in range(6))


def test_a_second_twin_joins_the_next_nearest_person():
    vectors = np.vstack([faces_near(0, 3), CENTRES[0] + faces_near(0, 3, seed=2) + [0.3, 0, 0, 0], CENTRES[:1]])
    labels, _ = assign(vectors, photos=[0, 1, 2, 3, 4, 5, 0], settled=[0, 0, 0, 1, 1, 1, NOBODY])
    assert labels[6] == 1


def test_settled_faces_never_move():
    vectors = np.vstack([faces_near(0, 3), faces_near(1, 3)])
    settled = [1, 1, 0, 0, 0, 1]
    labels, distances = assign(vectors, settled=settled)
    assert labels.tolist() == settled
    brute_force = np.sqrt(((vectors[[0, 1, 5]] - vectors[0]) ** 2).sum(1).mean())
    assert distances[0] == pytest.approx(brute_force, rel=1e-4)


def test_new_people_are_numbered_on_from_the_highest_label():
    vectors = np.vstack([faces_near(0, 2), faces_near(1, 3)])
    assert assign(vectors, settled=[4, 4, NOBODY, NOBODY, NOBODY])[0].tolist() == [4, 4, 5, 5, 5]


def test_labels_that_nobody_has_attract_no_face():
    assert assign(np.zeros((2, 4)), settled=[NOBODY, NOBODY])[0].tolist() == [NOBODY, NOBODY]
    vectors = np.vstack([faces_near(1, 1), np.zeros((1, 4))])
    assert assign(vectors, settled=[3, NOBODY])[0].tolist() == [3, NOBODY]


def test_no_face_is_a_result_like_any_other():
    labels, distances = assign(np.zeros((0, 4)))
    assert (labels.shape, distances.shape) == ((0,), (0,))


@settings(deadline=None)
@given(st.permutations(range(17)))
def test_any_order_of_arrival_leads_to_the_same_people(order):
    # Seven, five and three faces of three people, and two strangers who wait.
    vectors = np.vstack([faces_near(0, 7), faces_near(1, 5), faces_near(2, 3), [[9, 0, 0, 0], [0, 0, 9, 0]]])
    labels, _ = assign(vectors[order])
    assert partition(labels, order) == partition([0] * 7 + [1] * 5 + [2] * 3 + [NOBODY] * 2, range(17))


@settings(deadline=None)
@given(st.integers(0, 15))
def test_arriving_in_two_parts_leads_to_the_same_people(first):
    vectors = np.vstack([faces_near(0, 7), faces_near(1, 5), faces_near(2, 3)])
    order = np.random.default_rng(first).permutation(15)
    earlier, _ = assign(vectors[order[:first]])
    settled = np.concatenate([earlier, np.full(15 - first, NOBODY)])
    labels, _ = assign(vectors[order], settled=settled)
    assert partition(labels, order) == partition(assign(vectors)[0], range(15))


def test_every_embedder_founds_more_carefully_than_it_joins():
    assert all(reach.found < reach.join for reach in CALIBRATIONS.values())


def test_an_answered_face_is_that_person_and_teaches():
    answered = np.array([NOBODY, NOBODY, 0])
    assert assign(faces_near(0, 3), answered=answered)[0].tolist() == [0, 0, 0]
    far = np.array([[9, 9, 9, 9], [0, 0, 0, 0]])
    assert assign(far, answered=np.array([0, NOBODY]))[0].tolist() == [0, NOBODY]


def test_a_face_is_never_who_was_rejected():
    vectors = np.vstack([faces_near(0, 4), CENTRES[0] + faces_near(0, 3, seed=2) + [0.3, 0, 0, 0]])
    settled = [0, 0, 0, NOBODY, 1, 1, 1]
    assert assign(vectors, settled=settled)[0][3] == 0
    assert assign(vectors, settled=settled, rejected=frozenset({(3, 0)}))[0][3] == 1


def test_what_is_no_face_takes_no_part():
    ignored = np.array([False, False, True])
    assert assign(faces_near(0, 3), ignored=ignored)[0].tolist() == [NOBODY] * 3


def test_a_face_before_the_birth_is_never_assigned():
    taken_at_s = [10, 20, 30, 9, np.nan]
    labels, _ = assign(faces_near(0, 5), settled=[0, 0, 0, NOBODY, NOBODY], taken_at_s=taken_at_s, born_s={0: 10.0})
    assert labels.tolist() == [0, 0, 0, NOBODY, 0]
