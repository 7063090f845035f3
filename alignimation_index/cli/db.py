"""`alignindex db`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from alignimation_index.cli.output import check_not_indexed, opened_store, say, store_path
from alignimation_index.errors import UserError


@click.group(short_help="The store's file: back up, check, upgrade.")
def db() -> None:
    """The store's file."""


@db.command(short_help="Copy the store to one file.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The copy; an earlier one is replaced.  [default: beside the store, with the time in its name]",
)
@click.pass_context
def backup(context: click.Context, out: Path | None) -> None:
    """Copy the store to one file, also while it is in use. To go back, put the copy in the store's place."""
    from alignimation_index.store.schema import backup_path

    with opened_store(context) as store:
        target = out or backup_path(store.path, f"{datetime.now():%Y%m%d-%H%M%S}")
        with store.reading() as session:
            check_not_indexed(session, target)
        store.backup(target)
    say(f"{target}: {target.stat().st_size / 2**20:.1f} MiB")


@db.command(short_help="Check that the store is whole.")
@click.pass_context
def check(context: click.Context) -> None:
    """Check that the store is whole: its file, its references and its schema. Exits with 1 if it is not."""
    from alignimation_index.store.health import problems

    path = store_path(context)
    found = problems(path)
    if found:
        raise UserError(f"The store {path} is not in order:\n" + "\n".join(f"- {problem}" for problem in found))
    say(f"{path} is in order.")


@db.command(short_help="Bring the store to this program's schema.")
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Bring the store to this program's schema, after a backup. Every other command does so too where needed."""
    from alignimation_index.store import schema
    from alignimation_index.store.health import stored_revision

    before = stored_revision(store_path(context))
    with opened_store(context) as store:
        if before in (None, schema.HEAD):
            say(f"{store.path} has schema {schema.HEAD}, which is this program's.")
        else:
            saved = schema.backup_path(store.path, before)
            say(f"{store.path}: from schema {before} to {schema.HEAD}. The store as it was: {saved}")
