"""What a neural backend has to offer. Anything of this shape will do: a network, or a fake in a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from alignimation_index.datatypes import BodyDetections, Detections, Float, Images


class FaceDetector(Protocol):
    """Finds faces."""

    @property
    def model_id(self) -> str:
        """Names the weights; results of two ids are not mixed."""

    def detect(self, images: Images, min_face_px: Sequence[float]) -> list[Detections]:
        """Find the faces in each image.

        Args:
            images: (H, W, 3) uint8 RGB each, upright, of any shapes.
            min_face_px: side of the smallest face to find in each, in its pixels.

        Returns:
            One Detections per image, in that image's pixels, best score first.
        """


class LandmarkRefiner(Protocol):
    """Finds the five landmarks of a face again, more exactly."""

    @property
    def model_id(self) -> str:
        """Names the weights; results of two ids are not mixed."""

    def refine(self, images: Images, landmarks: Sequence[Float]) -> list[Float]:
        """Refine (N, 5, 2) float32 landmarks, one array per image, in that image's pixels; same shapes out."""


class FaceEmbedder(Protocol):
    """Maps a face to a vector; small distance, same person."""

    @property
    def model_id(self) -> str:
        """Names the weights; vectors of two ids are never compared."""

    @property
    def dimension(self) -> int:
        """Length D of a vector."""

    def embed(self, images: Images, faces: Sequence[Detections]) -> list[Float]:
        """Embed the faces of each image: (N, D) float32 per image, rows as in `faces`."""


class BodyDetector(Protocol):
    """Finds bodies: their keypoints and person masks."""

    @property
    def model_id(self) -> str:
        """Names the weights; results of two ids are not mixed."""

    def detect(self, images: Images) -> list[BodyDetections]:
        """Find the bodies in each image.

        Args:
            images: (H, W, 3) uint8 RGB each, upright, of any shapes; reduced ones do.

        Returns:
            One BodyDetections per image, in that image's pixels, best score first.
        """
