import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.people.names import AUTOMATIC_CHANCE, NamedPhoto, chance_of, suggest_names

ADA, BOB, EVE = 1, 2, 3


def photos(*shown):
    """A photo a day: pairs of the names and the people on it."""
    return [NamedPhoto(day, frozenset(names.split()), frozenset(people)) for day, (names, people) in enumerate(shown)]


def automatic(found):
    return {one.name: one.person for one in found if one.automatic}


def test_a_coin_shows_seven_heads_in_a_row_about_once_in_a_hundred_times():
    assert chance_of(7, 0) == 1 / 128
    assert chance_of(0, 0) == chance_of(0, 5) == 1
    assert chance_of(9, 1) == pytest.approx(11 / 1024)


@pytest.mark.parametrize(("days", "expected"), [(7, {"ada": ADA}), (6, {})])
def test_seven_days_without_a_contradiction_give_a_name(days, expected):
    found = suggest_names(photos(*[("ada", [ADA])] * days))
    assert automatic(found) == expected
    assert [(one.person, one.name, one.shared, one.named) for one in found] == [(ADA, "ada", days, days)]


def test_photos_of_one_day_suggest_a_name_and_never_give_it():
    found = suggest_names([NamedPhoto("day", frozenset(["ada"]), frozenset([ADA]))] * 500)
    assert [(one.person, one.name, one.automatic) for one in found] == [(ADA, "ada", False)]
    undated = suggest_names([NamedPhoto(None, frozenset(["ada"]), frozenset([ADA]))] * 500)
    assert automatic(undated) == {}


def test_two_who_are_always_together_are_not_told_apart():
    assert automatic(suggest_names(photos(*[("ada bob", [ADA, BOB])] * 50))) == {}


def test_two_who_are_mostly_together_are_told_apart_by_the_days_on_which_they_are_not():
    together, alone = [("ada bob", [ADA, BOB])] * 50, [("ada", [ADA])] * 7 + [("bob", [BOB])] * 7
    assert automatic(suggest_names(photos(*together, *alone))) == {"ada": ADA, "bob": BOB}


def test_who_is_on_fewer_than_half_of_the_photos_with_the_name_is_not_suggested():
    assert suggest_names(photos(*[("ada", [ADA])] * 4, *[("ada", [BOB])] * 3, *[("ada", [EVE])] * 3)) == []


def test_a_name_of_which_it_is_answered_who_bears_it_goes_to_nobody_else():
    shown = photos(*[("ada", [ADA])] * 9)
    assert suggest_names(shown, taken_names=["ada"]) == []
    assert suggest_names(shown, named_people=[ADA]) == []


PHOTO = st.builds(
    NamedPhoto,
    st.integers(0, 20) | st.none(),
    st.frozensets(st.sampled_from("abcd"), min_size=1),
    st.frozensets(st.integers(1, 4)),
)


@given(st.lists(PHOTO, max_size=60))
def test_nobody_has_two_names_and_no_name_two_bearers(shown):
    found = suggest_names(shown)
    assert len({one.name for one in found}) == len({one.person for one in found}) == len(found)
    for one in found:
        days = {photo.day for photo in shown if one.name in photo.names and one.person in photo.people}
        assert one.automatic == (one.chance <= AUTOMATIC_CHANCE)
        assert not one.automatic or len(days) >= 7
        assert one.shared >= 2


@given(st.lists(PHOTO, max_size=40), st.randoms())
def test_the_order_of_photos_does_not_matter(shown, random):
    shuffled = list(shown)
    random.shuffle(shuffled)
    assert suggest_names(shuffled) == suggest_names(shown)


@given(st.lists(PHOTO, max_size=30))
def test_more_photos_of_the_same_days_make_nothing_surer(shown):
    assert automatic(suggest_names(shown * 3)) == automatic(suggest_names(shown))
