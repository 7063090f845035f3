"""`alignindex query`: choose frames, and keep queries under a name."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli import listings
from alignimation_index.cli.choosing import asked, choosing_steps, options_given
from alignimation_index.cli.completion import complete_photo, complete_saved
from alignimation_index.cli.default_command import GroupWithDefault
from alignimation_index.cli.filters import choosing_frames, frame_filter
from alignimation_index.cli.listings import as_json_option
from alignimation_index.cli.output import opened_store, say, say_json, say_table

if TYPE_CHECKING:
    from alignimation_index.query.saved import Saved


_name = click.argument("name", shell_complete=complete_saved)


@click.group(
    cls=GroupWithDefault,
    default="run",
    short_help="Choose frames; keep queries under a name.",
    options_metavar="",
    subcommand_metavar="[[run] [OPTIONS] [EXPR] | COMMAND [ARGS]...]",
)
def query() -> None:
    """Choose frames, as `query run` does, or keep what was asked under a NAME, for query and render --saved NAME."""


query.add_command(listings.run)


@query.command(short_help="Keep a query under a name.")
@click.argument("name")
@choosing_frames
@click.option("--frontal/--any-pose", default=None, help="Only faces that look at the camera, or all.")
@choosing_steps
@click.option("--replace", is_flag=True, help="Even if there is one of this name, which keeps its pins and drops.")
@click.pass_context
def save(context: click.Context, /, name: str, replace: bool, **options: Any) -> None:  # noqa: ANN401
    """Keep EXPR and the options that are given under NAME: query --saved NAME, render --saved NAME -o OUT.

    Options that are given beside --saved win over those that are kept. Photos that are pinned or dropped are kept with
    NAME until query undo.
    """
    from alignimation_index.pipeline.saved import save_query

    expression, given = options["expression"], options_given(context)
    with opened_store(context) as store:
        frame_filter(**asked(context, store, saved=None, **options).filters)  # says what is not understood
        save_query(store, name, expression, given, pins=options["pin"], drops=options["drop"], replace=replace)
    say(f"Saved as {name}. To render it: alignindex render --saved {shlex.quote(name)} -o OUT")


@query.command("list", short_help="List the saved queries.")
@as_json_option
@click.pass_context
def list_queries(context: click.Context, /, as_json: bool) -> None:
    """List the saved queries: name, expression, options, and how many photos are pinned and dropped."""
    from alignimation_index.query.saved import all_saved

    with opened_store(context) as store, store.reading() as session:
        saved = all_saved(session)
    if as_json:
        say_json([_saved_json(one) for one in saved])
        return
    rows = ((one.name, len(one.pins) or None, len(one.drops) or None, _asked_text(one)) for one in saved)
    say_table(("name", "pinned", "dropped", "asks"), rows)


@query.command(short_help="Show a saved query, with its pinned and dropped photos.")
@_name
@as_json_option
@click.pass_context
def show(context: click.Context, /, name: str, as_json: bool) -> None:
    """Show what is saved under NAME, and which photos are pinned and dropped."""
    from alignimation_index.query.photos import paths_of
    from alignimation_index.query.saved import find_saved

    with opened_store(context) as store, store.reading() as session:
        saved = find_saved(session, name)
        paths = paths_of(session, saved.pins | saved.drops)
    if as_json:
        say_json({**_saved_json(saved), "paths": paths})
        return
    say(f"{saved.name}: {_asked_text(saved)}")
    say_table(("photo", "is", "path"), _answer_rows(saved, paths))


@query.command(short_help="Give a saved query another name.")
@_name
@click.argument("to")
@click.pass_context
def rename(context: click.Context, /, name: str, to: str) -> None:
    """Give the query saved as NAME the name TO."""
    from alignimation_index.pipeline.saved import rename_query

    with opened_store(context) as store:
        rename_query(store, name, to)
    say(f"{name} is saved as {to}")


@query.command(short_help="Delete a saved query.")
@_name
@click.pass_context
def remove(context: click.Context, /, name: str) -> None:
    """Delete the query saved as NAME, with what was pinned and dropped in it."""
    from alignimation_index.pipeline.saved import remove_query

    with opened_store(context) as store:
        remove_query(store, name)
    say(f"{name} is no longer saved")


@query.command(short_help="Take back that photos are pinned or dropped.")
@_name
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, shell_complete=complete_photo)
@click.pass_context
def undo(context: click.Context, /, name: str, photos: tuple[str, ...]) -> None:
    """Take back what --pin or --drop said of each PHOTO (a path or content hash) in the query saved as NAME."""
    from alignimation_index.pipeline.saved import take_back

    with opened_store(context) as store:
        count = take_back(store, name, photos)
    say(f"{count} {'photo' if count == 1 else 'photos'} neither pinned nor dropped any more")


def _asked_text(saved: Saved) -> str:
    """As it would be written on the command line."""
    return shlex.join([*([saved.expression] if saved.expression else []), *_as_arguments(saved.options)])


def _as_arguments(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            yield "--any-pose" if name == "frontal" and not value else option
        else:
            yield from (option, str(value))


def _saved_json(saved: Saved) -> dict[str, Any]:
    return {
        "name": saved.name,
        "expression": saved.expression,
        "options": dict(saved.options),
        "pinned": sorted(saved.pins),
        "dropped": sorted(saved.drops),
        "saved_at": saved.saved_at_utc.isoformat() + "Z",
    }


def _answer_rows(saved: Saved, paths: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    for word, contents in ("pinned", saved.pins), ("dropped", saved.drops):
        for content_hash in sorted(contents):
            yield content_hash[:12], word, paths.get(content_hash, "(not at hand)")
