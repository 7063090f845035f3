"""What commands share: opening the store, and printing for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import platformdirs

from alignimation_index.errors import UserError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from alignimation_index.store.engine import Store

PRINTED_AT_ONCE = 1000


def data_folder() -> Path:
    """The folder of the default store and of fetched weights."""
    return Path(platformdirs.user_data_path("alignindex", appauthor=False))


def store_path(context: click.Context) -> Path:
    """The store that the user named, else the default one."""
    named: Path | None = context.obj
    return named.expanduser() if named else data_folder() / "store.db"


@contextmanager
def opened_store(context: click.Context, *, create: bool = False) -> Iterator[Store]:
    """Open the store that the user named, for the length of a command."""
    from alignimation_index.store.engine import Store

    store = Store.open(store_path(context), create=create)
    try:
        yield store
    finally:
        store.close()


def check_not_indexed(session: Session, out: Path) -> None:
    """Refuse to write into an indexed folder, where `out` might be somebody's photo.

    Raises:
        UserError: `out` lies in a root.
    """
    from alignimation_index.store.files import is_in_a_root

    if is_in_a_root(session, str(out)):
        raise UserError(f"{out} lies in an indexed folder, and nothing is ever written there. Choose another place.")


def warn(line: str) -> None:
    """Print a line that is not the result, to stderr."""
    _print(line, sys.stderr)


def say_waiting() -> None:
    """Say that another process is in front."""
    warn("Another alignindex is updating this store; waiting.")


def say(line: str) -> None:
    """Print a line of the result."""
    _print(line, sys.stdout)


def say_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print one JSON value."""
    say(json.dumps(value, indent=1 if isinstance(value, dict) else None))


def say_json_array(values: Iterable[Any]) -> None:
    """Print one JSON array, on one line, while its values arrive."""
    from alignimation_index.pipeline.flow import batches

    before = "["
    for some in batches(values, PRINTED_AT_ONCE):
        _print(before + json.dumps(some)[1:-1], sys.stdout, nl=False)
        before = ", "
    _print("[]" if before == "[" else "]", sys.stdout)


def say_lines(lines: Iterable[str]) -> None:
    """Print many lines of the result."""
    from alignimation_index.pipeline.flow import batches

    for some in batches(lines, PRINTED_AT_ONCE):
        say("\n".join(some))


def say_csv(header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a table for spreadsheets (RFC 4180) of these columns: true and false are yes and no, lists are JSON."""
    from alignimation_index.pipeline.flow import batches

    _print(_csv_lines([header]), sys.stdout, nl=False)
    for some in batches(rows, PRINTED_AT_ONCE):
        _print(_csv_lines([[_csv_cell(row[name]) for name in header] for row in some]), sys.stdout, nl=False)


def _csv_lines(rows: Iterable[Sequence[str]]) -> str:
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    return lines.getvalue()


def _csv_cell(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def say_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns for people to read, each as wide as its widest cell among the first thousand rows."""
    from itertools import chain, islice

    from rich.cells import cell_len

    cells = (["" if cell is None else printable(str(cell)) for cell in row] for row in rows)
    first = list(islice(cells, PRINTED_AT_ONCE))
    widths = [max(map(cell_len, column)) for column in zip(header, *first, strict=True)]

    def line(row: Sequence[str]) -> str:
        return "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))

    say(click.style(line(header), bold=True) if sys.stdout.isatty() else line(header))
    say_lines(map(line, chain(first, cells)))


def printable(text: str) -> str:
    """A file name with the bytes that are no text replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield a callback (phase, done, total) that keeps a bar with the time left, on a terminal's stderr only."""
    if not sys.stderr.isatty():  # rich would end with an empty line, which cron would mail
        yield lambda _phase, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(phase: str, done: int, total: int | None) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total)
            bar.update(tasks[phase], completed=done, total=total)

        yield show


def _print(text: str, stream: Any, *, nl: bool = True) -> None:  # noqa: ANN401
    click.echo(os.fsencode(text) if stream.isatty() is False else printable(text), file=stream, nl=nl)
