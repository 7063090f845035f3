"""What the code has to be besides correct: tidy, typed, layered, and described as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CHECKS = {
    "ruff finds nothing": ["ruff", "check", "."],
    "the code is formatted": ["ruff", "format", "--check", "."],
    "mypy finds nothing": ["mypy"],
    "the README's command reference is that of the program": ["cog", "--check", "README.md"],
}


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_check_passes(command):
    done = run(str(Path(sys.executable).parent / command[0]), *command[1:])
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_one_way():
    done = run(str(Path(sys.executable).parent / "lint-imports"), "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_the_top_level_holds_what_it_should():
    done = run("git", "ls-files")
    if done.returncode:
        pytest.skip("needs a git checkout")
    top = {line.split("/")[0] for line in done.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == {
        "alignimation_index",
        "migrations",
        "tests",
        "pyproject.toml",
        "README.md",
        "alembic.ini",
        "LICENSE",
    }
