"""`alignindex demo`."""

from __future__ import annotations

from pathlib import Path

import click

from alignimation_index.cli.output import progress_bar, say


@click.command(short_help="Try it on a small made library.")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("alignindex-demo"),
    show_default=True,
    help="Folder to make; what an earlier demo left there is replaced.",
)
def demo(out: Path) -> None:
    """Make a small library out of NASA's portrait of Eileen Collins, index it and render it.

    Writes photos/, aligned.mp4, aligned.gif and before_after.png, and says how far the eyes wander before and after.
    """
    from alignimation_index.demo import run_demo

    with progress_bar() as progress:
        result = run_demo(out, progress)
    say(result.summary())
