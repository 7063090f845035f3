"""Reviewing people on the command line, on real photos."""

import io
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from alignimation_index.render.film.label_text import age_in_words
from alignimation_index.render.sheet import MARK
from alignimation_index.store.engine import Store
from alignimation_index.store.forget import note_unfinished
from alignimation_index.store.people import replace_suggestions

FIELDS = ["id", "name", "name_source", "photo_count", "first_year", "last_year", "to_review", "hidden", "birthday"]
FIELDS += ["cover_face_id"]


@pytest.fixture
def mine(library, tmp_path):
    """The indexed library with its store copied, to be changed."""
    shutil.copy(library.store, tmp_path / "store.db")
    return type(library)(library.photos, tmp_path / "store.db")


@pytest.fixture
def doubtful(mine):
    """The same, and the machine doubts one face."""
    store = Store.open(mine.store)
    with store.writing() as session:
        replace_suggestions(session, [(2, 1, 0.4)])
    store.close()
    return mine


def said(mine, *arguments):
    done = mine.run("people", *arguments)
    assert (done.code, done.err) == (0, "")
    return done.out


def people(mine, *options):
    return [list(one.values()) for one in mine.run("people", "list", "--json", *options).json]


def whose(mine):
    return {face["face_id"]: (face["person"], face["assigned_by"]) for face in mine.run("faces", "--json").json}


def test_everyone_is_listed_with_exactly_the_fields_promised(mine):
    (me,) = mine.run("people", "list", "--json").json
    assert list(me) == FIELDS
    assert list(me.values()) == [1, "me", "answer", 4, 2003, 2019, 0, False, None, None]
    said(mine, "birthday", "me", "2000-01-01")
    said(mine, "cover", "me", "2")
    assert people(mine) == [[1, "me", "answer", 4, 2003, 2019, 0, False, "2000-01-01", 2]]
    assert "2000-01-01" in mine.run("people", "list").out


def test_a_correction_says_how_to_take_it_back(mine):
    assert said(mine, "reject", "2") == "Face 2 is not me. (answer 2; to take it back: alignindex people undo 2)\n"
    assert whose(mine)[2] == (None, None)
    assert said(mine, "confirm", "me", "2", "3").startswith("2 faces are me. (answer 3;")
    assert whose(mine) == {1: ("me", "machine"), 2: ("me", "answer"), 3: ("me", "answer"), 4: ("me", "machine")}
    assert said(mine, "undo") == "Undone: answer 3: faces 2 3: person 1\n"
    assert said(mine, "undo") == "Undone: answer 2: face 2: not person 1\n"
    assert set(whose(mine).values()) == {("me", "machine")}


def test_what_is_no_face_is_in_no_list(mine):
    said(mine, "not-a-face", "2")
    assert whose(mine).keys() == {1, 3, 4}
    assert len(mine.run("query", "--json").json) == 3
    assert mine.run("status", "--json").json["faces"] == 3
    said(mine, "confirm", "2", "--person", "1")
    assert len(whose(mine)) == 4


def test_a_split_and_a_merge_are_counted_everywhere(mine):
    assert "person 2" in said(mine, "split", "me", "1", "2", "--name", "Ada")
    assert [row[:4] for row in people(mine)] == [[1, "me", "answer", 2], [2, "Ada", "answer", 2]]
    assert mine.run("status", "--json").json["people"] == 2
    assert len(mine.run("query", "person:Ada", "--json").json) == 2
    refused = mine.run("people", "name", "1", "ada")
    assert refused.code == 1
    assert "make them one: alignindex people merge 2 1" in refused.err
    assert mine.run("people", "merge", "me", "Ada").out.startswith("Ada is me.")
    assert [row[:4] for row in people(mine)] == [[1, "me", "answer", 4]]
    assert len(mine.run("query", "person:2", "--json").json) == 4
    assert mine.run("status", "--json").json["people"] == 1


def test_a_hidden_person_is_listed_when_asked_for(mine):
    said(mine, "hide", "me")
    assert people(mine) == []
    assert [row[7] for row in people(mine, "--include-hidden")] == [True]
    said(mine, "unhide", "1")
    assert len(people(mine)) == 1


def test_the_history_is_what_was_said(mine):
    said(mine, "split", "me", "1", "--name", "Ada")
    said(mine, "undo")
    entries = mine.run("people", "history", "--json").json
    assert [(entry["number"], entry["kind"], entry["undone"], entry["text"]) for entry in entries] == [
        (1, "name", False, "person 1 is called me"),
        (2, "split", True, "face 1: person 2, called Ada, and not person 1"),
    ]
    assert [entry["number"] for entry in mine.run("people", "history", "2", "--json").json] == [2]
    assert "undone" in mine.run("people", "history").out.splitlines()[-1]


def test_doubtful_faces_are_counted_listed_and_framed_until_they_are_answered(doubtful, tmp_path):
    assert [row[6] for row in people(doubtful)] == [1]
    suggested = doubtful.run("people", "suggestions", "--json").json
    assert suggested["names"] == []
    assert suggested["faces"] == [{"face_id": 2, "person_id": 1, "person": "me", "score": 0.4, "is_assigned": True}]
    assert doubtful.run("people", "suggestions").out.splitlines()[1].split() == ["2", "me", "doubtful", "0.4"]
    sheet = tmp_path / "sheet.png"
    assert "4 of 4 faces, 1 of them doubtful" in said(doubtful, "show", "me", "-o", sheet)
    assert framed_columns(sheet) > 0
    assert "1 of 1 faces" in said(doubtful, "suggestions", "-o", tmp_path / "doubts.jpg")
    said(doubtful, "confirm", "2")
    assert [row[6] for row in people(doubtful)] == [0]
    said(doubtful, "show", "me", "-o", sheet)
    assert framed_columns(sheet) == 0


def framed_columns(sheet):
    return int((np.asarray(Image.open(sheet)) == MARK).all(2).any(0).sum())


def test_frames_have_an_age_once_there_is_a_birthday(mine):
    assert [frame["age"] for frame in mine.run("query", "--json").json] == [None] * 4
    said(mine, "birthday", "me", "2005-06-15")
    frames = mine.run("query", "--json").json
    assert [(frame["taken_at"][:4], frame["person"], frame["age"]) for frame in frames] == [
        ("2003", None, None),
        ("2008", "me", 3.0),
        ("2015", "me", 10.0),
        ("2019", "me", 14.0),
    ]
    assert said(mine, "undo") == "Undone: answer 2: person 1 was born on 2005-06-15\n"
    assert {frame["person"] for frame in mine.run("query", "--json").json} == {"me"}


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (0, "0 w"),
        (21 / 365.2425, "3 w"),
        (90 / 365.2425, "12 w"),
        (92 / 365.2425, "3 m"),
        (1.9, "22 m"),
        (2.0, "2 y"),
        (3 - 1 / 365.2425, "2 y"),
        (3.0, "3 y"),
    ],
)
def test_an_age_is_told_in_weeks_at_first_then_in_months_then_in_years(age, words):
    assert age_in_words(age) == words


def test_there_is_no_sheet_of_nothing(mine, tmp_path):
    refused = mine.run("people", "suggestions", "-o", tmp_path / "none.jpg")
    assert refused.code == 1
    assert "There is no face to draw" in refused.err


def test_a_person_is_forgotten_after_asking(mine, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    refused = mine.run("people", "forget", "me")
    assert refused.code == 130
    assert "This erases me: 4 faces, on 4 photos." in refused.err
    assert "Names that are erased and not read again: me." in refused.err
    assert len(whose(mine)) == 4
    mine.run("db", "backup")
    done = mine.run("people", "forget", "me", "--yes")
    assert (done.code, "Forgot me: 4 faces on 4 photos." in done.out) == (0, True)
    assert "Erased in these backups too" in done.out
    assert "Copies of the store in other places" in done.out
    assert whose(mine) == {}
    assert mine.run("people", "undo").code == 1
    assert mine.run("people", "forget", "me", "--yes").err.startswith("Error: Nobody is called me.")


def test_an_erasure_that_was_cut_short_is_completed_by_the_same_command(mine):
    store = Store.open(mine.store)
    with store.writing() as session:
        note_unfinished(session, {})
    store.close()
    done = mine.run("people", "forget", "Ada", "--yes")
    assert (done.code, done.out, done.err) == (0, "Completed an erasure that had been interrupted.\n", "")
    assert mine.run("people", "forget", "Ada", "--yes").code == 1
