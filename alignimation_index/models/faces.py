"""The networks that the face stages run on, and their names, which are known before any of them is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from alignimation_index.models.device import check_device, choose_device
from alignimation_index.models.protocols import FaceDetector, FaceEmbedder, LandmarkRefiner

if TYPE_CHECKING:
    from alignimation_index.models.weights import WeightStore

EMBEDDED = "dlib-resnet"  # the embedder whose weights a package brings
DETECTOR = "mtcnn"
REFINER = "mtcnn-onet-upright"
MIN_FACE_SHARE = 0.025  # side of the smallest face that is looked for, as a share of the photo's shorter side


@dataclass(frozen=True)
class FaceModels:
    """Loaded networks, where they run, and the smallest face that they look for."""

    detector: FaceDetector
    refiner: LandmarkRefiner
    embedder: FaceEmbedder
    device: str = "cpu"
    min_face_share: float = MIN_FACE_SHARE


@dataclass(frozen=True)
class FaceModelIds:
    """The ids of the networks and the smallest face that they look for, which stage keys are made of."""

    embedder: str
    detector: str = DETECTOR
    refiner: str = REFINER
    min_face_share: float = MIN_FACE_SHARE


@dataclass(frozen=True)
class FaceModelSource:
    """Which networks to use, and how to load them once there is work.

    Attributes:
        ids: of the networks.
        load: loads them. If child processes do, it is a function that they can be sent.
        in_children: whether they are to be loaded in child processes.
        device: "cpu", "cuda" or "mps", where they will run; found out when it is first asked for.
    """

    ids: FaceModelIds
    load: Callable[[], FaceModels]
    in_children: bool = False
    device: Callable[[], str] = lambda: "cpu"

    def with_min_face(self, share: float) -> FaceModelSource:
        """The same networks, looking for faces down to another share of the photo's shorter side."""
        ids = replace(self.ids, min_face_share=share)
        return replace(self, ids=ids, load=partial(_load_with_min_face, self.load, share))


def face_models(
    embedder: str, weights: WeightStore, device: str = "auto", min_face_share: float = MIN_FACE_SHARE
) -> FaceModelSource:
    """The program's own networks with the named embedder, on one of `device.DEVICES`."""
    ids = FaceModelIds(embedder, min_face_share=min_face_share)
    load = partial(_load, embedder, weights, device, min_face_share)
    return FaceModelSource(ids, load, in_children=True, device=cache(lambda: choose_device(device)))


def _load(embedder: str, weights: WeightStore, device: str, min_face_share: float) -> FaceModels:
    # Here, since it takes seconds.
    import torch

    from alignimation_index.models.embedders import load_embedder
    from alignimation_index.models.mtcnn import MtcnnDetector
    from alignimation_index.models.onet_refiner import OnetRefiner

    # Photos are computed side by side; on networks this small, threads within one gain less than they cost.
    torch.set_num_threads(1)
    chosen = choose_device(device)
    check_device(chosen)
    embeds = load_embedder(embedder, weights, chosen)
    return FaceModels(MtcnnDetector(chosen), OnetRefiner(chosen), embeds, chosen, min_face_share)


def _load_with_min_face(load: Callable[[], FaceModels], share: float) -> FaceModels:
    return replace(load(), min_face_share=share)
