"""Options that belong together, given to a command as one argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def as_one(command: Command, name: str, kind: type[DataclassInstance], options: Sequence[Option]) -> Command:
    """Give a command options, listed in this order, whose values it takes as one argument.

    Args:
        command: takes that argument by name.
        name: of the argument.
        kind: a dataclass with a field for each option, of the option's name.
        options: as click makes them.
    """
    names = [field.name for field in fields(kind)]

    @wraps(command)
    def with_options(*arguments: Any, **values: Any) -> Any:  # noqa: ANN401 - whatever else the command takes
        together = kind(**{one: values.pop(one) for one in names})
        return command(*arguments, **{name: together}, **values)

    decorated: Callable[..., Any] = with_options
    for option in reversed(options):
        decorated = option(decorated)
    return cast(Command, decorated)
