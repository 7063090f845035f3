"""The body detectors by name, which of them is used, and how it is loaded once there is work."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from alignimation_index.errors import UserError
from alignimation_index.models.backends import Backend, choose_backend, find_backend
from alignimation_index.models.device import choose_device
from alignimation_index.models.protocols import BodyDetector
from alignimation_index.models.weights import KEYPOINT_RCNN, MASK_RCNN, Progress, WeightStore

PREFERRED_BODIES = "torchvision-rcnn"
EMBEDDED_BODIES = "mediapipe-pose"  # its weights come with a package
MEDIAPIPE_BEFORE = (3, 13)


def check_mediapipe() -> None:
    """Check that mediapipe is installed.

    Raises:
        UserError: it is not, or is one of the later releases, which bring no weights.
    """
    if importlib.util.find_spec("mediapipe") and importlib.util.find_spec("mediapipe.modules"):
        return
    install = 'pip install "alignindex[mediapipe]"'
    if sys.version_info >= MEDIAPIPE_BEFORE:
        install += f", with a Python before {'.'.join(map(str, MEDIAPIPE_BEFORE))}, where it ends"
    raise UserError(f"{EMBEDDED_BODIES}: mediapipe 0.10.21 is not installed; run {install}")


def _load_rcnn(weights: WeightStore, device: str) -> BodyDetector:
    from alignimation_index.models.rcnn import RcnnDetector

    return RcnnDetector(weights.verify(MASK_RCNN), weights.verify(KEYPOINT_RCNN), device)


def _load_mediapipe(_weights: WeightStore, _device: str) -> BodyDetector:
    check_mediapipe()
    from alignimation_index.models.mediapipe_pose import MediapipeDetector

    return MediapipeDetector()


BODY_DETECTORS: dict[str, Backend[BodyDetector]] = {
    PREFERRED_BODIES: Backend((MASK_RCNN, KEYPOINT_RCNN), _load_rcnn),
    EMBEDDED_BODIES: Backend((), _load_mediapipe, "Google's BlazePose; Apache 2.0", check_mediapipe),
}


@dataclass(frozen=True)
class BodyModelSource:
    """Which body detector to use, and how to load it once there is work.

    Attributes:
        model_id: of the detector, which stage keys are made of.
        load: loads it.
    """

    model_id: str
    load: Callable[[], BodyDetector]


def choose_body_detector(
    explicit: str | None, pinned: str | None, weights: WeightStore, progress: Progress | None = None
) -> tuple[str, str | None]:
    """Choose by the explicit option, else what was used last, else torchvision's if it can be had, else mediapipe's.

    Args:
        explicit: the name that the user gave.
        pinned: the name that the store's bodies were found with.
        weights: where weights are looked for and fetched to; not over the network where ALIGNINDEX_OFFLINE is 1.
        progress: called while weights are fetched.

    Returns:
        The name, whose weights or package are there, and a line for the user where it is second choice.

    Raises:
        UserError: a name is unknown, or what it needs cannot be had; says what to install, fetch or copy.
    """
    wanted = explicit or pinned
    name = choose_backend(BODY_DETECTORS, wanted, weights, progress)
    return name, None if wanted or name == PREFERRED_BODIES else _SECOND_CHOICE


def body_models(name: str, weights: WeightStore, device: str = "auto") -> BodyModelSource:
    """The named body detector, on one of `device.DEVICES`.

    Raises:
        UserError: the name is unknown.
    """
    find_backend(BODY_DETECTORS, name)
    return BodyModelSource(name, partial(_load, name, weights, device))


def _load(name: str, weights: WeightStore, device: str) -> BodyDetector:
    return BODY_DETECTORS[name].load(weights, choose_device(device))


_SECOND_CHOICE = (
    f"using {EMBEDDED_BODIES} for bodies, since the weights of {PREFERRED_BODIES} are not here; they come with"
    f" `alignindex models fetch {PREFERRED_BODIES}`"
)
