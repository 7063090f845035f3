"""Changing the embedder: beside the old embeddings, at once at the end, and back."""

from __future__ import annotations

from datetime import datetime

import pytest
from answering import draw_people, face, index_people, who
from fakes import FakeEmbedder, FakeModels, contents, draw_photo, index
from sqlalchemy import func, select

from alignimation_index.errors import SwitchedError, UserError
from alignimation_index.pipeline import person_answers as answer
from alignimation_index.pipeline import update
from alignimation_index.pipeline.reindex import check_target, drop_others, go_back, reindex
from alignimation_index.pipeline.status import store_status
from alignimation_index.store import people
from alignimation_index.store.face_tables import Embedding
from alignimation_index.store.faces import pinned_embedder

OLD, NEW = "dlib-resnet", "facenet-vggface2"
SHOWN = [("red", "green")] * 4 + [("red", "blue")] * 4 + [("green",)] * 2


@pytest.fixture
def indexed(store, fakes, photos):
    """Three people on ten photos, with some answers."""
    index_people(store, fakes, photos, *SHOWN)
    answer.name_person(store, str(who(store)[1990, 0][0]), "Ada")
    answer.name_person(store, str(who(store)[1990, 1][0]), "Bob")
    answer.confirm(store, [face(store, 1991, 1)], "Bob")
    answer.reject(store, [face(store, 1992, 0)], "Ada")
    answer.deny_faces(store, [face(store, 1996, 1)])
    return store


def switched(store, **models):
    fakes = FakeModels(embedder_id=NEW, **models)
    return fakes, reindex(store, fakes.source(), lambda *_: None, workers=1)


def vectors(store):
    with store.reading() as session:
        return dict(session.execute(select(Embedding.model, func.count()).group_by(Embedding.model)).all())


def pinned(store):
    with store.reading() as session:
        return pinned_embedder(session)


def shown(store):
    """What a query shows, and whether anything is out of date."""
    return who(store), store_status(store.path)["stale"], store_status(store.path)["errors"]


def test_a_switch_embeds_each_photo_once_and_keeps_people_and_answers(indexed):
    store, before = indexed, shown(indexed)
    fakes, report = switched(store)
    assert fakes.images == {"detector": 0, "refiner": 0, "embedder": 10}
    assert report.photos_computed == 10
    assert pinned(store) == NEW
    assert vectors(store) == {OLD: 18, NEW: 18}
    assert shown(store) == before
    assert before[1] == []


def test_after_a_switch_an_update_computes_nothing_and_new_photos_use_the_new_embedder(indexed, photos):
    store = indexed
    switched(store)
    again = FakeModels(embedder_id=NEW)
    index(store, again)
    assert again.images["embedder"] == 0
    draw_photo(photos / "new.jpg", "red", taken_at=datetime(2005, 5, 6))
    index(store, again)
    assert who(store)[2005, 0][1] == "Ada"
    assert vectors(store) == {OLD: 18, NEW: 19}


def test_until_it_is_done_everything_is_shown_as_before_and_it_goes_on(indexed, monkeypatch):
    store, before = indexed, shown(indexed)
    monkeypatch.setattr(update, "PHOTOS_PER_COMMIT", 2)
    left = iter(range(5))

    def interrupt(_):
        if next(left, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        switched(store, before={"embedder": interrupt})
    assert shown(store) == before
    assert pinned(store) == OLD
    done = store_status(store.path)["reindex"]
    assert (done["embedder"], done["of"]) == (NEW, 10)
    assert done["photos"] >= 4
    index(store, FakeModels())
    assert shown(store) == before
    rest, _ = switched(store)
    assert rest.images["embedder"] == 10 - done["photos"]
    assert shown(store) == before
    assert (pinned(store), store_status(store.path)["reindex"]) == (NEW, None)


def test_a_switch_that_is_stopped_before_its_end_is_not_made(indexed):
    store, before = indexed, shown(indexed)
    reindex(store, FakeModels(embedder_id=NEW).source(), lambda *_: None, stop=lambda: True)
    assert (pinned(store), shown(store)) == (OLD, before)


def test_a_failure_while_switching_leaves_everything_as_it_was(indexed, monkeypatch):
    store, before = indexed, contents(indexed)
    with monkeypatch.context() as broken, pytest.raises(OSError, match="full"):
        broken.setattr(people, "replace_suggestions", lambda *_: (_ for _ in ()).throw(OSError("full")))
        switched(store)
    after = contents(store)
    assert {name for name in before if before[name] != after[name]} == {
        "embedding",
        "setting",
        "stage_key",
        "stage_run",
    }
    switched(store)
    assert pinned(store) == NEW


def test_going_back_computes_nothing_and_shows_what_was_shown(indexed):
    store, before = indexed, shown(indexed)
    switched(store)
    assert go_back(store) == OLD
    assert (pinned(store), shown(store)) == (OLD, before)
    again = FakeModels()
    index(store, again)
    assert again.images["embedder"] == 0
    assert shown(store) == before
    fakes, _ = switched(store)  # and forward again, by its name
    assert fakes.images["embedder"] == 0
    assert (pinned(store), shown(store)) == (NEW, before)


def test_answers_given_after_a_switch_hold_after_going_back(indexed, photos):
    store = indexed
    switched(store)
    answer.confirm(store, [face(store, 1998, 0)], "Zoe", create=True)
    answer.name_person(store, "Ada", "Eve")
    answer.undo(store, 4)  # that a face is not Ada
    draw_photo(photos / "new.jpg", "red", taken_at=datetime(2005, 5, 6))
    index(store, FakeModels(embedder_id=NEW))
    go_back(store)
    found = who(store)
    assert found[1998, 0][1:] == ("Zoe", "answer")
    assert found[1992, 0][1] == found[1990, 0][1] == "Eve"
    assert found[2005, 0][1] is None
    index(store, FakeModels())
    assert who(store)[2005, 0][1] == "Eve"


def see_blue_as_green(monkeypatch):
    real = FakeEmbedder._vectors

    def vectors(self, image, faces):
        found = real(self, image, faces)
        found[:, 1] += found[:, 2]
        found[:, 2] = 0
        return found

    monkeypatch.setattr(FakeEmbedder, "_vectors", vectors)


def test_undoing_an_answer_from_before_a_switch_shows_what_the_new_embedder_sees(indexed, monkeypatch):
    store = indexed
    answer.confirm(store, [face(store, 1995, 1)], "Ada")
    see_blue_as_green(monkeypatch)
    switched(store)
    assert who(store)[1995, 1][1:] == ("Ada", "answer")
    answer.undo(store)
    assert who(store)[1995, 1][1:] == ("Bob", "machine")


def test_people_that_the_new_embedder_sees_otherwise_are_found_anew(indexed, monkeypatch):
    store = indexed
    blue, green = who(store)[1994, 1][0], who(store)[1998, 0][0]
    assert blue != green
    see_blue_as_green(monkeypatch)
    switched(store)
    assert who(store)[1994, 1][0] == who(store)[1998, 0][0] == green
    go_back(store)
    assert who(store)[1994, 1][0] == blue


def test_dropping_the_old_frees_them_and_there_is_no_way_back(indexed):
    store, before = indexed, shown(indexed)
    switched(store)
    assert drop_others(store) == [OLD]
    assert vectors(store) == {NEW: 18}
    assert shown(store) == before
    with pytest.raises(UserError, match="nothing to go back to: no embeddings are kept but those of facenet-vggface2"):
        go_back(store)
    assert drop_others(store) == []


def test_a_process_from_before_the_switch_does_not_embed_with_the_old_one(indexed, photos):
    store = indexed
    switched(store)
    draw_people(photos, ("red",), first_year=2010)
    with pytest.raises(SwitchedError, match=f"switched from {OLD} to {NEW}"):
        index(store, FakeModels())
    assert vectors(store) == {OLD: 18, NEW: 18}


def test_the_same_embedder_and_a_store_without_faces_are_refused(indexed, other_store):
    with pytest.raises(UserError, match="dlib-resnet: this store's faces are embedded with it already"):
        check_target(indexed, OLD)
    with pytest.raises(UserError, match=r"No face is embedded yet.*alignindex update --embedder facenet-vggface2"):
        check_target(other_store, NEW)


def test_a_photo_that_cannot_be_embedded_is_one_error_and_keeps_its_people(indexed):
    store, before = indexed, shown(indexed)

    def fail(image):
        if int(image[0, 0, 0]) in (102, 103):
            raise ValueError("no")

    _, report = switched(store, before={"embedder": fail})
    assert report.photos_failed >= 1
    assert who(store) == before[0]
    assert store_status(store.path)["errors"] == report.photos_failed
