"""`alignindex completion`: what the shell offers on the tab key, people's names among it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from alignimation_index.cli.output import data_folder

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_VARIABLE, _PROGRAM = "_ALIGNINDEX_COMPLETE", "alignindex"


class _Bash(BashComplete):
    """Leaves the quoting to us, cuts words at colons, and puts a space behind everything."""

    source_template = "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n" + BashComplete.source_template.replace(
        "    return 0\n",
        "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace\n    return 0\n",
    )

    def format_completion(self, item: CompletionItem[str]) -> str:
        quoted = shlex.quote(item.value)
        if _is_in_double_quotes(os.environ["COMP_WORDS"]):
            quoted = '"' + re.sub(r"([\"\\$`])", r"\\\1", item.value) + '"'
        return f"{item.type},{item.value if item.type != 'plain' else quoted}"

    @staticmethod
    def _check_version() -> None:
        """Say nothing of the version: a shell that asks has one that does."""


class _Zsh(ZshComplete):
    """Puts a space behind everything; it quotes by itself."""

    source_template = ZshComplete.source_template.replace(
        "        compadd -U -V unsorted -a completions\n",
        "        local -a terms; terms=(${(M)completions:#*:}); completions=(${completions:#*:})\n"
        "        compadd -S '' -U -V unsorted -a terms\n"
        "        compadd -U -V unsorted -a completions\n",
    )


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": FishComplete}
for _shell in _SHELLS.values():
    click.shell_completion.add_completion_class(_shell)


@click.command(short_help="Print what makes a shell complete commands, terms and names.")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes commands, options, terms of EXPR and people's names.

    \b
    bash, in ~/.bashrc:                  eval "$(alignindex completion bash)"
    zsh, in ~/.zshrc after compinit:     eval "$(alignindex completion zsh)"
    fish, in ~/.config/fish/config.fish: alignindex completion fish | source
    """
    click.echo(_SHELLS[shell](context.find_root().command, {}, _PROGRAM, _VARIABLE).source(), nl=False)


def complete_expression(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ways in which an expression may go on."""
    from alignimation_index.query.language.completion import completions

    return _offered(context, lambda session: completions(session, incomplete))


def complete_person(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The people whose names begin so."""
    from alignimation_index.query.language.completion import people_named

    return _offered(context, lambda session: people_named(session, incomplete))


def complete_saved(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The queries that are saved under names that begin so."""
    from alignimation_index.query.language.completion import saved_named

    return _offered(context, lambda session: saved_named(session, incomplete))


def complete_template(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The templates whose names begin so."""
    from alignimation_index.query.language.completion import templates_named

    return _offered(context, lambda session: templates_named(session, incomplete))


def complete_photo(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, which shells find by themselves; a photo may also be named otherwise."""
    return [CompletionItem(incomplete, type="file")]


def _offered(context: click.Context, ask: Callable[[Session], list[str]]) -> list[CompletionItem]:
    with _session(context) as session:
        return [] if session is None else [CompletionItem(value) for value in ask(session)]


@contextmanager
def _session(context: click.Context) -> Iterator[Session | None]:
    """The store, where there is one of the present schema: the tab key makes, upgrades and says nothing."""
    from alignimation_index.store import schema
    from alignimation_index.store.engine import Store

    named = context.find_root().params.get("store")
    path = named.expanduser() if named else data_folder() / "store.db"
    if not path.is_file() or schema.revision(path) != schema.HEAD:
        yield None
        return
    store = Store.open(path, create=False)
    try:
        with store.reading() as session:
            yield session
    finally:
        store.close()


def _is_in_double_quotes(line: str) -> bool:
    quote = ""
    for character in re.sub(r"\\.", "", line):
        if character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
    return quote == '"'
