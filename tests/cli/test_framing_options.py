import click
import pytest
from click.testing import CliRunner

from alignimation_index.cli.framing import framing_options
from alignimation_index.errors import UserError
from alignimation_index.render.stills.framing import Framing


def framing_of(*arguments):
    chosen = []

    @click.command()
    @framing_options
    def command(framing):
        chosen.append(framing.framing())

    result = CliRunner().invoke(command, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return chosen[0] if chosen else result.exit_code


def test_without_options_it_is_the_square_of_the_head():
    assert framing_of() == Framing(720, 720, "head", "#000000")


def test_each_option_has_its_say():
    wanted = ["--frame", "bust", "--size", "1080x1920", "--edges", "blur", "--crop", "inside", "--match", "light"]
    assert framing_of(*wanted) == Framing(1080, 1920, "bust", "blur", inside=True, match_light=True)


def test_an_unknown_view_is_a_usage_error_and_no_size_one_that_says_so():
    assert framing_of("--frame", "foot") == 2
    with pytest.raises(UserError, match="size"):
        framing_of("--size", "wide")
