"""Queries under a name, and photos that are always in them, or never: these answers outlive all that is recomputed."""

from __future__ import annotations

from datetime import datetime

import pytest
from answering import index_people, people, who
from fakes import FakeModels, contents, draw_photo, index

from alignimation_index.errors import UserError
from alignimation_index.pipeline import person_answers
from alignimation_index.pipeline.forget import forget
from alignimation_index.pipeline.saved import (
    answer_photos,
    pins_and_drops,
    remove_query,
    rename_query,
    save_query,
    take_back,
)
from alignimation_index.query.choosing.choose import Choice, choose_frames
from alignimation_index.query.choosing.periods import parse_every
from alignimation_index.query.language.expression import FrameFilter, parse_expression
from alignimation_index.query.saved import all_saved, find_saved


@pytest.fixture
def red(store, fakes, photos):
    """Red, a photo a year from 1990 to 1995."""
    index_people(store, fakes, photos, *[("red",)] * 6)
    return store


def saved(store, name="mine"):
    with store.reading() as session:
        return find_saved(session, name)


def years(store, name="mine", expression=""):
    """Of the frames that are chosen by what was answered in a query."""
    answers = saved(store, name)
    choice = Choice(every=parse_every("9"), pins=answers.pins, drops=answers.drops)
    with store.reading() as session:
        chosen = choose_frames(session, parse_expression(expression), choice)
    return [frame.taken_at.year for frame in chosen.frames], chosen


def test_a_query_is_kept_as_it_was_asked(store):
    save_query(store, "mine", "person:me", {"every": "month", "all_alike": True})
    assert (saved(store).expression, saved(store).options) == ("person:me", {"every": "month", "all_alike": True})
    rename_query(store, "mine", "ours")
    with store.reading() as session:
        assert [one.name for one in all_saved(session)] == ["ours"]
    remove_query(store, "ours")
    with store.reading() as session:
        assert all_saved(session) == []


def test_a_name_is_taken_unless_it_is_replaced_and_answers_stay(red, photos):
    save_query(red, "mine", "year:1990", {}, pins=[str(photos / "1990.jpg")])
    with pytest.raises(UserError, match=r"saved as mine already.*--replace"):
        save_query(red, "mine", "year:1991", {})
    save_query(red, "mine", "year:1991", {}, replace=True)
    assert (saved(red).expression, len(saved(red).pins)) == ("year:1991", 1)


def test_an_unknown_name_is_said_with_the_near_one(store):
    save_query(store, "holidays", "", {})
    with pytest.raises(UserError, match=r"No query is saved as holiday; did you mean holidays.*alignindex query list"):
        saved(store, "holiday")
    for refused in (lambda: rename_query(store, "holidays", " "), lambda: save_query(store, "", "", {})):
        with pytest.raises(UserError, match="needs a name"):
            refused()


def test_an_unknown_photo_leaves_everything_as_it_was(red, photos):
    save_query(red, "mine", "", {})
    before = contents(red)
    with pytest.raises(UserError, match=r"nowhere\.jpg is not among the photos"):
        answer_photos(red, "mine", [str(photos / "1990.jpg"), "nowhere.jpg"], [])
    with pytest.raises(UserError, match=r"nowhere\.jpg is not among the photos"):
        save_query(red, "other", "", {}, pins=["nowhere.jpg"])
    assert contents(red) == before


def test_pinned_photos_are_in_dropped_ones_are_not_and_both_are_taken_back(red, photos):
    save_query(red, "mine", "", {})
    (best,), _ = years(red)
    pinned, dropped = (str(photos / f"{year}.jpg") for year in (1993, best))
    answer_photos(red, "mine", [pinned], [dropped])
    assert years(red)[0] == ([1993] if best != 1993 else [])
    chosen = years(red)[1]
    assert chosen.reasons["it is dropped"] == 1
    assert take_back(red, "mine", [pinned, dropped, str(photos / "1995.jpg")]) == 2
    assert years(red)[0] == [best]
    assert take_back(red, "mine", [pinned]) == 0


def test_the_later_answer_about_a_photo_holds_and_the_same_one_twice_is_one(red, photos):
    save_query(red, "mine", "", {})
    photo = str(photos / "1993.jpg")
    answer_photos(red, "mine", [photo], [])
    once = contents(red)
    answer_photos(red, "mine", [photo], [])
    assert contents(red) == once
    answer_photos(red, "mine", [], [photo])
    assert (len(saved(red).pins), len(saved(red).drops)) == (0, 1)


def test_a_photo_is_not_pinned_and_dropped_at_once(red, photos):
    photo = str(photos / "1993.jpg")
    with red.reading() as session, pytest.raises(UserError, match="pinned and dropped at once"):
        pins_and_drops(session, [photo], [photo])


def test_a_photo_is_named_by_the_beginning_of_its_hash_if_that_is_enough(red):
    with red.reading() as session:
        content = choose_frames(session, FrameFilter()).frames[0].content_hash
        assert pins_and_drops(session, [content[:8].upper()], [])[0] == {content}
        with pytest.raises(UserError, match="is not among the photos"):
            pins_and_drops(session, [content[:5]], [])


def test_a_pinned_photo_is_in_though_a_filter_would_leave_it_out(red, photos):
    save_query(red, "mine", "", {}, pins=[str(photos / "1991.jpg")])
    assert years(red, expression="year:1993..")[0] == [1991]
    assert years(red, expression="size:>=1000")[0] == [1991]


def test_a_pinned_photo_on_which_the_person_is_not_is_said(red, fakes, photos):
    stranger = draw_photo(photos / "stranger.jpg", "green", taken_at=datetime(1992, 1, 1))
    index(red, fakes, photos)
    save_query(red, "mine", "", {}, pins=[str(stranger)])
    shown, chosen = years(red)
    assert len(shown) == 1
    assert "1 pinned photo cannot be shown" in chosen.note


def test_of_a_dropped_photo_its_original_does_not_come_instead_unless_it_is_pinned(red, fakes, photos):
    edited = draw_photo(photos / "1990-edited.jpg", "red", shade=180, taken_at=datetime(1990, 5, 6))
    index(red, fakes, photos)
    everything = FrameFilter(all_variants=True)
    with red.reading() as session:
        (dropped,), _ = pins_and_drops(session, [str(edited)], [])
        (original,), _ = pins_and_drops(session, [str(photos / "1990.jpg")], [])
        choices = Choice(drops=frozenset({dropped})), Choice(drops=frozenset({dropped}), pins=frozenset({original}))
        chosen = [choose_frames(session, everything, choice) for choice in choices]
    assert [one.reasons["it is dropped"] for one in chosen] == [2, 1]
    assert [len(one.frames) for one in chosen] == [5, 6]


def test_answers_outlive_moving_and_detecting_anew(red, photos):
    save_query(red, "mine", "", {}, pins=[str(photos / "1991.jpg")], drops=[str(photos / "1994.jpg")])
    (photos / "1991.jpg").rename(photos / "moved.jpg")
    index(red, FakeModels(detector_id="another detector", shift_px=2), photos)
    shown, chosen = years(red)
    assert shown == [1991]
    assert [one.frame.taken_at.year for one in chosen.left_out if one.reason == "it is dropped"] == [1994]
    assert chosen.frames[0].path == str(photos / "moved.jpg")


def test_an_update_leaves_saved_queries_alone_and_a_second_one_does_nothing(red, fakes, photos):
    save_query(red, "mine", "person:me", {"every": "month"}, pins=[str(photos / "1991.jpg")])
    before = contents(red)
    index(red, fakes, photos)
    assert contents(red) == before


def test_forgetting_somebody_deletes_the_queries_that_mention_them(red):
    person_answers.name_person(red, str(who(red)[1990, 0][0]), "Quetzalcoatlia Vongole")
    save_query(red, "hers", 'person:"quetzalcoatlia vongole"', {})
    save_query(red, "of Quetzalcoatlia Vongole", "", {})
    save_query(red, "by option", "", {"person": "Quetzalcoatlia Vongole"})
    save_query(red, "all", "year:1990", {})
    forget(red, people(red)[0].name)
    with red.reading() as session:
        assert [one.name for one in all_saved(session)] == ["all"]
    assert b"uetzalcoatlia" not in red.path.read_bytes()
