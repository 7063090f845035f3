"""`alignindex status`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from alignimation_index.cli.output import say, say_json, store_path
from alignimation_index.library.formats import RAW_COMMAND, reads_raw

_NOTES = {
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
        elif name == "groups":
            say(f"groups: {', '.join(f'{count} {kind}' for kind, count in value.items()) or 0}")
        elif name == "videos":
            say_videos(value, found["some_videos"])
        elif name == "raw_not_indexed":
            say_raw(value)
        elif name == "some_videos":
            continue
        elif name in _SAY:
            if value is not None:
                say(_SAY[name](value))
        else:
            note = f" ({_NOTES[name]})" if value and name in _NOTES else ""
            say(f"{name}: {', '.join(value) if isinstance(value, list) else value}{note}")


def say_videos(count: int, some: list[str]) -> None:
    """Say how many videos there are, and name some."""
    named = "".join(f"; {path}" for path in some)
    more = "; all: alignindex photos --videos" if count > len(some) else ""
    say(f"videos: {count}" + (f" (not indexed{named}{more})" if count else ""))


def say_raw(count: int) -> None:
    """Say how many RAW files wait, and for what."""
    if count:
        way = "the next update reads them" if reads_raw() else f"to add what reads them: {RAW_COMMAND}"
        say(f"raw: {count} (not indexed; {way})")


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
