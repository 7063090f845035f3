"""`alignindex people forget`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alignimation_index.cli.completion import complete_person
from alignimation_index.cli.output import opened_store, say, say_waiting, warn

if TYPE_CHECKING:
    from alignimation_index.pipeline.forget import Erased, Forgettable
    from alignimation_index.store.engine import Store

_OUTSIDE = (
    "Photos, and the files beside them, are never changed: names in them, in file names and in album names stay there. "
    "Copies of the store in other places, pictures that were rendered and what the disk itself keeps are beyond reach: "
    "delete such copies yourself."
)


@click.command(short_help="Erase a person for good.")
@click.argument("person", shell_complete=complete_person)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def forget(context: click.Context, person: str, yes: bool) -> None:
    """Erase what is known of PERSON: faces, what was computed of them, answers, the name; also in the store's backups.

    Nothing brings that back, people undo neither. It is remembered where on which photos somebody was, without who or
    how they look, so that no face is found there again.
    """
    from alignimation_index.pipeline.forget import forget as erase
    from alignimation_index.pipeline.forget import preview

    with opened_store(context) as store:
        if _finished_earlier(store, person):
            return
        found = preview(store, person)
        _say_what_goes(found)
        if not yes:
            click.confirm("Erase all this? It cannot be undone", abort=True, err=True)
        done = erase(store, person, say_waiting)
    say(f"Forgot {found.called}: {found.face_count + found.suggested_count} faces on {found.photo_count} photos.")
    _say_copies(done)
    say(_OUTSIDE)


def _finished_earlier(store: Store, person: str) -> bool:
    """Complete an erasure that was cut short; whether there is nobody of this name or number besides."""
    from alignimation_index.pipeline.forget import finish, is_unfinished
    from alignimation_index.query.people import find_person

    if not is_unfinished(store):
        return False
    _say_copies(finish(store, say_waiting))
    say("Completed an erasure that had been interrupted.")
    with store.reading() as session:
        return find_person(session, person) is None


def _say_what_goes(found: Forgettable) -> None:
    faces = f"{found.face_count} faces"
    if found.suggested_count:
        faces += f" and {found.suggested_count} that only may be theirs (people suggestions)"
    warn(f"This erases {found.called}: {faces}, on {found.photo_count} photos.")
    if found.names:
        warn(f"Names that are erased and not read again: {', '.join(found.names)}.")
    if found.rewritten:
        warn(f"Backups that are freed of them: {_listed(found.rewritten)}.")
    if found.deleted:
        warn(f"Backups of an older schema, which are deleted: {_listed(found.deleted)}.")


def _say_copies(done: Erased) -> None:
    if done.rewritten:
        say(f"Erased in these backups too: {_listed(done.rewritten)}.")
    if done.deleted:
        say(f"Deleted these backups, which could not be changed: {_listed(done.deleted)}.")


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(map(str, paths))
