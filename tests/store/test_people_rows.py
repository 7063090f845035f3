"""What the store keeps of whom faces may be."""

from answering import face, index_people
from sqlalchemy import select

from alignimation_index.store.identity_tables import Suggestion
from alignimation_index.store.people import replace_suggestions


def suggested(store):
    with store.reading() as session:
        return dict(session.execute(select(Suggestion.face_id, Suggestion.score)).all())


def test_suggestions_take_the_place_of_earlier_ones_but_of_faces_that_were_not_looked_at(store, fakes, photos):
    index_people(store, fakes, photos, ("red",), ("red",), ("yellow",), ("blue",))
    one, other, third = (face(store, year) for year in (1990, 1992, 1993))
    with store.writing() as session:
        replace_suggestions(session, [(one, 1, 0.5), (other, 1, 0.25)])
    with store.writing() as session:
        replace_suggestions(session, [(third, 1, 2.0)], kept=[other])
    assert suggested(store) == {other: 0.25, third: 2.0}
    with store.writing() as session:
        replace_suggestions(session, [(other, 1, 1.0)], kept=[other])
    assert suggested(store) == {other: 1.0}
