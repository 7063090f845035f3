"""`alignindex status`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from alignimation_index.cli.output import say, say_json, store_path

_NOTES = {
    "videos": "not indexed",
    "trashed": "hidden; --include-trashed lists them",
    "archived": "hidden; --include-archived lists them",
}


@click.command(short_help="Count what is indexed, and what is stale and why.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Count what is indexed, and what is stale and why."""
    from alignimation_index.pipeline.status import store_status

    found = store_status(store_path(context))
    if as_json:
        say_json(found)
        return
    for name, value in found.items():
        if name == "stale":
            for stage in value:
                say(f"{stage['photos']} photos stale for {stage['stage']}: {stage['why']}")
        elif name == "watch":
            say_watch(value)
        elif name in _SAY:
            if value is not None:
                say(_SAY[name](value))
        else:
            note = f" ({_NOTES[name]})" if value and name in _NOTES else ""
            say(f"{name}: {', '.join(value) if isinstance(value, list) else value}{note}")


def _say_reindex(reindex: dict[str, Any]) -> str:
    embedder = reindex["embedder"]
    return (
        f"reindex: under way to {embedder}, {reindex['photos']} of {reindex['of']} photos; to go on: alignindex reindex"
        f" --embedder {embedder}"
    )


_SAY: dict[str, Callable[[Any], str]] = {
    "embedder_before": lambda name: f"embedder before: {name} (to go back: alignindex reindex --back)",
    "reindex": _say_reindex,
}


def say_watch(watch: dict[str, Any] | None) -> None:
    """Say whether a process watches the folders, and what last went wrong with that."""
    if watch is None:
        say("watch: never run")
        return
    if watch["running"]:
        modes = ", ".join(f"{root} ({mode})" for root, mode in watch["modes"].items())
        say(f"watch: running since {watch['started']}, heartbeat {watch['heartbeat_age_s']} s ago: {modes}")
    else:
        say(f"watch: not running (last seen {watch['heartbeat']})")
    if watch["last_error"]:
        say(f"watch: last error at {watch['last_error_at']}: {watch['last_error']}")
