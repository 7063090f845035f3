"""`alignindex roots`."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import click

from alignimation_index.cli.output import opened_store, say, say_json, say_table, say_waiting


@click.group(short_help="The folders that are watched: list, remove, move.")
def roots() -> None:
    """The folders, zip archives and files that are watched; update adds them."""


@roots.command("list", short_help="List what is watched, and whether it is there.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def list_roots(context: click.Context, as_json: bool) -> None:
    """List what is watched, and whether it is there.

    The state is ok, not there, empty (where photos were found before) or unreadable.
    """
    from alignimation_index.pipeline import roots as watched

    with opened_store(context) as store:
        listed = watched.list_roots(store)
    rows = [
        {
            "path": root.path,
            "files": root.files,
            "photos": root.photos,
            "missing": root.missing,
            "state": state,
            "added_at": _local(root.added_at_utc).isoformat(timespec="seconds"),
        }
        for root, state in listed
    ]
    if as_json:
        say_json(rows)
        return
    for row in rows:
        if row["state"] == watched.EMPTY:
            row["state"] = f"empty where it held {row['files']}"
    header = ("path", "files", "photos", "missing", "state", "added")
    say_table(header, (tuple(row.values()) for row in rows))


@roots.command(short_help="Stop watching a folder.")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def remove(context: click.Context, path: Path) -> None:
    """Stop watching PATH: its photos leave the index, unless another folder holds them too.

    What was computed of them is kept as long as that of deleted photos, see prune, so that adding PATH again undoes
    this. What you said about people is kept always.
    """
    from alignimation_index.pipeline.roots import remove_root

    with opened_store(context) as store:
        removed = remove_root(store, path, say_waiting)
    say(f"{path} is not watched any more: {removed.files} files left the index.")
    if removed.photos:
        say(
            f"{removed.photos} photos were nowhere else. What was computed of them is kept until alignindex prune; "
            f"to have them back: alignindex update {path}"
        )


@roots.command(short_help="Say that a folder is elsewhere now.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Do not look whether NEW holds what OLD held.")
@click.pass_context
def move(context: click.Context, old: Path, new: Path, force: bool) -> None:
    """Say that what was below OLD is below NEW now: a folder was renamed, a drive is mounted elsewhere.

    OLD may be a watched folder or archive, or one below or above those. No photo is read or computed again.
    """
    from alignimation_index.pipeline.roots import move_root

    with opened_store(context) as store:
        count = move_root(store, old, new, force=force, on_wait=say_waiting)
    say(f"{count} files are below {new} now. Nothing needs to be computed again.")


def _local(time: datetime) -> datetime:
    """Local wall-clock time of a time in UTC without a zone."""
    return time.replace(tzinfo=timezone.utc).astimezone().replace(tzinfo=None)
