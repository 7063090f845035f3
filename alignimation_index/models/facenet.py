"""FaceNet: facenet-pytorch's Inception-ResNet v1, trained on VGGFace2 (Schroff et al. 2015; Cao et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

from alignimation_index.datatypes import Detections, Float, Images
from alignimation_index.models.chips import embed_each
from alignimation_index.models.network import Standardised, ready
from alignimation_index.models.state_dict import load_state
from alignimation_index.similarity import Matrices

CHIP_SIZE = 160


class FacenetEmbedder:
    """Embeds faces with FaceNet: unit vectors. Satisfies FaceEmbedder."""

    model_id = "facenet-vggface2"
    dimension = 512

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """Load the state dict at `path`; it may hold the classifier (`logits.*`), which is left out.

        Raises:
            UserError: the file is missing, or holds other weights.
        """
        self._device = device
        network = InceptionResnetV1()
        load_state(network, path, without="logits.")
        self._network = ready(self.model_id, Standardised(network, mean=127.5, scale=128), device, CHIP_SIZE)

    def embed(self, images: Images, faces: Sequence[Detections]) -> list[Float]:
        """Embed the faces of each image: (N, 512) float32 of length 1 per image, from their boxes."""
        sizes = [image.shape[:2] for image in images]
        transforms = [chip_from_image(f.boxes, width, height) for f, (height, width) in zip(faces, sizes, strict=True)]
        return embed_each(images, transforms, CHIP_SIZE, self.embed_chips)

    @torch.inference_mode()
    def embed_chips(self, chips: torch.Tensor) -> Float:
        """Embed (N, 3, 160, 160) RGB chips, 0..255 of any dtype, into (N, 512) float32 of length 1."""
        vectors: Float = self._network(chips.to(self._device).float())[0].cpu().numpy()
        return vectors


def chip_from_image(boxes: Float, width: int, height: int) -> Matrices:
    """Map boxes to chips as facenet-pytorch's `extract_face` does without margin: clipped, then stretched.

    Args:
        boxes: (N, 4) xyxy in pixels.
        width: of the image, in pixels.
        height: of the image, in pixels.

    Returns:
        (N, 2, 3) float64 `chip_from_image`, both in pixels; a box of less than a pixel counts as one pixel.
    """
    corners = np.clip(np.asarray(boxes, np.float64).reshape(-1, 2, 2), 0, [width, height])
    scales = CHIP_SIZE / np.maximum(corners[:, 1] - corners[:, 0], 1)
    transforms = np.zeros((len(corners), 2, 3))
    transforms[:, [0, 1], [0, 1]] = scales
    transforms[:, :, 2] = (0.5 - corners[:, 0]) * scales - 0.5
    return transforms
