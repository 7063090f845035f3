from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_made_up import CALIBRATION, Life, evidence_of, faces_of, partition, seconds

from alignimation_index.people.assign import assign_faces
from alignimation_index.people.calibration import CALIBRATIONS
from alignimation_index.people.faces import NOBODY, Evidence, Faces
from alignimation_index.people.neighbours import nearest_pairs
from alignimation_index.people.observations import CROWD_PHOTOS

ADULT = [1990, 1991, 1993, 1996, 2000]


def assign(faces, **known):
    return assign_faces(faces, evidence_of(faces, **known), CALIBRATION)


def shuffled(faces, order):
    return Faces(faces.vectors[order], faces.photos[order], faces.taken_at_s[order], faces.quality[order])


@pytest.fixture
def three():
    return faces_of((Life(1), ADULT), (Life(2, born=1950), ADULT), (Life(3, born=1985), [1990, 1992, 1995, 2000]))


def test_people_are_found_with_the_log_odds_of_each_face(three):
    faces, who = three
    found = assign(faces)
    assert partition(found.labels) == partition(who)
    assert (found.scores > CALIBRATION.threshold).all()
    assert (found.suggested == NOBODY).all()


def test_people_are_numbered_as_they_appear(three):
    faces, who = three
    assert assign(faces).labels.tolist() == who.tolist()


def test_a_life_is_one_person_through_its_photos_in_between():
    life = Life(4, born=1970)
    years = [1973, 1974, 1976, 1977, 1980, 1983, 1986, 1990, 1995, 2005]
    faces, _ = faces_of((life, years), (Life(5, born=1972), years[1:]))
    labels = assign(faces).labels
    assert len(set(labels[:10].tolist())) == 1
    assert labels[0] not in labels[10:]


def test_who_is_seen_once_waits():
    faces, _ = faces_of((Life(1), ADULT), (Life(9, born=1940), [1990]))
    assert assign(faces).labels.tolist() == [0] * 5 + [NOBODY]


def test_two_faces_of_one_photo_are_two_people():
    life = Life(1)
    faces, _ = faces_of((life, [1990, 1991, 1992, 1993]), photos=[0, 1, 2, 2])
    labels = assign(faces).labels
    assert labels[2] == NOBODY or labels[2] != labels[3]


def test_twins_on_all_photos_are_two_people():
    life = Life(1)
    faces, _ = faces_of((life, ADULT), (life, ADULT), photos=[*range(5), *range(5)])
    labels = assign(faces).labels
    assert all(labels[i] == NOBODY or labels[i] != labels[i + 5] for i in range(5))


def burst():
    """One moment of a stranger, four times, and two photos of somebody else."""
    one = Life(6).seen([1990])
    vectors = np.concatenate([one, one + 0.001, one + 0.002, one + 0.003, Life(7).seen([1990, 1991])])
    taken = seconds(1990.0) + np.array([0, 1, 2, 3, 5e6, 4e7])
    return Faces(vectors, np.arange(6), taken, np.ones(6))


def test_a_burst_is_one_observation_and_founds_nobody():
    assert assign(burst()).labels.tolist() == [NOBODY] * 4 + [0, 0]


def test_the_same_faces_days_apart_are_a_person():
    faces = burst()
    faces.taken_at_s[:4] += np.arange(4) * 86400
    assert assign(faces).labels.tolist() == [0] * 4 + [1, 1]


def test_a_date_that_more_photos_have_than_can_be_taken_at_once_makes_no_burst():
    """As where a program dated all scans alike."""
    one = Life(6).seen([1990])
    vectors = np.concatenate([one + 0.0001 * i for i in range(CROWD_PHOTOS + 1)])
    crowd = Faces(vectors, np.arange(len(vectors)), np.full(len(vectors), seconds(1990.0)), np.ones(len(vectors)))
    assert set(assign(crowd).labels.tolist()) == {0}
    burst = Faces(vectors[1:], crowd.photos[1:], crowd.taken_at_s[1:], crowd.quality[1:])
    assert set(assign(burst).labels.tolist()) == {NOBODY}


def test_two_faces_of_one_photo_of_a_burst_stay_two():
    faces = replace(burst(), photos=np.array([0, 0, 1, 1, 2, 3]))
    assert assign(faces).labels[0] == NOBODY or assign(faces).labels[0] != assign(faces).labels[1]


def test_the_same_distance_is_worth_less_between_photos_of_one_year_than_across_a_childhood():
    child = Life(8, born=1970)
    vectors = child.seen([1972, 1986])
    apart = Faces(vectors, np.arange(2), seconds(np.array([1972.5, 1986.5])), np.ones(2))
    together = Faces(vectors, np.arange(2), seconds(np.array([1980.5, 1980.5])), np.ones(2))
    assert log_odds(apart) > log_odds(together)


def log_odds(faces):
    """Of a person with the first face that the second is one, too."""
    found = assign(faces, answered={0: 0})
    scores = [found.scores[1], found.suggestion_scores[1], -np.inf]
    return next(score for score in scores if not np.isnan(score))


def test_faces_without_a_date_join_by_their_looks(three):
    faces, who = three
    faces.taken_at_s[[1, 6, 11]] = np.nan
    assert partition(assign(faces).labels) == partition(who)


def test_a_library_without_any_date_has_people():
    faces, who = faces_of((Life(1), ADULT), (Life(2), ADULT))
    faces.taken_at_s[:] = np.nan
    assert partition(assign(faces).labels) == partition(who)


def test_nothing_is_needed_of_quality(three):
    faces, who = three
    faces.quality[:] = np.nan
    assert partition(assign(faces).labels) == partition(who)


def test_a_poor_picture_says_less():
    faces, _ = faces_of((Life(1), [1990, 1991]))
    poor = replace(faces, quality=np.array([1, 0.3]))
    assert log_odds(poor) < log_odds(faces)


def test_an_answer_is_never_changed_and_teaches(three):
    faces, _ = three
    found = assign(faces, answered={0: 7, 5: 7, 10: 3})
    assert found.labels[[0, 5, 10]].tolist() == [7, 7, 3]
    assert np.isnan(found.scores[[0, 5, 10]]).all()
    assert found.labels[11] == 3


def test_two_people_of_whom_faces_were_answered_stay_two():
    faces, _ = faces_of((Life(1), ADULT))
    labels = assign(faces, answered={0: 1, 4: 2}).labels
    assert (labels[0], labels[4]) == (1, 2)


def test_two_people_said_to_be_apart_stay_apart():
    faces, _ = faces_of((Life(1), ADULT))
    before = {0: 1, 1: 1, 2: 1, 3: 2, 4: 2}
    assert len(set(assign(faces, settled=before).labels.tolist())) == 1
    assert assign(faces, settled=before, apart=frozenset({(1, 2)})).labels.tolist() == [1, 1, 1, 2, 2]


def test_a_rejected_face_is_never_that_person(three):
    faces, _ = three
    known = {"answered": {0: 0, 1: 0}}
    assert assign(faces, **known).labels[2] == 0
    found = assign(faces, **known, rejected=frozenset({(2, 0)}))
    assert found.labels[2] != 0
    assert found.suggested[2] != 0
    assert assign(faces, settled={0: 0, 1: 0, 2: 0}, rejected=frozenset({(2, 0)})).labels[2] != 0


def a_moment_among(life, others):
    """Faces 0 to 4 of one life; 5 and 6 of a moment of somebody else, a day apart."""
    one = others.seen([1995])
    vectors = np.vstack([life.seen(ADULT), one, one + 0.01])
    taken = seconds(np.array([*ADULT, 1995, 1995.003]))
    return Faces(vectors, np.arange(7), taken, np.ones(7))


def test_who_is_likelier_a_rejected_face_than_the_person_is_only_suggested():
    life = Life(1)
    vectors = life.seen([1990, 1991, 1992, 1992])
    vectors[3] = vectors[2] + 0.001
    faces = Faces(vectors, np.array([0, 1, 2, 2]), seconds(np.array([1990, 1991, 1992, 1992.0])), np.ones(4))
    assert assign(faces, answered={0: 0, 1: 0}).labels[3] == 0
    found = assign(faces, answered={0: 0, 1: 0}, rejected=frozenset({(2, 0)}))
    assert (found.labels[3], found.suggested[3]) == (NOBODY, 0)


def test_who_is_ignored_takes_no_part(three):
    faces, _ = three
    found = assign(faces, ignored=[0, 6], answered={6: 4})
    assert found.labels[[0, 6]].tolist() == [NOBODY, NOBODY]
    assert found.labels[1] == found.labels[2] != NOBODY
    assert assign(faces, ignored=list(range(14))).labels.tolist() == [NOBODY] * 14


def test_no_face_is_of_somebody_not_yet_born(three):
    faces, _ = three
    known = {"answered": {2: 0}}
    assert assign(faces, **known).labels[0] == 0
    labels = assign(faces, **known, born_s={0: seconds(1992.5)}).labels
    assert 0 not in labels[:2]


def test_an_adult_is_nobody_aged_two():
    faces, _ = faces_of((Life(1, born=1950), ADULT))
    assert 3 not in assign(faces, answered={0: 3}, born_s={3: seconds(1988)}).labels[1:3]
    assert set(assign(faces, answered={0: 3}, born_s={3: seconds(1950)}).labels.tolist()) == {3}


def test_who_was_found_keeps_the_label(three):
    faces, who = three
    assert assign(faces, settled={0: 5, 1: 5, 5: 2, 10: 9}).labels.tolist() == [[5, 2, 9][i] for i in who]


def test_new_people_are_numbered_on_from_the_highest_label(three):
    faces, who = three
    assert assign(faces, settled={0: 5, 1: 5}).labels.tolist() == [[5, 6, 7][i] for i in who]


def test_two_people_of_the_machine_become_one_when_a_face_between_them_comes(three):
    faces, _ = three
    labels = assign(faces, settled={0: 4, 1: 4, 3: 6, 4: 6, 2: NOBODY}).labels
    assert len(set(labels[:5].tolist())) == 1


def test_a_face_between_two_people_is_a_suggestion():
    first, second = Life(1), Life(2)
    a, b = first.seen(ADULT), second.seen(ADULT)
    between = (a[2] + b[2]) / 2
    years = np.array([*ADULT, *ADULT, 1995])
    faces = Faces(np.vstack([a, b, between[None]]), np.arange(11), seconds(years), np.ones(11))
    found = assign(faces, answered={0: 0, 5: 1})
    assert found.labels[10] == NOBODY
    assert found.suggested[10] in (0, 1)
    assert np.isfinite(found.suggestion_scores[10])
    assert np.isnan(found.scores[10])


def test_no_face_is_a_result_like_any_other():
    empty = Faces(np.zeros((0, 0), np.float32), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    found = assign_faces(empty, Evidence.none(0), CALIBRATION)
    assert [len(each) for each in vars(found).values()] == [0] * 4


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(14)))
def test_any_order_of_faces_leads_to_the_same_people(order):
    faces, _ = faces_of((Life(1), ADULT), (Life(2), ADULT), (Life(3, born=1985), [1990, 1992, 1995, 2000]))
    together = partition(assign(faces).labels)
    labels = assign(shuffled(faces, order)).labels
    assert {frozenset(order[i] for i in group) for group in partition(labels)} == together


@settings(deadline=None, max_examples=5)
@given(st.permutations(range(14)))
def test_one_by_one_leads_to_the_same_people(order):
    faces, _ = faces_of((Life(1), ADULT), (Life(2), ADULT), (Life(3, born=1985), [1990, 1992, 1995, 2000]))
    settled = np.zeros(0, np.int64)
    for count in range(1, 15):
        some = shuffled(faces, np.array(order[:count]))
        known = replace(Evidence.none(count), settled=np.append(settled, NOBODY))
        settled = assign_faces(some, known, CALIBRATION).labels
    together = partition(assign(faces).labels)
    assert {frozenset(order[i] for i in group) for group in partition(settled)} == together


def test_people_of_a_large_library_stay_together_and_new_faces_join_them(three, monkeypatch):
    monkeypatch.setattr("alignimation_index.people.assign.FOUND_ANEW", 5)
    faces, who = three
    before = {i: [5, 2, 9][who[i]] for i in range(14) if i not in (4, 9)}
    found = assign(faces, settled=before)
    assert found.labels.tolist() == [[5, 2, 9][i] for i in who]
    assert np.isfinite(found.scores[[4, 9]]).all()


def test_in_a_large_library_who_waited_is_looked_at_again_when_a_face_near_comes(three, monkeypatch):
    monkeypatch.setattr("alignimation_index.people.assign.FOUND_ANEW", 5)
    faces, _ = three
    before = {0: 5, 1: 5, 2: 5} | dict.fromkeys(range(5, 14), 2)
    waited = np.isin(np.arange(14), [3, 4])
    nobody_came = replace(evidence_of(faces, settled=before), waited=waited)
    assert assign_faces(faces, nobody_came, CALIBRATION).labels[3:5].tolist() == [NOBODY] * 2
    one_came = replace(nobody_came, waited=np.isin(np.arange(14), [4]))
    assert assign_faces(faces, one_came, CALIBRATION).labels[3:5].tolist() == [5, 5]


@pytest.mark.parametrize("twins", [False, True])
def test_a_large_library_has_the_same_people_found_at_once(monkeypatch, twins):
    lives = [(Life(seed, born=1940 + 7 * seed), np.linspace(1995, 2005, 12)) for seed in range(4)]
    faces, _ = faces_of(*lives, photos=np.r_[np.arange(36), np.arange(24, 36)] if twins else None)
    together = partition(assign(faces).labels)
    monkeypatch.setattr("alignimation_index.people.assign.FOUND_ANEW", 47)
    assert partition(assign(faces).labels) == together


def test_two_of_one_photo_do_not_join_a_person_at_once(monkeypatch):
    life = Life(1)
    faces, _ = faces_of((life, np.linspace(1990, 2000, 12)), photos=[*range(10), 10, 10])
    monkeypatch.setattr("alignimation_index.people.assign.FOUND_ANEW", 11)
    labels = assign(faces).labels
    assert labels[10] == NOBODY or labels[10] != labels[11]


@given(st.integers(0, 1000), st.integers(1, 12), st.integers(1, 400))
def test_the_nearest_are_those_of_a_full_sort(seed, count, others):
    vectors = np.random.default_rng(seed).normal(size=(others + 1, 8)).astype(np.float32)
    pairs = {tuple(pair) for pair in nearest_pairs(vectors, count, np.array([0])).tolist()}
    order = np.argsort(((vectors[1:] - vectors[0]) ** 2).sum(1))[:count] + 1
    assert pairs == {(0, int(row)) for row in order}


def test_in_cells_most_of_the_nearest_are_found(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(3000, 8)).astype(np.float32)
    exact = {tuple(pair) for pair in nearest_pairs(vectors, 5).tolist()}
    monkeypatch.setattr("alignimation_index.people.neighbours.EXACT", 100)
    found = {tuple(pair) for pair in nearest_pairs(vectors, 5).tolist()}
    assert len(found & exact) > 0.95 * len(exact)


def test_every_embedder_tells_where_its_coefficients_are_from():
    for calibration in CALIBRATIONS.values():
        assert calibration.provenance
        assert 0 < calibration.correlation < 1
        assert len(calibration.mean) == len(calibration.mean_at_knots[0])


def test_other_coefficients_have_another_digest():
    assert replace(CALIBRATION, threshold=2.0).digest != CALIBRATION.digest
