"""What the tab key offers, asked as a shell asks, with the names of a store."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.shell_completion import ShellComplete

from alignimation_index.cli import cli
from alignimation_index.store import schema
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Person, Template
from alignimation_index.store.identity_tables import PersonState
from alignimation_index.store.saved_tables import SavedQuery
from alignimation_index.store.tables import Photo, PhotoAlbum

NAMES = ("Ada L", "Bob", "O'Brien", 'The "Kid"')


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A store with people, an album, a camera, a saved query and a template."""
    path = tmp_path_factory.mktemp("named") / "store.db"
    store = Store.open(path)
    with store.writing() as session:
        session.add_all(Person(id=number) for number in range(1, 5))
        session.add(Photo(id=1, content_hash="aa", camera="Pixel 4"))
        session.flush()
        session.add_all(
            PersonState(person_id=number, goes_by_id=number, name=name, hidden=False)
            for number, name in enumerate(NAMES, 1)
        )
        session.add(SavedQuery(name="Summers", expression="album:'Summer 15'", options={}))
        session.add(Template(name="standing", kind="body", landmarks=np.zeros((3, 2), np.float32)))
        session.add(PhotoAlbum(photo_id=1, name="Summer 15"))
    store.close()
    return path


def offered(store, *arguments):
    """What click's own interface offers after these arguments, the last of them incomplete."""
    *before, incomplete = arguments
    complete = ShellComplete(cli, {}, "alignindex", "_ALIGNINDEX_COMPLETE")
    return [item.value for item in complete.get_completions(["--store", str(store), *before], incomplete)]


@pytest.mark.parametrize("command", [["query"], ["faces"], ["photos"], ["photos", "list"], ["render"]])
def test_every_command_with_an_expression_completes_terms_and_names(named, command):
    assert offered(named, *command, "fr") == ["frontal:"]
    assert offered(named, *command, "person:a") == ['person:"Ada L"']


@pytest.mark.parametrize(
    ("incomplete", "completed"),
    [
        ("w", ["with:", "without:"]),
        ("frontal:", ["frontal:yes", "frontal:no"]),
        ("kind:b", ["kind:body"]),
        ("person:", ["person:me", 'person:"Ada L"', "person:Bob", '''person:"O'Brien"''', r'person:"The \"Kid\""']),
        ('person:"Ad', ['person:"Ada L"']),
        ("person:Ada ", ['person:"Ada L"']),
        ("year:2012 not (with:B", ["year:2012 not (with:Bob"]),
        ('person:"Ada L" -al', ['person:"Ada L" -alone:', 'person:"Ada L" -album:']),
        ("person:Bob ca", ["person:Bob camera:"]),
        ("with:Bob wi", ["with:Bob with:", "with:Bob without:"]),
        ("album:s", ['album:"Summer 15"']),
        ("camera:", ['camera:"Pixel 4"']),
        ("year:", []),
        ("nonsense:", []),
    ],
)
def test_an_expression_goes_on_with_what_is_known(named, incomplete, completed):
    assert offered(named, "query", incomplete) == completed


def test_options_that_take_a_person_complete_names(named):
    assert offered(named, "query", "--person", "") == list(NAMES)
    assert offered(named, "render", "--person", "b") == ["Bob"]


@pytest.mark.parametrize(
    "command",
    ["show", "name", "confirm", "reject", "merge", "split", "hide", "unhide", "birthday", "cover", "history", "forget"],
)
def test_commands_about_a_person_complete_names(named, command):
    assert offered(named, "people", command, "a") == ["Ada L"]


@pytest.mark.parametrize(
    "command", ["render --saved", "query --saved", "query show", "query rename", "query remove", "query undo"]
)
def test_names_of_saved_queries_are_completed(named, command):
    assert offered(named, *command.split(), "sum") == ["Summers"]


@pytest.mark.parametrize("command", ["render --template", "templates rename", "templates remove", "inspect --template"])
def test_names_of_templates_are_completed(named, command):
    assert offered(named, *command.split(), "st") == ["standing"]


@pytest.mark.parametrize("command", ["inspect", "photos set-date 1987", "query undo Summers", "render --pin"])
def test_photos_are_left_to_the_shell(named, command):
    complete = ShellComplete(cli, {}, "alignindex", "_ALIGNINDEX_COMPLETE")
    found = complete.get_completions(["--store", str(named), *command.split()], "2012/b")
    assert [(item.type, item.value) for item in found] == [("file", "2012/b")]


def test_without_a_store_or_with_an_older_one_nothing_is_offered_and_nothing_made(tmp_path, named):
    missing = tmp_path / "none.db"
    assert offered(missing, "query", "person:") == []
    assert not missing.exists()
    older = shutil.copy(named, tmp_path / "older.db")
    connection = __import__("sqlite3").connect(older)
    connection.execute("UPDATE alembic_version SET version_num = '0005'")
    connection.commit()
    connection.close()
    assert offered(older, "query", "person:") == []
    assert schema.revision(older) == "0005"


def from_bash(store, line):
    """What bash is given for the last word of a line."""
    words = f"alignindex --store {store} {line}"
    asked = {"COMP_WORDS": words, "COMP_CWORD": "4", "_ALIGNINDEX_COMPLETE": "bash_complete"}
    program = [sys.executable, "-m", "alignimation_index"]
    done = subprocess.run(program, capture_output=True, text=True, check=True, env={**os.environ, **asked}, timeout=60)
    return done.stdout.split()[0].partition(",")[2] if " " not in done.stdout.strip() else done.stdout.strip()[6:]


@pytest.mark.parametrize("typed", ["person:A", '"person:A', "'person:A"])
def test_bash_gets_words_that_mean_the_expression(named, typed):
    word = from_bash(named, f"query {typed}")
    echoed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, text=True, check=True)
    assert echoed.stdout == 'person:"Ada L"'


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_it_can_read(shell, capfd):
    cli.main(["completion", shell], prog_name="alignindex", standalone_mode=False)
    script = capfd.readouterr().out
    assert f"_ALIGNINDEX_COMPLETE={shell}_complete" in script.replace("\\\n", "")
    if shell == "zsh":
        assert "-a terms" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
