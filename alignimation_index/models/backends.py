"""Neural backends by name: which of them is used, and that what it needs is here."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from alignimation_index.errors import UserError
from alignimation_index.models.weights import Progress, Weights, WeightStore

_logger = logging.getLogger(__name__)

OFFLINE_VARIABLE = "ALIGNINDEX_OFFLINE"

Model = TypeVar("Model", covariant=True)


def _nothing_more() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Backend(Generic[Model]):
    """How to load a backend, and what it needs.

    Attributes:
        weights: the files that it needs from the weight store; none where a package brings them.
        load: loads it from the weight store onto a torch device.
        provenance: of weights that a package brings.
        check_package: raises UserError where a package that it needs is not installed.
    """

    weights: tuple[Weights, ...]
    load: Callable[[WeightStore, str], Model]
    provenance: str = ""
    check_package: Callable[[], None] = _nothing_more


def find_backend(backends: Mapping[str, Backend[Model]], name: str) -> Backend[Model]:
    """The backend of that name.

    Raises:
        UserError: there is none.
    """
    if name not in backends:
        raise UserError(f"{name}: no such model; choose one of {', '.join(backends)}")
    return backends[name]


def choose_backend(
    backends: Mapping[str, Backend[Model]], wanted: str | None, weights: WeightStore, progress: Progress | None = None
) -> str:
    """The wanted backend, else the first that can be had; what it needs is here afterwards.

    Args:
        backends: by name, the preferred one first.
        wanted: the name that has to be used; None for any.
        weights: where weights are looked for and fetched to; not over the network where ALIGNINDEX_OFFLINE is 1.
        progress: called while weights are fetched.

    Raises:
        UserError: the wanted name is unknown, or what it needs cannot be had; none can be had at all.
    """
    reasons = []
    for name in [wanted] if wanted else backends:
        try:
            _obtain(name, find_backend(backends, name), weights, progress)
            return name
        except UserError as error:
            _logger.info("%s", error)
            reasons.append(str(error))
    raise UserError("; or ".join(reasons))


def weights_of(backends: Mapping[str, Backend[Model]], name: str) -> tuple[Weights, ...]:
    """The weight files of a backend.

    Raises:
        UserError: the name is unknown, or a package brings its weights.
    """
    weights = find_backend(backends, name).weights
    if not weights:
        raise UserError(f"{name}: its weights are in an installed package; there is nothing to fetch or verify")
    return weights


def _obtain(name: str, backend: Backend[Model], store: WeightStore, progress: Progress | None) -> None:
    """Make sure that the package and the weights of a backend are here."""
    backend.check_package()
    for needed in backend.weights:
        if store.find(needed):
            continue
        if os.environ.get(OFFLINE_VARIABLE) == "1":
            raise UserError(
                f"{name}: its weights are missing and {OFFLINE_VARIABLE}=1 forbids fetching them; get {needed.url}"
                f" on any machine and copy it to {store.folder / needed.file_name}"
            )
        store.fetch(needed, progress)
