"""The weight store: a folder of published weight files, fetched once or copied in by hand, checked by SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import logging
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from alignimation_index.errors import UserError

_logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 5.0  # to connect, and between two pieces of the file
_PIECE_BYTES = 1 << 18
_SHA256_DIGITS = 64

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A published weight file.

    Attributes:
        name: the model that it belongs to, as in the registry.
        file_name: its name in the weight folder.
        url: where it is published.
        size_bytes: its exact size.
        sha256: its SHA-256, in lower-case hexadecimal, or the first digits of it where no more is published.
        provenance: who trained it on what, and under which licence it is given.
    """

    name: str
    file_name: str
    url: str
    size_bytes: int
    sha256: str
    provenance: str


FACENET_VGGFACE2 = Weights(
    name="facenet-vggface2",
    file_name="20180402-114759-vggface2.pt",
    url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
    size_bytes=111_898_327,
    sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    provenance="David Sandberg's Inception-ResNet v1 trained on VGGFace2, ported by Tim Esler; MIT",
)

# torchvision publishes the first digits of the SHA-256 in the name, which is what torch.hub checks.
MASK_RCNN = Weights(
    name="torchvision-rcnn",
    file_name="maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth",
    url="https://download.pytorch.org/models/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth",
    size_bytes=178_090_079,
    sha256="bf2d0c1e",
    provenance="torchvision's Mask R-CNN, ResNet-50 FPN, trained on COCO 2017; BSD 3-Clause",
)
KEYPOINT_RCNN = Weights(
    name="torchvision-rcnn",
    file_name="keypointrcnn_resnet50_fpn_coco-fc266e95.pth",
    url="https://download.pytorch.org/models/keypointrcnn_resnet50_fpn_coco-fc266e95.pth",
    size_bytes=237_034_793,
    sha256="fc266e95",
    provenance="torchvision's Keypoint R-CNN, ResNet-50 FPN, trained on COCO 2017; BSD 3-Clause",
)


class WeightStore:
    """The weight files in a folder, which is created when the first one is fetched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, weights: Weights) -> Path | None:
        """The file, if it is here and of the right size; None otherwise."""
        path = self.folder / weights.file_name
        return path if path.is_file() and path.stat().st_size == weights.size_bytes else None

    def verify(self, weights: Weights) -> Path:
        """Read the whole file and compare its SHA-256.

        Raises:
            UserError: it is missing, of the wrong size, or not the published file.
        """
        path = self.folder / weights.file_name
        if not path.is_file():
            raise UserError(f"{weights.name}: its weights are missing; {self._by_hand(weights)}")
        _check(weights, path, path.stat().st_size, _sha256(path), f"delete it, then {self._by_hand(weights)}")
        return path

    def fetch(self, weights: Weights, progress: Progress | None = None) -> Path:
        """Download the file unless it is here; another process that fetches it is waited for.

        Raises:
            UserError: it cannot be had, or what arrives is not the published file; nothing is left behind.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self.folder / f"{weights.file_name}.lock"):
            return self.find(weights) or self._download(weights, progress or _no_progress)

    def _download(self, weights: Weights, progress: Progress) -> Path:
        part = self.folder / f"{weights.file_name}.part"
        try:
            size, sha256 = _stream(weights, part, progress)
            _check(weights, weights.url, size, sha256, self._by_hand(weights))
            _logger.info("fetched %s", weights.url)
            return part.replace(self.folder / weights.file_name)
        except (OSError, http.client.HTTPException) as error:
            reason = f"{weights.name}: cannot fetch {weights.url} ({error})"
            raise UserError(f"{reason}; try again, or {self._by_hand(weights)}") from error
        finally:
            part.unlink(missing_ok=True)

    def _by_hand(self, weights: Weights) -> str:
        return f"get {weights.url} on any machine and copy it to {self.folder / weights.file_name}"


def _stream(weights: Weights, target: Path, progress: Progress) -> tuple[int, str]:
    """Write the download to `target`; its size and SHA-256. Stops where it gets longer than published."""
    size, digest = 0, hashlib.sha256()
    with urllib.request.urlopen(weights.url, timeout=_TIMEOUT_SECONDS) as response, target.open("wb") as file:
        while size <= weights.size_bytes and (piece := response.read(_PIECE_BYTES)):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
            progress(size, weights.size_bytes)
    return size, digest.hexdigest()


def _check(weights: Weights, source: Path | str, size: int, sha256: str, next_step: str) -> None:
    if size != weights.size_bytes:
        found = f"{size:,} bytes instead of {weights.size_bytes:,}"
    elif not sha256.startswith(weights.sha256):
        found = f"SHA-256 {sha256} instead of {weights.sha256}{'' if len(weights.sha256) == _SHA256_DIGITS else '…'}"
    else:
        return
    raise UserError(f"{weights.name}: {source} is not the published file ({found}); {next_step}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _no_progress(_done: int, _total: int) -> None:
    pass
