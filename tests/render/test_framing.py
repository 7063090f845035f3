import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index import similarity
from alignimation_index.errors import UserError
from alignimation_index.registration.faces import FACE_TEMPLATE
from alignimation_index.render.stills.framing import VIEWS, Framing, canvas_from_template, parse_edges, parse_size

SIDES = st.integers(16, 4000)


def test_the_head_on_a_square_is_the_template():
    corners = similarity.apply(canvas_from_template(Framing(100, 100)), [[0.0, 0.0], [1.0, 1.0]])
    assert np.allclose(corners, [[-0.5, -0.5], [99.5, 99.5]])


@given(width=SIDES, height=SIDES, kind=st.sampled_from(sorted(VIEWS)), view=st.sampled_from(sorted(VIEWS["face"])))
def test_every_canvas_shows_all_of_the_view_unturned_and_unstretched(width, height, kind, view):
    matrix = canvas_from_template(Framing(width, height, view), kind)
    assert matrix[0, 0] == matrix[1, 1] > 0
    assert matrix[0, 1] == matrix[1, 0] == 0
    top, bottom, across = VIEWS[kind][view]
    seen = similarity.apply(matrix, [[0.5 - across / 2, top], [0.5 + across / 2, bottom]])
    assert (seen >= -0.5 - 1e-6 * max(width, height)).all()
    assert (seen <= np.array([width, height]) - 0.5 + 1e-6 * max(width, height)).all()


@pytest.mark.parametrize("size", [(1080, 1920), (1080, 1080), (1920, 1080)])
@pytest.mark.parametrize("view", ["tight", "face", "head", "bust"])
def test_eyes_are_a_bit_above_the_middle_of_any_canvas(size, view):
    eyes = similarity.apply(canvas_from_template(Framing(*size, view)), FACE_TEMPLATE[:2]).mean(0)
    assert eyes[0] == pytest.approx(size[0] / 2 - 0.5)
    assert 0.3 < eyes[1] / size[1] < 0.48


def test_views_widen_from_tight_to_body():
    scales = [canvas_from_template(Framing(1080, 1920, view))[0, 0] for view in VIEWS["face"]]
    assert scales == sorted(scales, reverse=True)


@pytest.mark.parametrize(
    ("text", "size"), [("720", (720, 720)), ("1080x1920", (1080, 1920)), (" 640 X 480 ", (640, 480))]
)
def test_a_size_is_one_number_or_two(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "big", "0x100", "15", "9000x100", "1080x", "-5", "1.5"])
def test_what_is_no_size_is_said_to_be_none(text):
    with pytest.raises(UserError, match="size"):
        parse_size(text)


def test_edges_are_names_and_colours():
    given = ("blur", "Mirror", "white", "#fa0", "#102030")
    assert [parse_edges(text) for text in given] == ["blur", "mirror", "#ffffff", "#ffaa00", "#102030"]
    with pytest.raises(UserError, match="no colour"):
        parse_edges("blurred")
