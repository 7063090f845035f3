"""What every command keeps: exit codes, help, and how fast it starts."""

import os
import shutil
import signal
import subprocess
import sys
import time

import click
import pytest

from alignimation_index.cli import cli, run
from alignimation_index.store.engine import Store


def all_commands(command=cli, names=()):
    yield names, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from all_commands(below, (*names, name))


def alignindex(*arguments, **options):
    """Run the program as its own process."""
    program = [sys.executable, "-m", "alignimation_index", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.mark.parametrize("names", [names for names, _ in all_commands()], ids=" ".join)
def test_every_command_has_help(names, capsys):
    assert run([*names, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: {' '.join(('alignindex', *names))} ")
    command = dict(all_commands())[names]
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    if isinstance(command, click.Group):
        assert all(below.get_short_help_str() in shown for below in command.commands.values())


def test_the_version_is_told(capsys):
    assert run(["--version"]) == 0
    assert "alignindex, version" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["render"],
        ["render", "-o", "x.mp4", "--fps", "0"],
        ["update", "--device", "tpu"],
        ["people", "merge", "1"],
        ["people", "confirm", "Ada"],
        ["people", "confirm", "Ada", "x"],
        ["people", "confirm", "--new", "1"],
        ["people", "birthday", "1", "soon"],
        ["prune", "--older-than", "soon"],
    ],
)
def test_a_command_line_that_makes_no_sense_exits_with_2(arguments, capsys):
    assert run(arguments) == 2
    assert "Usage: alignindex" in capsys.readouterr().err


READING_COMMANDS = [
    ["status"],
    ["photos"],
    ["faces"],
    ["errors"],
    ["query"],
    ["people", "list"],
    ["people", "name", "1", "me"],
    ["people", "show", "me", "-o", "x.jpg"],
    ["people", "suggestions"],
    ["people", "history"],
    ["people", "undo"],
    ["render", "-o", "x.mp4"],
    ["roots", "list"],
    ["roots", "remove", "photos"],
    ["roots", "move", "photos", "fotos"],
    ["prune"],
    ["db", "backup"],
    ["db", "check"],
    ["db", "upgrade"],
]


@pytest.mark.parametrize("arguments", READING_COMMANDS, ids=" ".join)
def test_a_missing_store_is_said_with_the_way_to_begin_and_none_is_made(empty_library, arguments):
    failed = empty_library.run(*arguments)
    assert (failed.code, failed.out) == (1, "")
    assert failed.err == (
        f"Error: There is no store at {empty_library.store} yet. Index photos first: alignindex update ~/Photos\n"
    )
    assert not empty_library.store.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query", "--years", "2020-2001"], "Write 2001-2020"),
        (["query", "--years", "soon"], "'soon' is no range of years. Write 2000-2020"),
        (["query", "year:0000"], "'0000' is no range of years"),
        (["query", "colour:red"], "'colour:red' is not understood"),
        (["photos", "persn:me"], "did you mean person:"),
        (["faces", "person:Zoe"], "Nobody is called Zoe. See who there is: alignindex people list"),
        (["people", "show", "Zoe", "-o", "sheet.jpg"], "Nobody is called Zoe"),
        (["people", "name", "99", "Zoe"], "There is no person 99. See who there is: alignindex people list"),
        (["people", "name", "1", "42"], "'42' cannot be a name"),
        (["people", "confirm", "99"], "There is no face 99. See which there are: alignindex faces"),
        (["people", "merge", "me", "1"], "me and 1 are one person already"),
        (["people", "undo", "99"], "There is no answer 99. See which there are: alignindex people history"),
        (["people", "history", "Zoe"], "Nobody is called Zoe"),
        (["render", "--years", "1990", "-o", "x.mp4"], "There are no frames to render. Widen the query"),
        (["render", "-o", "x.avi"], "x.avi"),
        (["update", "--embedder", "nonsense"], "nonsense"),
        (["update", "--embedder", "facenet-vggface2"], "this store's faces are embedded with dlib-resnet"),
        (["roots", "remove", "nowhere"], "nowhere is not watched. See what is: alignindex roots list"),
        (["roots", "move", "nowhere", "somewhere"], "Nothing is known below"),
        (["db", "backup", "-o", "no/such/folder/b.db"], "Choose another place"),
        (["models", "fetch", "nonsense"], "nonsense: no such model; choose one of"),
        (["models", "verify", "dlib-resnet"], "nothing to fetch or verify"),
        (["models", "fetch", "mediapipe-pose"], "nothing to fetch or verify"),
        (["models", "verify", "torchvision-rcnn"], "its weights are missing; get https://download.pytorch.org/models/"),
    ],
)
def test_what_the_user_can_mend_exits_with_1_and_says_how(library, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed = library.run(*arguments)
    assert failed.code == 1
    assert failed.out == ""
    lines = failed.err.splitlines()
    is_pointed_at = set(lines[-1].strip()) == {"^"}  # below the expression
    assert lines[-3 if is_pointed_at else -1].startswith("Error: ")
    assert message in failed.err
    assert "Traceback" not in failed.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named_and_not_added(empty_library, tmp_path):
    failed = empty_library.run("update", tmp_path / "photos", tmp_path / "fotos", "--embedder", "dlib-resnet")
    assert failed.code == 1
    assert str(tmp_path / "fotos") in failed.err
    assert "Traceback" not in failed.err
    assert empty_library.run("status", "--json").json["roots"] == []


def test_an_empty_folder_is_indexed_to_nothing(empty_library):
    updated = empty_library.run("update", empty_library.photos, "--embedder", "dlib-resnet")
    assert (updated.code, updated.err) == (0, "")
    assert updated.out.startswith("0 files")
    assert empty_library.run("faces", "--json").json == []
    assert empty_library.run("people", "list", "--json").json == []


def test_an_update_tells_where_its_time_went_when_asked(empty_library, library):
    shutil.copy(library.path(2008), empty_library.photos)
    options = ("--embedder", "dlib-resnet", "--device", "cpu", "--workers", "1", "--profile")
    told = empty_library.run("update", empty_library.photos, *options)
    assert (told.code, told.err) == (0, "")
    steps = {line.split("  ")[0] for line in told.out.splitlines()}
    assert {"scan", "read", "hash", "decode", "detect", "embed", "write", "people", "load networks"} <= steps
    assert "photos/s" in told.out.splitlines()[-1]
    again = empty_library.run("update", "--profile")
    assert again.code == 0
    assert "detect" not in again.out
    assert "scan" not in empty_library.run("update").out


def test_a_device_that_is_not_there_is_said_and_no_photo_is_blamed(empty_library, library):
    missing = "cuda" if sys.platform == "darwin" else "mps"
    shutil.copy(library.path(2008), empty_library.photos)
    failed = empty_library.run("update", empty_library.photos, "--embedder", "dlib-resnet", "--device", missing)
    assert failed.code == 1
    assert f"--device {missing}" in failed.err
    assert empty_library.run("errors", "--json").json == []


def test_a_file_that_is_no_store_is_left_alone(tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("Dear Ada, " * 100)
    assert run(["--store", str(tmp_path / "letter.txt"), "status"]) == 1
    assert "is not an alignindex store" in capsys.readouterr().err
    assert (tmp_path / "letter.txt").read_text() == "Dear Ada, " * 100


def test_the_store_comes_from_the_environment(library, monkeypatch, capfdbinary):
    monkeypatch.setenv("ALIGNINDEX_STORE", str(library.store))
    assert run(["status"]) == 0
    assert f"store: {library.store}".encode() in capfdbinary.readouterr().out


def test_a_mistake_of_the_program_exits_with_3_and_shows_where(capsys):
    @click.command()
    def stumble():
        raise RuntimeError("a mistake")

    cli.add_command(stumble, "stumble")
    try:
        assert run(["stumble"]) == 3
    finally:
        del cli.commands["stumble"]
    complaint = capsys.readouterr().err
    assert "RuntimeError: a mistake" in complaint
    assert "This is a bug in alignindex" in complaint


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_an_interrupted_update_exits_with_130_and_no_traceback(empty_library):
    # Another process holds the update, so that this one waits until it is interrupted.
    store = Store.open(empty_library.store)
    program = [sys.executable, "-m", "alignimation_index", "--store", empty_library.store, "update"]
    with store.updating(lambda: None):
        waiting = subprocess.Popen([*map(str, program), "--embedder", "dlib-resnet"], stderr=subprocess.PIPE, text=True)
        assert "waiting" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        complaint = waiting.communicate(timeout=60)[1]
    store.close()
    assert waiting.returncode == 130
    assert complaint.strip() == "Interrupted. What was finished is kept; run the command again to go on."


def test_commands_that_compute_nothing_do_without_torch(library, tmp_path):
    store = shutil.copy(library.store, tmp_path / "store.db")
    commands = [["--help"], ["render", "--help"], ["status"], ["people", "list"], ["query"], ["update"]]
    commands += [["people", "history"], ["people", "suggestions"], ["people", "confirm", "1"], ["people", "undo"]]
    commands += [["roots", "list"], ["prune"], ["db", "check"]]
    program = f"""
import sys
from alignimation_index.cli import run
code = max(run(["--store", {str(store)!r}, *command]) for command in {commands!r})
heavy = sorted({{"torch", "kornia", "torchvision", "facenet_pytorch", "skimage"}} & sys.modules.keys())
sys.exit(f"imported {{heavy}}" if heavy else code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_runs_as_a_module_with_its_exit_codes(library):
    assert alignindex("--store", library.store, "status", "--json").returncode == 0
    assert alignindex("--store", library.store, "query", "colour:red").returncode == 1
    assert alignindex("--store", library.store, "fly").returncode == 2


def test_a_reader_of_the_output_may_leave_early(library):
    command = f"{sys.executable} -m alignimation_index --store {library.store} query --json | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[", "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_name_that_is_no_text_is_given_back_byte_by_byte(library, tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102
    with open(folder + b"/a.jpg", "wb") as file:  # noqa: PTH123
        file.write(library.path(2003).read_bytes())
    own = type(library)(folder, tmp_path / "store.db")
    added = own.run("update", os.fsdecode(folder), "--embedder", "dlib-resnet")
    assert added.code == 0, added.err
    program = [sys.executable, "-m", "alignimation_index", "--store", str(own.store)]
    paths = subprocess.run([*program, "query", "--paths"], capture_output=True, timeout=60, check=True).stdout
    assert paths == folder + b"/a.jpg\n"
    for arguments in (["query"], ["faces", "--json"], ["query", "--csv"], ["photos"], ["status"]):
        assert subprocess.run([*program, *arguments], capture_output=True, timeout=60, check=False).returncode == 0


def test_help_is_quick():
    start = time.monotonic()
    assert alignindex("--help").returncode == 0
    assert time.monotonic() - start < 5  # half a second on a machine that does nothing else


def test_a_smallest_face_is_kept_for_later_updates(empty_library, library):
    shutil.copy(library.path(2008), empty_library.photos)
    assert empty_library.run("update", empty_library.photos, "--embedder", "dlib-resnet").code == 0
    assert empty_library.run("update", "--min-face", "2").code == 2
    assert empty_library.run("update", "--min-face", "0.05").out.startswith("1 files: 0 new or changed")
    assert empty_library.run("status", "--json").json["stale"] == []
    assert " 0 photos computed" in empty_library.run("update").out
