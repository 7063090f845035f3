import json

import pytest

from alignimation_index.cli.output import say_json_array, say_lines, say_table


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_an_array_printed_in_parts_is_the_text_of_one_in_a_piece(capfd, count):
    values = [{"path": f"é{number}\udcff", "box": [number / 3]} for number in range(count)]
    say_json_array(iter(values))
    assert capfd.readouterr().out == json.dumps(values) + "\n"


def test_values_are_printed_while_they_arrive(capfd):
    def values():
        yield from range(1000)
        printed.append(capfd.readouterr().out)
        yield 1000

    printed = []
    say_json_array(values())
    assert json.loads(printed[0] + capfd.readouterr().out) == list(range(1001))
    assert printed[0].startswith("[0, 1, ")


def test_columns_are_as_wide_as_their_widest_cell_on_screen(capfd):
    say_table(("name", "n"), [("日本", 1), (None, 12), ("Ada L.", None)])
    assert capfd.readouterr().out.splitlines() == [
        "name    n ",
        "日本    1 ",
        "        12",
        "Ada L.    ",
    ]


def test_a_table_without_rows_is_its_header(capfd):
    say_table(("name", "path"), [])
    assert capfd.readouterr().out == "name  path\n"


def test_many_lines_are_all_printed_and_none_is_no_line(capfd):
    say_lines(str(number) for number in range(2001))
    assert capfd.readouterr().out.splitlines() == [str(number) for number in range(2001)]
    say_lines([])
    assert capfd.readouterr().out == ""
