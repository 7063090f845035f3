"""A group of commands that does one of them where none is named."""

from __future__ import annotations

from typing import Any

import click


class GroupWithDefault(click.Group):
    """Runs the command `default` where none is named: terms of an expression hold a colon, which no command does."""

    def __init__(self, *args: Any, default: str, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of arguments that begin with none."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [self._default, *args]
        return super().parse_args(ctx, args)
