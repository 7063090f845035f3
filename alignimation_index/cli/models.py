"""`alignindex models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.output import data_folder, progress_bar, say, say_table

if TYPE_CHECKING:
    from alignimation_index.models.backends import Backend
    from alignimation_index.models.weights import Weights, WeightStore


@click.group(short_help="Model weights: list, fetch, verify.")
def models() -> None:
    """Weights of the neural networks."""


@models.command("list", short_help="List the models for faces and bodies, and where their weights are.")
def list_models() -> None:
    """List the models for faces and bodies, and where their weights are."""
    from alignimation_index.models.bodies import BODY_DETECTORS
    from alignimation_index.models.embedders import EMBEDDERS

    store = _weight_store()
    rows = [
        (name, subject, where, provenance)
        for subject, backends in (("faces", EMBEDDERS), ("bodies", BODY_DETECTORS))
        for name, backend in backends.items()
        for where, provenance in _places(store, backend)
    ]
    say_table(("name", "of", "weights", "provenance"), rows)


@models.command(short_help="Fetch the weights of a model.")
@click.argument("name")
def fetch(name: str) -> None:
    """Fetch the weights of the model NAME, unless they are here; they are checked by SHA-256."""
    store = _weight_store()
    with progress_bar() as progress:
        paths = [store.fetch(weights, lambda *step: progress("weights", *step)) for weights in _weights_of(name)]
    for path in paths:
        say(f"{name}: {path}")


@models.command(short_help="Check the weights of a model by SHA-256.")
@click.argument("name")
def verify(name: str) -> None:
    """Check the weights of the model NAME by SHA-256."""
    for weights in _weights_of(name):
        say(f"{name}: {_weight_store().verify(weights)} is as published")


def _weight_store() -> WeightStore:
    from alignimation_index.models.weights import WeightStore

    return WeightStore(data_folder() / "weights")


def _weights_of(name: str) -> tuple[Weights, ...]:
    from alignimation_index.models.backends import weights_of
    from alignimation_index.models.bodies import BODY_DETECTORS
    from alignimation_index.models.embedders import EMBEDDERS

    return weights_of({**EMBEDDERS, **BODY_DETECTORS}, name)


def _places(store: WeightStore, backend: Backend[Any]) -> list[tuple[str, str]]:
    """Where each file of a model's weights is, and who trained it."""
    from alignimation_index.errors import UserError

    if backend.weights:
        return [(str(store.find(weights) or "not fetched"), weights.provenance) for weights in backend.weights]
    try:
        backend.check_package()
    except UserError:
        return [("not installed", backend.provenance)]
    return [("in the installed package", backend.provenance)]
