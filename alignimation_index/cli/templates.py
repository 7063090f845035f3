"""`alignindex templates`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.completion import complete_template
from alignimation_index.cli.output import opened_store, say, say_json, say_table, say_waiting

if TYPE_CHECKING:
    from alignimation_index.query.templates import NamedTemplate


@click.group(short_help="What bodies are registered to: list, rename, remove.")
def templates() -> None:
    """What faces and bodies are registered to. Rendering bodies makes them; see render --reference and --template."""


@templates.command("list", short_help="List the templates.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def list_templates(context: click.Context, as_json: bool) -> None:
    """List the templates: of what, by which keypoints, from which photo, and how many are registered to each.

    The reference is a photo that somebody named, or the medoid, which is nearest to all others.
    """
    from alignimation_index.query.templates import named_templates

    with opened_store(context) as store, store.reading() as session:
        listed = named_templates(session)
    if as_json:
        say_json([_json(one) for one in listed])
        return
    header = ("name", "kind", "keypoints", "person", "chosen by", "registered", "reference")
    say_table(header, map(_row, listed))


def _json(one: NamedTemplate) -> dict[str, Any]:
    return {
        "name": one.about.name,
        "kind": one.about.kind,
        "keypoints": list(one.about.keypoint_names),
        "person": one.person,
        "chosen_by": one.about.chosen_by,
        "registered": one.about.registered,
        "reference": one.reference,
        "content_hash": one.about.content_hash,
    }


def _row(one: NamedTemplate) -> tuple[object, ...]:
    about = one.about
    names = ",".join(about.keypoint_names)
    return about.name, about.kind, names, one.person, about.chosen_by, about.registered, one.reference


@templates.command(short_help="Give a template another name.")
@click.argument("name", shell_complete=complete_template)
@click.argument("new")
@click.pass_context
def rename(context: click.Context, name: str, new: str) -> None:
    """Call the template NAME from now on NEW; nothing is registered anew."""
    from alignimation_index.store.body_templates import rename_template

    with opened_store(context) as store, store.updating(say_waiting), store.writing() as session:
        rename_template(session, name, new)
    say(f"{name} is called {new} now.")


@templates.command(short_help="Delete a template.")
@click.argument("name", shell_complete=complete_template)
@click.pass_context
def remove(context: click.Context, name: str) -> None:
    """Delete the template NAME, and what was registered to it. Photos and bodies stay."""
    from alignimation_index.store.body_templates import remove_template

    with opened_store(context) as store, store.updating(say_waiting), store.writing() as session:
        count = remove_template(session, name)
    say(f"{name} is removed; {count} {'body was' if count == 1 else 'bodies were'} registered to it.")
