"""Choosing the frames of a film, and keeping a query, by command."""

import shutil
from contextlib import closing

import pytest
from command_line import Library
from fakes import frames

from alignimation_index.query.choosing.score import score
from alignimation_index.store.engine import Store


@pytest.fixture
def copy(library, tmp_path):
    """The library with a store of its own."""
    return Library(library.photos, shutil.copy(library.store, tmp_path / "store.db"))


def years(listed):
    return [frame["taken_at"][:4] for frame in listed.json]


def test_what_would_come_is_said_before_anything_is_rendered(library, tmp_path):
    said = library.run("render", "--limit", 3, "--explain", "-o", tmp_path / "film.mp4")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == "3 frames, 0.2 s will come"
    assert "Left out 1 photo: more than --limit 3" in said.out
    assert not (tmp_path / "film.mp4").exists()
    told = library.run("render", "--duration", "1m5s", "--every", "year", "--explain", "--json").json
    assert (told["frame_count"], told["seconds"], told["left_out"]) == (4, 65.0, [])
    assert [frame["start"] for frame in told["frames"]] == [0, 16.25, 32.5, 48.75]


def test_every_photo_that_is_left_out_is_named_with_its_reason(library):
    told = library.run("query", "--every", "week:1y,year", "--drop", library.path(2008), "--explain", "--json").json
    assert [(one["path"], one["reason"]) for one in told["left_out"]] == [(str(library.path(2008)), "it is dropped")]
    table = library.run("query", "--drop", library.path(2008), "--explain").out.splitlines()
    assert table[0].split()[:2] == ["taken", "photo"]
    assert str(library.path(2008)) in table[1]


def test_a_query_lists_the_frames_of_the_film_where_one_is_chosen(library):
    assert years(library.run("query", "--json")) == ["2003", "2008", "2015", "2019"]
    with closing(Store.open(library.store)) as store:
        better = max(frames(store)[2:], key=score).taken_at.year
    two = library.run("query", "--limit", "2", "--pin", library.path(2008), "--json")
    assert years(two) == ["2008", str(better)]
    assert library.run("query", "run", "year:2003", "--paths").out == library.run("query", "year:2003", "--paths").out


def test_rendering_without_a_file_is_a_wrong_usage(library):
    refused = library.run("render")
    assert refused.code == 2
    assert "Missing option '-o' / '--out'" in refused.err


def test_a_saved_query_is_asked_again_with_its_options_and_those_given_win(copy):
    saved = copy.run("query", "save", "mine", "person:me", "--every", "4", "--all-alike", "--years", "2003-2015")
    assert (saved.code, saved.err) == (0, "")
    assert "alignindex render --saved mine -o OUT" in saved.out
    assert len(copy.run("query", "--saved", "mine", "--json").json) == 1
    assert years(copy.run("query", "--saved", "mine", "--every", "day", "--json")) == ["2003", "2008", "2015"]
    assert "mine" in copy.run("query", "list").out
    assert "person:me --every 4 --all-alike --years 2003-2015" in copy.run("query", "show", "mine").out
    (listed,) = copy.run("query", "list", "--json").json
    assert listed["options"] == {"every": "4", "all_alike": True, "years": "2003-2015"}


def test_a_saved_query_is_rendered_and_remembers_what_is_pinned_and_dropped(copy, tmp_path):
    copy.run("query", "save", "mine", "--every", "9")
    first = copy.run("render", "--saved", "mine", "--pin", copy.path(2015), "--size", "64", "-o", tmp_path / "film.gif")
    assert (first.code, first.err) == (0, "")
    assert years(copy.run("query", "--saved", "mine", "--json")) == ["2015"]
    copy.run("query", "--saved", "mine", "--drop", copy.path(2015))
    assert "2015" not in years(copy.run("query", "--saved", "mine", "--json"))
    shown = copy.run("query", "show", "mine", "--json").json
    assert (shown["pinned"], list(shown["paths"].values())) == ([], [str(copy.path(2015))])
    undone = copy.run("query", "undo", "mine", copy.path(2015))
    assert undone.out == "1 photo neither pinned nor dropped any more\n"
    assert copy.run("query", "rename", "mine", "ours").code == copy.run("query", "remove", "ours").code == 0
    assert copy.run("query", "list", "--json").json == []


def test_a_pin_holds_for_one_run_only_without_a_saved_query(copy):
    assert years(copy.run("query", "--every", "9", "--pin", copy.path(2015), "--json")) == ["2015"]
    copy.run("query", "--every", "9", "--drop", copy.path(2015), "--json")
    assert "2015" in years(copy.run("query", "--json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query", "--saved", "mine"], "No query is saved as mine. See which there are: alignindex query list"),
        (["query", "--every", "fortnight"], "'fortnight' is not understood. Write day, week, month, year"),
        (["render", "--duration", "soon", "--explain"], "'soon' is no duration. Write 60s"),
        (["render", "--pin", "x.jpg", "--explain"], "x.jpg is not among the photos"),
        (["query", "save", "mine", "nonsense:1"], "is not understood"),
        (["query", "save", "mine", "--every", "never"], "'never' is not understood"),
        (["query", "undo", "mine", "x.jpg"], "No query is saved as mine"),
    ],
)
def test_what_cannot_be_chosen_is_said_with_the_way_out(copy, arguments, message):
    failed = copy.run(*arguments)
    assert (failed.code, failed.out) == (1, "")
    assert message in failed.err


def test_an_expression_beside_a_saved_one_is_refused(copy):
    copy.run("query", "save", "mine", "person:me")
    assert "Give one of them" in copy.run("query", "year:2003", "--saved", "mine").err
