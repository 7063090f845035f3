from datetime import datetime

import pytest

from alignimation_index.errors import UserError
from alignimation_index.query.language.expression import FrameFilter, parse_expression, term
from alignimation_index.query.language.terms import TERMS
from alignimation_index.query.language.tree import And, Not, Or, in_words
from alignimation_index.query.language.values import Bounds, Circle, Period, parse_years


def t(written):
    name, _, value = written.partition(":")
    return term(name, value)


ME, BOB, FRONTAL, SMALL = t("person:me"), t("with:Bob"), t("frontal:yes"), t("size:<50")


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("", And()),
        ("   ", And()),
        ("person:me", ME),
        ("PERSON:me", ME),
        ("person:'Ada Lovelace'", term("person", "Ada Lovelace")),
        ('person:"Ada Lovelace"', term("person", "Ada Lovelace")),
        ('"person:Ada Lovelace"', term("person", "Ada Lovelace")),
        (r'person:"Ada \"Bug\" L"', term("person", 'Ada "Bug" L')),
        (r'path:"C:\Photos"', term("path", r"C:\Photos")),
        ("person:O'Brien", term("person", "O'Brien")),
        ("person:a:b", term("person", "a:b")),
        ("person:me with:Bob", And((ME, BOB))),
        ("person:me and with:Bob", And((ME, BOB))),
        ("person:me or with:Bob frontal:yes", Or((ME, And((BOB, FRONTAL))))),
        ("(person:me or with:Bob) frontal:yes", And((Or((ME, BOB)), FRONTAL))),
        ("person:me OR with:Bob or size:<50", Or((ME, BOB, SMALL))),
        ("not with:Bob frontal:yes", And((Not(BOB), FRONTAL))),
        ("-with:Bob", Not(BOB)),
        ("not (person:me or -with:Bob)", Not(Or((ME, Not(BOB))))),
        ("not not with:Bob", Not(Not(BOB))),
        ('person:"or"', term("person", "or")),
        ('"person:not" or with:Bob', Or((term("person", "not"), BOB))),
    ],
)
def test_an_expression_is_a_tree_of_terms(expression, condition):
    assert parse_expression(expression) == FrameFilter(condition)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("year:2012", Period(datetime(2012, 1, 1), datetime(2013, 1, 1))),
        ("year:2000..2020", Period(datetime(2000, 1, 1), datetime(2021, 1, 1))),
        ("year:2000-2020", Period(datetime(2000, 1, 1), datetime(2021, 1, 1))),
        ("year:2000..", Period(datetime(2000, 1, 1))),
        ("year:..2016", Period(end=datetime(2017, 1, 1))),
        ("year:..9999", Period()),
        ("year:>=2015", Period(datetime(2015, 1, 1))),
        ("year:<2015", Period(end=datetime(2015, 1, 1))),
        ("date:2015-06..2016", Period(datetime(2015, 6, 1), datetime(2017, 1, 1))),
        ("date:2015-12", Period(datetime(2015, 12, 1), datetime(2016, 1, 1))),
        ("date:2016-02-29", Period(datetime(2016, 2, 29), datetime(2016, 3, 1))),
        ("date:>2015-06", Period(datetime(2015, 7, 1))),
        ("date:<=2015-06-30", Period(end=datetime(2015, 7, 1))),
        ("date:9999-12-31", Period(datetime(9999, 12, 31))),
        ("age:3..18", Bounds(3, 19, with_high=False)),
        ("age:7", Bounds(7, 8, with_high=False)),
        ("age:<1", Bounds(high=1, with_high=False)),
        ("age:>17", Bounds(18)),
        ("age:0.5..1.5", Bounds(0.5, 1.5)),
        ("yaw:<20", Bounds(high=20, with_high=False)),
        ("size:>=120", Bounds(120)),
        ("size:>99.5", Bounds(99.5, with_low=False)),
        ("size:80..200", Bounds(80, 200)),
        ("quality:.5..", Bounds(0.5)),
        ("residual:<=0.05", Bounds(high=0.05)),
        ("near:48.85,2.35,20km", Circle(48.85, 2.35, 20_000)),
        ('near:"-48.85, 2.35, 3 mi"', Circle(-48.85, 2.35, 3 * 1609.344)),
        ("frontal:no", False),
        ("reviewed:Yes", True),
    ],
)
def test_a_value_is_read_as_its_term_says(written, value):
    assert parse_expression(written).condition.value == value


def test_bodies_are_asked_for_once_and_for_all():
    assert parse_expression("kind:body year:2012") == FrameFilter(t("year:2012"), kind="body")
    assert parse_expression("year:2012 kind:face").kind == "face"


@pytest.mark.parametrize(
    ("expression", "pointed_at", "what_would_do"),
    [
        ("me", "me", "as KEY:VALUE"),
        ("colour:red", "colour:red", "Terms: person, with"),
        ("persn:me", "persn:me", "did you mean person:"),
        ("year:2012 persn:me", "persn:me", "'persn:me' is not understood"),
        ("person:Ada L", "L", 'person:"… L"'),
        ("person:me frontal:maybe", "maybe", "Write yes or no"),
        ("size:120", "120", "size:>=120, size:<300 or size:120..300"),
        ("size:>=big", ">=big", "'big' is no number"),
        ("size:200..80", "200..80", "Write 80..200"),
        ("residual:..", "..", "residual:<0.05"),
        ("year:soon", "soon", "2000-2020, 2000-, -2020 or 2012"),
        ("date:2015-13", "2015-13", "'2015-13' is no date"),
        ("date:2015-00", "2015-00", "'2015-00' is no date"),
        ("date:2016..2015-06", "2016..2015-06", "Write 2015-06..2016"),
        ("near:91,0,3km", "91,0,3km", "near:48.85,2.35,20km"),
        ("album:", "", "missing after the colon"),
        ("person:'Ada", "'Ada", "Close the quotes"),
        ("year:2012 (frontal:yes", "(", "not closed"),
        ("frontal:yes) year:2012", ")", ") too many"),
        ("()", ")", "nothing in ()"),
        ("person:me or", "", "A term is missing here"),
        ("person:me or or with:Bob", "or", "A term is missing here"),
        ("year:2012 kind:bodies", "bodies", "Write face or body"),
        ("kind:body or year:2012", "kind:body", "cannot be combined"),
        ("not kind:body", "kind:body", "cannot be combined"),
        ("kind:body kind:face", "kind:face", "cannot be combined"),
        ("person:日本 frontal:maybe", "maybe", "Write yes or no"),
        ("not " * 60 + "year:2012", "not", "nested too deeply"),
    ],
)
def test_what_is_not_understood_is_pointed_at_with_what_would_do(expression, pointed_at, what_would_do):
    with pytest.raises(UserError) as raised:
        parse_expression(expression)
    problem, shown, pointer = str(raised.value).split("\n")
    assert what_would_do in problem
    assert shown == f"  {expression}"
    wide = sum(character in "日本" for character in expression)
    start = len(pointer) - len(pointer.lstrip()) - wide
    assert shown[start:].startswith(pointed_at)
    assert pointer.strip() == "^" * max(len(pointed_at), 1)


def test_an_expression_without_end_is_refused():
    with pytest.raises(UserError, match="too long"):
        parse_expression(" or ".join(["year:2012"] * 5000))


def test_options_hold_too_and_replace_what_the_expression_says_by_itself():
    wanted = parse_expression("person:me year:2012 (year:2013 or frontal:yes)").narrowed(t("year:2014"))
    assert in_words(wanted.condition) == "(person:me (year:2013 or frontal:yes) year:2014)"


@pytest.mark.parametrize("name", TERMS)
def test_the_examples_of_every_term_are_understood(name):
    wanted = parse_expression(TERMS[name].examples) if name != "kind" else parse_expression("kind:face")
    assert wanted.kind == "face"
    assert all(
        example.startswith(f"{name}:")
        for example in TERMS[name].examples.replace('"Ada L"', "A").split()
        if ":" in example
    )


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
