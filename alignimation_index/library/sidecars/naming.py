"""What files say about photos, without certain names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Names(Protocol):
    """Names to be left out."""

    def __contains__(self, name: str) -> bool:
        """Whether this is one of them."""

    def are_in(self, text: str) -> bool:
        """Whether a text mentions one of them."""


def without_names(said: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """What a file says, as `to_json` keeps it: without these people in lists, framed faces and captions.

    What a photo or album is called stays, since files are found by it.
    """
    return {key: _VALUES.get(key, _without)(value, names) for key, value in said.items()}


def _without(value: Any, names: Names) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, Mapping):
        return without_names(value, names)
    if isinstance(value, (list, tuple)):
        return [_without(item, names) for item in value if not _is_named(item, names)]
    return value


def _is_named(item: Any, names: Names) -> bool:  # noqa: ANN401
    name = item.get("name") if isinstance(item, Mapping) else item
    return isinstance(name, str) and name in names


def _caption(value: Any, names: Names) -> Any:  # noqa: ANN401
    return "" if isinstance(value, str) and names.are_in(value) else value


_VALUES: dict[str, Callable[[Any, Names], Any]] = {"description": _caption}
