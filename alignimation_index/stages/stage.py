"""What identifies the result of a stage: its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline, with everything that its result depends on besides the photo.

    Attributes:
        name: what its done-records are called.
        version: raised by whoever changes what it computes.
        upstream: names of the stages whose results it reads.
        params: plain values; a change redoes this stage and those below it.
        model: id of the network's weights, if it uses one.
    """

    name: str
    version: int
    upstream: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None


@dataclass(frozen=True)
class Key:
    """A stage's key, and what it was made of."""

    key: str
    made_of: Mapping[str, Any]


def keys_of(stages: Iterable[Stage]) -> dict[str, Key]:
    """The key of each stage by its name: a hash of the stage and the keys above it.

    Args:
        stages: upstream first.

    Raises:
        KeyError: a stage comes before one that it reads.
    """
    keys: dict[str, Key] = {}
    for stage in stages:
        made_of = {**asdict(stage), "upstream": {name: keys[name].key for name in stage.upstream}}
        text = json.dumps(made_of, sort_keys=True)
        keys[stage.name] = Key(hashlib.sha256(text.encode()).hexdigest()[:16], json.loads(text))
    return keys


def what_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say in words why a result with the key made of `before` is stale."""
    if before["version"] != now["version"]:
        return f"version {before['version']} → {now['version']}"
    if before["model"] != now["model"]:
        return f"model {before['model']} → {now['model']}"
    names = sorted({*before["params"], *now["params"]})
    changed = [name for name in names if before["params"].get(name) != now["params"].get(name)]
    if changed:
        return ", ".join(f"{name} {before['params'].get(name)} → {now['params'].get(name)}" for name in changed)
    above = [name for name, key in now["upstream"].items() if before["upstream"].get(name) != key]
    return f"{', '.join(above)} changed"
