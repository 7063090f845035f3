"""The command reference, as the README shows it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from alignimation_index.cli import cli


def command_reference() -> str:
    """The help of every command, in Markdown."""
    sections = [f"### {path}\n\n```text\n{text}\n```\n" for path, text in _helps(cli, "alignindex", None)]
    return "\n".join(sections)


def _helps(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=path if parent is None else command.name, parent=parent)
    context.terminal_width = 100
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from _helps(command.commands[name], f"{path} {name}", context)
