"""`alignindex models`."""

from __future__ import annotations

import click

from alignimation_index.cli.output import data_folder, progress_bar, say, say_table


@click.group(short_help="Model weights: list, fetch, verify.")
def models() -> None:
    """Weights of the neural networks."""


@models.command("list", short_help="List the face embedders and where their weights are.")
def list_models() -> None:
    """List the face embedders and where their weights are."""
    from alignimation_index.models.embedders import EMBEDDERS
    from alignimation_index.models.weights import WeightStore

    store = WeightStore(data_folder() / "weights")
    rows = []
    for name, embedder in EMBEDDERS.items():
        found = store.find(embedder.weights) if embedder.weights else "in the installed package"
        rows.append((name, found or "not fetched", embedder.weights.provenance if embedder.weights else "CC0"))
    say_table(("name", "weights", "provenance"), rows)


@models.command(short_help="Fetch the weights of an embedder.")
@click.argument("name")
def fetch(name: str) -> None:
    """Fetch the weights of the embedder NAME, unless they are here; they are checked by SHA-256."""
    from alignimation_index.models.embedders import weights_of
    from alignimation_index.models.weights import WeightStore

    store = WeightStore(data_folder() / "weights")
    with progress_bar() as progress:
        path = store.fetch(weights_of(name), lambda done, total: progress("weights", done, total))
    say(f"{name}: {path}")


@models.command(short_help="Check the weights of an embedder by SHA-256.")
@click.argument("name")
def verify(name: str) -> None:
    """Check the weights of the embedder NAME by SHA-256."""
    from alignimation_index.models.embedders import weights_of
    from alignimation_index.models.weights import WeightStore

    say(f"{name}: {WeightStore(data_folder() / 'weights').verify(weights_of(name))} is as published")
