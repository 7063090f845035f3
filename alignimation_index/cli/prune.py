"""`alignindex prune`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from alignimation_index.cli.output import opened_store, say, say_waiting

if TYPE_CHECKING:
    from alignimation_index.store.prune import Prunable

DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def _duration(context: click.Context, option: click.Parameter, text: str) -> timedelta:
    """A count of days, weeks, months of 30 days or years of 365."""
    match = re.fullmatch(r"(\d{1,4})([dwmy])", text)
    if match is None:
        raise click.BadParameter(f"'{text}' is no duration. Write 30d, 12w, 6m or 1y.", context, option)
    return timedelta(int(match[1]) * DAYS[match[2]])


@click.command(short_help="Forget photos that have been missing for long.")
@click.option(
    "--older-than",
    callback=_duration,
    metavar="TIME",
    default="90d",
    show_default=True,
    help="Missing for longer: 30d, 12w, 6m, 1y.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--no-backup", is_flag=True, help="Do not copy the store first.")
@click.pass_context
def prune(context: click.Context, older_than: timedelta, dry_run: bool, no_backup: bool) -> None:
    """Forget files that have been missing for long, and photos that no file holds any more.

    With a photo goes what was computed of it, and people who are on no other photo and were never named. What you said
    is kept: it holds again should the photo come back. The store is copied first, in place of the copy that the prune
    before made; delete that copy to have the space back.
    """
    from alignimation_index.pipeline.prune import preview
    from alignimation_index.pipeline.prune import prune as run_prune

    with opened_store(context) as store:
        if dry_run:
            say(f"Would forget {_in_words(preview(store, older_than))}.")
            return
        found, backup = run_prune(store, older_than, backup=not no_backup, on_wait=say_waiting)
        say(f"Forgot {_in_words(found)}.")
        if backup:
            say(f"The store as it was: {backup}")
        freed = store.compact() if found else 0
    if freed:
        say(f"The store is {freed / 2**20:.1f} MiB smaller.")


def _in_words(found: Prunable) -> str:
    return f"{found.files} missing files, {found.photos} photos, {found.faces} faces and {found.people} people"
