"""The face embedders by name, and which of them a store uses."""

from __future__ import annotations

from alignimation_index.errors import UserError
from alignimation_index.models.backends import Backend, choose_backend, find_backend
from alignimation_index.models.faces import EMBEDDED
from alignimation_index.models.protocols import FaceEmbedder
from alignimation_index.models.weights import FACENET_VGGFACE2, Progress, WeightStore

PREFERRED = "facenet-vggface2"


def _load_facenet(weights: WeightStore, device: str) -> FaceEmbedder:
    from alignimation_index.models.facenet import FacenetEmbedder

    return FacenetEmbedder(weights.verify(FACENET_VGGFACE2), device)


def _load_dlib_resnet(_weights: WeightStore, device: str) -> FaceEmbedder:
    from alignimation_index.models.dlib_resnet import DlibResnetEmbedder

    return DlibResnetEmbedder(device)


EMBEDDERS: dict[str, Backend[FaceEmbedder]] = {
    PREFERRED: Backend((FACENET_VGGFACE2,), _load_facenet),
    EMBEDDED: Backend((), _load_dlib_resnet, "CC0"),
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
    wanted = explicit or pinned
    name = choose_backend(EMBEDDERS, wanted, weights, progress)
    return name, None if wanted or name == PREFERRED else _SECOND_CHOICE


def load_embedder(name: str, weights: WeightStore, device: str = "cpu") -> FaceEmbedder:
    """Load an embedder onto a torch device; weights from the store are checked by SHA-256 first.

    Raises:
        UserError: the name is unknown, or its weights are missing or damaged.
    """
    return find_backend(EMBEDDERS, name).load(weights, device)


def check_name(name: str) -> None:
    """Check that there is such an embedder.

    Raises:
        UserError: there is none.
    """
    find_backend(EMBEDDERS, name)


_SECOND_CHOICE = (
    f"using {EMBEDDED}, since the weights of {PREFERRED} are not here; to switch, run"
    f" `alignindex reindex --embedder {PREFERRED}` where they can be fetched"
)
