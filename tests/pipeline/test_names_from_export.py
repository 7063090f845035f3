from datetime import datetime, timezone

import pytest
from answering import people, who
from fakes import draw_photo, index
from sidecars import google, put, xmp

from alignimation_index.pipeline import person_answers as answer
from alignimation_index.pipeline.names import suggest_names
from alignimation_index.query.people import name_offers

RED, BLUE = 1, 2


def add_photos(folder, years, *shown, names=()):
    """A photo a year in an export that says who is on it."""
    for year in years:
        taken_at = datetime(year, 5, 6, tzinfo=timezone.utc)
        name = f"{year} {' '.join(shown)}.jpg"
        draw_photo(folder / name, *shown, shade=year % 100 + 80, taken_at=taken_at.replace(tzinfo=None))
        put(folder / f"{name}.json", google(name, int(taken_at.timestamp()), names))


def names(store):
    return {one.id: (one.name, one.name_source) for one in people(store)}


def offers(store):
    with store.reading() as session:
        return [(one.person_id, one.name, one.shared, one.named) for one in name_offers(session)]


def test_a_name_that_keeps_company_with_a_face_for_seven_days_is_given(store, fakes, photos):
    add_photos(photos, range(1990, 1997), "red", names=["Ada"])
    add_photos(photos, range(2000, 2003), "blue", names=["Bob"])
    index(store, fakes, photos)
    assert names(store) == {RED: ("Ada", "export"), BLUE: (None, None)}
    assert offers(store) == [(BLUE, "Bob", 3, 3)]
    assert who(store)[1990, 0] == (RED, "Ada", "machine")


def test_a_name_that_was_answered_wins(store, fakes, photos):
    add_photos(photos, range(1990, 1998), "red", names=["Ada"])
    add_photos(photos, range(2000, 2003), "blue", names=["Bob"])
    index(store, fakes, photos)
    answer.name_person(store, "2", "Ada")
    assert names(store) == {RED: (None, None), BLUE: ("Ada", None)}
    answer.name_person(store, "1", "Eve")
    index(store, fakes)
    assert (names(store)[RED], offers(store)) == (("Eve", None), [])
    answer.undo(store)
    answer.undo(store)
    assert names(store)[RED] == ("Ada", "export")


def test_a_name_that_was_taken_away_is_not_given_again(store, fakes, photos):
    add_photos(photos, range(1990, 1998), "red", names=["Ada"])
    index(store, fakes, photos)
    answer.name_person(store, "ada", "")
    add_photos(photos, [2005], "red", names=["Ada"])
    index(store, fakes)
    assert names(store) == {RED: (None, None)}


def test_names_that_come_later_are_heeded(store, fakes, photos):
    add_photos(photos, range(1990, 1998), "red")
    index(store, fakes, photos)
    assert names(store) == {RED: (None, None)}
    add_photos(photos, range(1990, 1998), "red", names=["Ada"])
    index(store, fakes)
    assert names(store) == {RED: ("Ada", "export")}
    for path in photos.glob("*.json"):
        path.unlink()
    index(store, fakes)
    assert names(store) == {RED: (None, None)}


def test_an_update_without_changes_counts_nothing_again(store, fakes, photos):
    add_photos(photos, range(1990, 1998), "red", names=["Ada"])
    index(store, fakes, photos)
    assert not suggest_names(store)
    with store.updating(lambda: None):
        answer.hide(store, "1")
    assert suggest_names(store)
    assert not suggest_names(store)


@pytest.mark.parametrize("named_first", [False, True])
def test_a_region_in_a_sidecar_names_the_face_that_it_covers(store, fakes, photos, named_first):
    add_photos(photos, range(1990, 1993), "red", "blue")
    index(store, fakes, photos)
    if named_first:
        answer.name_person(store, "2", "zoe")
    put(photos / "1990 red blue.jpg.xmp", xmp("Zoe"))
    index(store, fakes)
    person, name = (BLUE, "zoe") if named_first else (3, "Zoe")
    assert who(store)[1990, 1] == (person, name, "answer")
    assert who(store)[1990, 0] == (RED, None, "machine")
    (photos / "1990 red blue.jpg.xmp").unlink()
    index(store, fakes)
    # Whom the others followed stays who they are; the name goes with what said it.
    assert who(store)[1990, 1] == (person, "zoe" if named_first else None, "machine")
