"""The command line: each command parses, makes one call into the library, and prints.

Imports here are light, and so are those of the commands: what takes time to import is imported by whoever needs it.
"""

from __future__ import annotations

import gc
import sys
import traceback
from pathlib import Path

import click

from alignimation_index import __version__
from alignimation_index.cli import (
    completion,
    db,
    demo,
    inspect,
    listings,
    models,
    people,
    photos,
    prune,
    query,
    reindex,
    render,
    roots,
    status,
    templates,
    update,
    watch,
)
from alignimation_index.cli.output import warn
from alignimation_index.errors import UserError

EXIT_USER, EXIT_BUG, EXIT_INTERRUPTED = 1, 3, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="ALIGNINDEX_STORE",
    help="The store's file.  [default: store.db in the platform's user-data folder; env ALIGNINDEX_STORE]",
)
@click.version_option(__version__, prog_name="alignindex")
@click.pass_context
def cli(context: click.Context, store: Path | None) -> None:
    """Index decades of photos once; see a life, aligned."""
    context.obj = store


for command in (
    update.update,
    watch.watch,
    status.status,
    photos.photos,
    listings.faces,
    listings.errors,
    people.people,
    query.query,
    render.render,
    inspect.inspect,
    templates.templates,
    roots.roots,
    reindex.reindex,
    prune.prune,
    models.models,
    db.db,
    completion.completion,
    demo.demo,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit: 0 ok, 1 the user can mend it, 2 usage, 3 bug, 130 interrupted."""
    # Imports make objects that stay; looking through them for garbage after every 700 is a fifth of a short command.
    gc.set_threshold(50_000)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; the exit code."""
    try:
        cli.main(arguments, prog_name="alignindex", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except UserError as error:
        warn(f"Error: {error}")
        return EXIT_USER
    except (KeyboardInterrupt, click.Abort):
        warn("Interrupted. What was finished is kept; run the command again to go on.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has left; so does the complaint about it
        return 0
    except Exception:
        traceback.print_exc()
        warn("This is a bug in alignindex. Please report it with the lines above.")
        return EXIT_BUG
    return 0
