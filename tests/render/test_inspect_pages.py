from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from seen_frames import seen_face

from alignimation_index.datatypes import DecodedPhoto
from alignimation_index.errors import UserError
from alignimation_index.registration.faces import FACE_TEMPLATE, register_faces
from alignimation_index.render.inspect.faces import draw_pair, draw_photo, register
from alignimation_index.render.inspect.overlays import blended, drawn_points, glowing, loss_chart, marked
from alignimation_index.render.inspect.page import (
    PAPER,
    PHOTO,
    TEMPLATE,
    WIDTH_PX,
    Panel,
    Row,
    Words,
    draw_page,
    drawable,
    font_of,
    wrapped,
)
from alignimation_index.render.inspect.seen import (
    SeenPhoto,
    choose_face,
    upright_square,
    whole_photo,
    whole_square,
)
from alignimation_index.similarity import apply


def seen(*faces, width_px=200, height_px=100) -> SeenPhoto:
    pixels = np.full((height_px, width_px, 3), 128, np.uint8)
    return SeenPhoto("some/photo.jpg", DecodedPhoto(pixels, width_px, height_px), faces, None, None, is_indexed=True)


def count(picture, colour, tolerance=12) -> int:
    return int((np.abs(picture.astype(int) - colour).max(2) <= tolerance).sum())


def bluish(picture) -> int:
    return int((picture[..., 2].astype(int) - picture[..., 0] > 120).sum())


def test_the_two_colours_make_white():
    assert tuple(np.add(PHOTO, TEMPLATE)) == (255, 255, 255)
    spot = drawn_points([[0.5, 0.5]], 100, 0.05)
    both = glowing(None, spot, spot, 100)
    assert both[50, 50].min() >= 250
    assert np.abs(glowing(None, spot, None, 100)[50, 50].astype(int) - PHOTO).max() < 30
    assert np.abs(glowing(None, None, spot, 100)[50, 50].astype(int) - TEMPLATE).max() < 30


def test_what_agrees_is_grey_and_what_does_not_is_coloured():
    one, other = np.full((8, 8, 3), 200, np.uint8), np.full((8, 8, 3), 200, np.uint8)
    other[:, :4] = 0

    mixed = blended(one, other).astype(int)

    assert np.ptp(mixed[0, 6]) <= 2
    assert np.ptp(mixed[0, 1]) > 100


def test_gaussians_are_drawn_where_the_points_are():
    drawn = drawn_points([[0.25, 0.75], [np.nan, 0.5]], 200, 0.02)
    assert np.unravel_index(drawn.argmax(), drawn.shape) in {(149, 49), (149, 50), (150, 49), (150, 50)}
    assert drawn_points(np.zeros((0, 2)), 20, 0.02).max() == 0


def test_marks_are_on_the_picture_where_they_belong():
    grey = np.full((120, 160, 3), 90, np.uint8)

    picture = marked(grey, [([20, 40, 60, 80], "7", True)], [[100, 60], [np.nan, 5]], 6)

    assert picture.shape == grey.shape
    assert np.abs(picture[60, 100].astype(int) - PHOTO).max() < 30
    assert np.abs(picture[40:81, 19:22].astype(int) - PHOTO).max(2).min(1).max() < 40
    assert (picture[5:30, 130:] == 90).all()
    other = marked(grey, [([20, 40, 60, 80], "", False)], np.zeros((0, 2)), 6)
    assert count(other, PHOTO) == 0 and not (other == 90).all()


def test_the_registration_goes_down_to_that_of_the_index():
    face = seen_face()

    found = register(seen(face), face, FACE_TEMPLATE)

    assert np.allclose(found.steps[-1], register_faces(face.landmarks).template_from_photo[0], atol=1e-5)
    assert found.losses[0] > 0.5 > found.losses[-1]
    assert all(after <= before + 1e-9 for before, after in zip(found.losses[1:], found.losses[2:], strict=False))


def test_the_whole_photo_fits_into_the_square_it_begins_with():
    corners = apply(whole_square(seen().photo), [[-0.5, -0.5], [199.5, 99.5]])
    assert np.allclose(corners, [[0, 0.25], [1, 0.75]])


def test_a_close_up_is_as_large_as_the_registered_face_but_not_turned():
    turned = np.array([[0.006, -0.008, 0.3], [0.008, 0.006, -0.2]])

    upright = upright_square(turned)

    assert np.allclose(upright[:, :2], 0.01 * np.eye(2))
    middle = np.linalg.solve(turned[:, :2], 0.5 - turned[:, 2])
    assert np.allclose(apply(upright, [middle]), 0.5)


def test_a_page_has_the_panels_of_a_face_and_the_photo_on_top():
    face = seen_face()

    page = draw_photo(seen(face), face)

    assert page.shape[1] == WIDTH_PX and page.shape[0] > 900
    assert count(page, PHOTO) > 200 and bluish(page) > 200
    assert count(page, (255, 255, 255), 2) > 100


def test_a_photo_without_a_face_says_so():
    with_face, without = draw_photo(seen(seen_face()), seen_face()), draw_photo(seen(), None)

    assert without.shape[0] < 0.7 * with_face.shape[0]
    assert count(without, PHOTO) == 0


def test_a_face_that_could_not_be_registered_is_shown_without_steps():
    face = seen_face(template_from_photo=None, residual=None)
    page = draw_photo(seen(face), face)
    assert count(page, PHOTO) > 0 and bluish(page) == 0


def test_a_pair_is_drawn_with_both_photos():
    first, second = seen_face(), seen_face(landmarks=seen_face().landmarks + np.float32(7))
    page = draw_pair(seen(first), first, seen(second, height_px=150), second)
    assert page.shape[1] == WIDTH_PX and bluish(page) > 200 and count(page, PHOTO) > 200


def test_the_largest_face_is_chosen_but_for_a_number_or_a_person():
    small, large = seen_face(face_id=4, size_px=30.0, person_id=1), seen_face(face_id=9, size_px=60.0)
    both = seen(small, large)

    assert choose_face(both) is large
    assert choose_face(both, 4) is small
    assert choose_face(both, like=seen_face(person_id=1)) is small
    assert choose_face(both, like=seen_face(person_id=2)) is large
    assert choose_face(seen()) is None
    with pytest.raises(UserError, match="no face 5 on this photo; choose from 4, 9"):
        choose_face(both, 5)
    with pytest.raises(UserError, match="none at all"):
        choose_face(seen(), 1)


def test_a_reduced_photo_has_its_boxes_where_a_whole_one_has_them():
    box, nowhere = np.array([800, 200, 1200, 600], np.float32), np.full((5, 2), np.nan, np.float32)
    face = seen_face(width_px=1600, height_px=800, box=box, landmarks=nowhere, size_px=400.0)
    reduced = SeenPhoto("a", DecodedPhoto(np.zeros((200, 400, 3), np.uint8), 1600, 800, 4), [face], None, None, False)

    picture = whole_photo(reduced, face)

    rows, columns = np.nonzero(np.abs(picture.astype(int) - PHOTO).max(2) < 40)
    assert picture.shape == (200, 400, 3)
    assert abs(columns.min() - 199.5) < 4 and abs(columns.max() - 300) < 4 and abs(rows.max() - 150) < 4


def test_a_loss_chart_goes_down_where_the_loss_does():
    chart = loss_chart([1.0, 0.5, 0.0], ["a", "b", "c"], (600, 300))
    rows, columns = np.nonzero(np.abs(chart.astype(int) - PHOTO).max(2) < 40)
    assert chart.shape == (300, 600, 3)
    assert rows[columns == columns.min()].mean() < rows[columns == columns.max()].mean() - 150


def test_text_is_wrapped_within_its_width_and_loses_nothing():
    text = "Looks a little to the right of the picture " + "x" * 90
    lines = wrapped(text, 200, font_of(20))
    assert max(map(font_of(20).getlength, lines)) <= 200
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_letters_that_the_font_lacks_are_replaced():
    assert drawable("Müller, Strauß 4° 明…") == "Muller, Strauss 4° ?…"


def test_a_page_keeps_its_width_whatever_is_on_it():
    tall = np.zeros((900, 30, 3), np.uint8)
    page = draw_page("t" * 200, "", [Row([Panel("a", tall, "b"), Words([("c", "d")], columns=3)])])
    assert page.shape[1] == WIDTH_PX
    assert (page[:, -20:] == PAPER).all()
    Image.fromarray(page)
