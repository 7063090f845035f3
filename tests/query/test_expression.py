import pytest

from alignimation_index.errors import UserError
from alignimation_index.query.expression import FrameFilter, parse_expression, parse_years


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("", FrameFilter()),
        ("   ", FrameFilter()),
        ("person:me", FrameFilter(person="me")),
        ("person:12", FrameFilter(person="12")),
        ("person:'Ada Lovelace'", FrameFilter(person="Ada Lovelace")),
        ('"person:Ada Lovelace"', FrameFilter(person="Ada Lovelace")),
        ("person:a:b", FrameFilter(person="a:b")),
        ("year:2012", FrameFilter(first_year=2012, last_year=2012)),
        ("year:2000..2020", FrameFilter(first_year=2000, last_year=2020)),
        ("year:2000-", FrameFilter(first_year=2000)),
        ("frontal:yes", FrameFilter(frontal=True)),
        ("frontal:no", FrameFilter(frontal=False)),
        ("size:>=120", FrameFilter(min_size_px=120)),
        ("size:>99.5", FrameFilter(min_size_px=99.5)),
        ("residual:<=0.05", FrameFilter(max_residual=0.05)),
        ("residual:<0.05", FrameFilter(max_residual=0.05)),
        (
            "person:me year:2000..2020 frontal:yes size:>=120 residual:<0.05",
            FrameFilter("me", 2000, 2020, True, 120, 0.05),
        ),
    ],
)
def test_an_expression_says_which_frames_are_wanted(expression, wanted):
    assert parse_expression(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "term", "what_would_do"),
    [
        ("me", "'me'", "as KEY:VALUE"),
        ("colour:red", "'colour:red'", "person, year, frontal, size, residual"),
        ("persn:me", "'persn:me'", "did you mean person:"),
        ("person:me frontal:maybe", "'frontal:maybe'", "frontal:yes or frontal:no"),
        ("size:120", "'size:120'", "size:>= and a number"),
        ("size:<=120", "'size:<=120'", "size:>= and a number"),
        ("size:>=big", "'size:>=big'", "size:>= and a number"),
        ("residual:>0.05", "'residual:>0.05'", "residual:<= and a number"),
        ("year:soon", "'soon'", "2000-2020, 2000-, -2020 or 2012"),
        ("person:'Ada", "person:'Ada", "Close the quotes"),
    ],
)
def test_a_term_that_is_not_understood_is_named_with_what_would_do(expression, term, what_would_do):
    with pytest.raises(UserError) as raised:
        parse_expression(expression)
    assert term in str(raised.value)
    assert what_would_do in str(raised.value)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2000-2020", (2000, 2020)),
        ("2000..2020", (2000, 2020)),
        (" 2000 - 2020 ", (2000, 2020)),
        ("2012-2012", (2012, 2012)),
        ("2000-", (2000, None)),
        ("2000..", (2000, None)),
        ("-2020", (None, 2020)),
        ("..2020", (None, 2020)),
        ("2012", (2012, 2012)),
    ],
)
def test_years_are_a_first_and_a_last(text, years):
    assert parse_years(text) == years


@pytest.mark.parametrize(
    "text", ["", "-", "..", "soon", "20", "20002020", "2000 2020", "2000-20", "2000-2010-2020", "0000", "٢٠٠٠"]
)
def test_what_is_no_range_of_years_is_named_with_what_would_do(text):
    with pytest.raises(UserError, match=r"Write 2000-2020, 2000-, -2020 or 2012") as raised:
        parse_years(text)
    assert repr(text) in str(raised.value)


def test_years_in_the_wrong_order_are_given_back_in_the_right_one():
    with pytest.raises(UserError, match="Write 2001-2020"):
        parse_years("2020-2001")
