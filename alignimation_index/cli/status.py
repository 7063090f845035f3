"""`alignindex status`."""

from __future__ import annotations

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
        else:
            note = f" ({_NOTES[name]})" if value and name in _NOTES else ""
            say(f"{name}: {', '.join(value) if isinstance(value, list) else value}{note}")
