"""Registering the bodies that a query wants: to a medoid, a reference, a named template; only what is stale."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from drawn_bodies import SIZE, Drawn, FakeBodies, draw_bodies, place_of
from fakes import contents, draw_photo, frames, index
from made_bodies import similarity
from sqlalchemy import select

from alignimation_index.errors import UserError
from alignimation_index.pipeline.bodies.cutouts import cut_out
from alignimation_index.pipeline.bodies.register import TemplateChoice, register
from alignimation_index.pipeline.forget import forget
from alignimation_index.query.bodies import body_mask, choose_bodies
from alignimation_index.query.language.expression import FrameFilter, parse_expression
from alignimation_index.similarity import apply
from alignimation_index.store.body_tables import Body, BodyTransform
from alignimation_index.store.body_templates import (
    body_template,
    list_templates,
    put_body_template,
    remove_template,
    rename_template,
)
from alignimation_index.store.face_tables import Template

NAMES = ("left_ear", "left_shoulder", "left_hip")
MEDOID = "body-1-left_ear-left_shoulder-left_hip"
MATRICES = [
    similarity(300, 0.0, 0, 50),
    similarity(260, 0.12, 30, 80),
    similarity(320, -0.1, -20, 70),
    similarity(280, 0.05, 20, 60),
    similarity(300, -0.04, 10, 40),
]
EVERYBODY = FrameFilter()


@pytest.fixture
def detector():
    return FakeBodies()


in_series = pytest.mark.usefixtures("series")


@pytest.fixture
def series(photos, store, fakes):
    """A photo a year of red, whose belly grows, moved differently each time."""
    for i, matrix in enumerate(MATRICES):
        draw(photos, i, matrix)
    index(store, fakes, photos)
    return photos


def draw(folder, i, matrix, person="red"):
    body = Drawn(person, matrix, belly=0.012 * i)
    return draw_bodies(folder / f"{2001 + i}.png", body, shade=90 + 5 * i, taken_at=datetime(2001 + i, 5, 6))


def run(store, detector, wanted=EVERYBODY, choice=None, **options):
    return register(store, wanted, choice or TemplateChoice(), source=detector.source, **options)


def shown(store, found, wanted=EVERYBODY):
    with store.reading() as session:
        return choose_bodies(session, found.wanted, found.template, wanted)


def wander(chosen, matrices, name):
    """How far a true place is from its mean, in template units."""
    places = [
        apply(frame.template_from_photo, apply(matrix, [place_of(name)]))[0]
        for frame, matrix in zip(chosen.frames, matrices, strict=True)
    ]
    return np.linalg.norm(np.array(places) - np.mean(places, 0), axis=1).max()


def names(store):
    with store.reading() as session:
        return [one.name for one in list_templates(session)]


def keys(store):
    with store.reading() as session:
        columns = (BodyTransform.body_id, BodyTransform.key, BodyTransform.loss_after)
        return session.execute(select(*columns).order_by(BodyTransform.body_id, BodyTransform.template_id)).all()


@in_series
def test_bodies_come_to_rest_in_the_order_of_time(store, detector):
    found = run(store, detector)
    assert found.template == MEDOID
    chosen = shown(store, found)
    assert [frame.taken_at.year for frame in chosen.frames] == [2001, 2002, 2003, 2004, 2005]
    assert {(frame.kind, frame.template, frame.person_id) for frame in chosen.frames} == {("body", MEDOID, 1)}
    for name in NAMES:
        assert wander(chosen, MATRICES, name) < 0.012
    assert max(frame.residual for frame in chosen.frames) < 0.02
    assert chosen.reasons == {}
    with store.reading() as session:
        template = body_template(session, MEDOID)
        rows = session.execute(select(BodyTransform.loss_before, BodyTransform.loss_after)).all()
    assert (template.keypoint_names, template.is_medoid, template.person_id) == (NAMES, True, 1)
    assert all(after <= before for before, after in rows)


def test_a_second_run_computes_nothing_and_a_new_photo_registers_only_itself(store, series, fakes, detector):
    run(store, detector)
    before, looked = contents(store), detector.looked
    said = []
    run(store, detector, progress=lambda *step: said.append(step))
    assert (str(contents(store)), detector.looked, said) == (str(before), looked, [])  # nan is not itself
    draw(series, 5, similarity(290, 0.02, 5, 55))
    index(store, fakes)
    run(store, detector, progress=lambda *step: said.append(step))
    assert ("register", 0, 1) in said
    assert detector.looked == looked + 1
    assert keys(store)[:5] == before_keys(before)
    assert names(store) == [MEDOID, "face"]


def before_keys(before):
    rows = sorted(before["body_transform"], key=lambda row: (int(row[0]), int(row[1])))
    return [(int(row[0]), row[2], float(row[7])) for row in rows]


def test_a_reference_is_kept_and_a_changed_template_makes_exactly_its_transforms_stale(store, series, detector):
    run(store, detector)
    named = TemplateChoice("mine", str(series / "2002.png"))
    assert run(store, detector, choice=named).template == "mine"
    before = keys(store)
    assert len(before) == 10
    run(store, detector, choice=TemplateChoice("mine"))
    assert keys(store) == before
    run(store, detector, choice=TemplateChoice("mine", str(series / "2005.png")))
    after = keys(store)
    assert [row for row, old in zip(after, before, strict=True) if row == old] == before[::2]
    assert len({key for _, key, _ in after}) == 2


def test_the_reference_itself_lies_in_its_square(store, series, detector):
    found = run(store, detector, choice=TemplateChoice(None, str(series / "2002.png"), NAMES))
    assert found.template == "2002-left_ear-left_shoulder-left_hip"
    frame = shown(store, found).frames[1]
    corners = apply(frame.template_from_photo, frame.box.reshape(2, 2))
    assert np.abs(corners.mean(0) - 0.5).max() < 0.02
    assert np.ptp(corners, axis=0).max() == pytest.approx(0.75, abs=0.02)


def test_a_template_stands_alone_when_its_photo_is_gone(store, series, fakes, detector):
    named = TemplateChoice("mine", str(series / "2002.png"))
    run(store, detector, choice=named)
    (series / "2002.png").unlink()
    draw(series, 5, similarity(290, 0.02, 5, 55))
    index(store, fakes)
    chosen = shown(store, run(store, detector, choice=TemplateChoice("mine")))
    assert [frame.taken_at.year for frame in chosen.frames] == [2001, 2003, 2004, 2005, 2006]


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (TemplateChoice("yours"), "no template of bodies of that name"),
        (TemplateChoice("face"), "no template of bodies of that name"),
        (TemplateChoice("face", "2001.png"), "the template of that name is of faces"),
        (TemplateChoice(None, "nowhere.png"), "not among the photos"),
        (TemplateChoice(None, None, ("left_ankle", "right_ankle")), "no body shows two of left_ankle"),
        (TemplateChoice(None, "2001.png", ("left_ankle", "right_ankle")), "the reference shows 0 of left_ankle"),
    ],
)
def test_what_cannot_be_a_template_is_said(store, series, detector, choice, says):
    if choice.reference == "2001.png":
        choice = TemplateChoice(choice.name, str(series / "2001.png"), choice.keypoints)
    with pytest.raises(UserError, match=says):
        run(store, detector, choice=choice)


@in_series
def test_other_keypoints_than_those_of_a_named_template_are_refused(store, detector):
    run(store, detector)
    with pytest.raises(UserError, match="this template is of left_ear, left_shoulder, left_hip"):
        run(store, detector, choice=TemplateChoice(MEDOID, None, ("left_ear", "left_hip")))


def test_a_body_with_too_few_keypoints_is_left_out_and_not_tried_again(store, photos, fakes, detector):
    for i, matrix in enumerate(MATRICES[:3]):
        draw(photos, i, matrix)
    hidden = Drawn("red", MATRICES[3], without=("left_ear", "left_shoulder"))
    draw_bodies(photos / "2009.png", hidden, taken_at=datetime(2009, 5, 6))
    index(store, fakes, photos)
    found = run(store, detector)
    assert shown(store, found).reasons == {"fewer than two of the keypoints are seen": 1}
    before = str(contents(store))  # nan is not itself
    run(store, detector)
    assert str(contents(store)) == before


def test_bodies_without_faces_are_taken_where_that_is_asked_for(store, photos, fakes, detector):
    """Red on two photos, somebody without a face on one, green on two."""
    draw(photos, 0, MATRICES[0])
    draw(photos, 1, MATRICES[1])
    draw(photos, 2, MATRICES[2], person=None)
    draw(photos, 3, MATRICES[3], person="green")
    draw(photos, 4, MATRICES[4], person="green")
    index(store, fakes, photos)
    wanted = parse_expression("person:1")
    assert years(shown(store, run(store, detector, wanted))) == [2001, 2002]
    found = run(store, detector, wanted, any_body=True)
    assert years(shown(store, found)) == [2001, 2002, 2003]
    assert found.wanted.without_face == 1
    draw_bodies(photos / "nobody.png", taken_at=datetime(2003, 6, 7))
    index(store, fakes)
    assert "On 1 of the photos no body was found." in shown(store, run(store, detector, wanted, any_body=True)).note
    everybody = run(store, detector, any_body=True)
    assert years(shown(store, everybody)) == [2001, 2002, 2003, 2004, 2005]
    assert everybody.template == "body-left_ear-left_shoulder-left_hip"


def test_a_face_without_a_body_is_counted(store, photos, fakes, detector):
    for i, matrix in enumerate(MATRICES[:2]):
        draw(photos, i, matrix)
    draw_photo(photos / "face.jpg", "red", taken_at=datetime(2009, 5, 6))
    index(store, fakes, photos)
    detector.smallest_px = 50 * 50
    chosen = shown(store, run(store, detector))
    assert (years(chosen), chosen.reasons) == ([2001, 2002], {"no body was found that belongs to the face": 1})


def years(chosen):
    return [frame.taken_at.year for frame in chosen.frames]


def test_a_series_in_which_no_face_is_ever_seen_is_registered(store, photos, fakes, detector):
    for i, matrix in enumerate(MATRICES):
        draw(photos, i, matrix, person=None)
    index(store, fakes, photos)
    with pytest.raises(UserError, match="Nobody is called me"):
        run(store, detector)
    chosen = shown(store, run(store, detector, any_body=True))
    assert wander(chosen, MATRICES, "left_shoulder") < 0.012
    assert all(frame.person_id is None for frame in chosen.frames)


def test_of_two_bodies_that_of_the_person_is_taken(store, photos, fakes, detector):
    pair = similarity(280, 0, -60, 60), similarity(290, 0.05, 110, 60)
    for i in range(3):
        bodies = Drawn("red", pair[0]), Drawn("green", pair[1])
        draw_bodies(photos / f"{i}.png", *bodies, shade=90 + i, taken_at=datetime(2001 + i, 5, 6))
    index(store, fakes, photos)
    red, green = (frame.person_id for frame in frames(store)[:2])
    for person, left in ((red, True), (green, False)):
        chosen = shown(store, run(store, detector, parse_expression(f"person:{person}")))
        assert [bool(frame.box[0] < 100) for frame in chosen.frames] == [left] * 3


@in_series
def test_a_mask_is_read_back_in_pixels_of_the_photo(store, detector):
    frame = shown(store, run(store, detector)).frames[1]
    with store.reading() as session:
        mask = body_mask(session, frame.body_id)
        with pytest.raises(UserError, match="There is no body 99"):
            body_mask(session, 99)
    rows, columns = np.nonzero(mask.pixels > 127)
    corners = apply(mask.photo_from_mask, [[columns.min(), rows.min()], [columns.max(), rows.max()]])
    edges = frame.box - np.array([0, 0, 1, 1])
    assert np.abs(corners.reshape(-1) - edges).max() <= 1.5
    assert (frame.width_px, frame.height_px) == SIZE


@in_series
def test_a_template_is_renamed_without_registering_anew_and_removed(store, detector):
    run(store, detector)
    before = keys(store)
    with store.writing() as session:
        rename_template(session, MEDOID, "bump")
        with pytest.raises(UserError, match="there is a template of that name"):
            rename_template(session, "bump", "face")
        with pytest.raises(UserError, match="template of faces"):
            remove_template(session, "face")
    assert run(store, detector).template == "bump"
    assert keys(store) == before
    with store.writing() as session:
        assert remove_template(session, "bump") == 5
    assert keys(store) == []
    assert names(store) == ["face"]


def test_who_is_forgotten_leaves_no_template(store, photos, fakes, detector):
    for i, matrix in enumerate(MATRICES[:4]):
        draw(photos, i, matrix, person="red" if i < 2 else "green")
    index(store, fakes, photos)
    run(store, detector, parse_expression("person:1"))
    run(store, detector, parse_expression("person:2"))
    # Made for nobody in particular, from a photo of hers.
    run(store, detector, parse_expression("person:2"), TemplateChoice("of 1", str(photos / "2001.png"), NAMES))
    with store.writing() as session:
        hers = session.scalar(select(Template).where(Template.name == "of 1"))
        hers.person_id = None
    forget(store, "1")
    assert names(store) == [MEDOID.replace("1", "2"), "face"]


@in_series
def test_a_stored_template_is_as_it_was(store, detector):
    run(store, detector)
    with store.writing() as session:
        template = body_template(session, MEDOID)
        put_body_template(session, template)
        again = body_template(session, MEDOID)
    assert again.digest == template.digest


@in_series
def test_faces_are_cut_out_by_the_masks_of_their_bodies_which_are_looked_for_once(store, detector):
    found = cut_out(store, frames(store), None, detector.source)
    assert len(found) == 5
    with store.reading() as session:
        of_bodies = {body.face_id: body.mask for body in session.scalars(select(Body))}
    assert [one.cutout.png for one in found] == [of_bodies[one.face_id] for one in found]

    def unneeded():
        raise AssertionError("bodies are looked for again")

    assert [one.cutout.png for one in cut_out(store, frames(store), None, unneeded)] == [
        one.cutout.png for one in found
    ]
