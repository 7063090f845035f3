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
    some_videos = found.pop("some_videos")
    for name, value in found.items():
        if name == "videos":
            say_videos(value, some_videos)
        elif name in _SAY:
            _SAY[name](value)
        else:
            note = f" ({_NOTES[name]})" if value and name in _NOTES else ""
            say(f"{name}: {', '.join(value) if isinstance(value, list) else value}{note}")


def say_stale(stages: list[dict[str, Any]]) -> None:
    """Say which stages are stale, for how many photos, and why."""
    for stage in stages:
        say(f"{stage['photos']} photos stale for {stage['stage']}: {stage['why']}")


def say_groups(groups: dict[str, int]) -> None:
    """Say how many groups of variants there are of each kind."""
    say(f"groups: {', '.join(f'{count} {kind}' for kind, count in groups.items()) or 0}")


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


def say_embedder_before(name: str | None) -> None:
    """Say whose embeddings are kept."""
    if name:
        say(f"embedder before: {name} (to go back: alignindex reindex --back)")


def say_reindex(reindex: dict[str, Any] | None) -> None:
    """Say how far a reindex is."""
    if reindex:
        embedder, done = reindex["embedder"], f"{reindex['photos']} of {reindex['of']} photos"
        say(f"reindex: under way to {embedder}, {done}; to go on: alignindex reindex --embedder {embedder}")


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


def say_bodies(bodies: dict[str, Any] | None) -> None:
    """Say how many bodies there are, once anybody asked for some."""
    if bodies:
        say(
            f"bodies: {bodies['bodies']} ({bodies['without_face']} without a face; on {bodies['photos']} photos that "
            f"were looked at, by {bodies['model']})"
        )


_SAY: dict[str, Callable[[Any], None]] = {
    "stale": say_stale,
    "bodies": say_bodies,
    "watch": say_watch,
    "groups": say_groups,
    "raw_not_indexed": say_raw,
    "embedder_before": say_embedder_before,
    "reindex": say_reindex,
}
