"""mediapipe's two pose networks (BlazePose, Bazarevsky et al. 2020), each in a graph of its own.

mediapipe's own `Pose` finds one person per picture. Its parts are used instead: the finder, which sees several people,
and the reader, which looks at a square around one of them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from alignimation_index.datatypes import Float, Pixels

_FINDER = """
input_stream: "image"
output_stream: "detections"
node {
  calculator: "PoseDetectionCpu"
  input_stream: "IMAGE:image"
  output_stream: "DETECTIONS:detections"
}
"""
_READER = """
input_stream: "image"
input_stream: "roi"
input_side_packet: "model_complexity"
input_side_packet: "enable_segmentation"
output_stream: "landmarks"
output_stream: "auxiliary"
output_stream: "mask"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:model_complexity"
  input_side_packet: "ENABLE_SEGMENTATION:enable_segmentation"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "AUXILIARY_LANDMARKS:auxiliary"
  output_stream: "SEGMENTATION_MASK:mask"
}
"""
_FINDER_THRESHOLD = "posedetectioncpu__TensorsToDetectionsCalculator.min_score_thresh"
_READER_THRESHOLD = "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation__ThresholdingCalculator.threshold"
_STDERR = 2


class Reading(NamedTuple):
    """What the reader sees of the person in a square.

    Attributes:
        landmarks: (33, 3) float32: x and y in pixels of the square, and how surely each is seen, 0..1.
        circle: (2, 2) float32: the middle of the hips, and a point as far from it as the whole body reaches.
        mask: (256, 256) float32 in 0..1, on the person.
    """

    landmarks: Float
    circle: Float
    mask: Float


class PoseGraphs:
    """The finder and the reader. One call at a time: threads wait for each other."""

    def __init__(self, min_finder_score: float, min_reader_score: float) -> None:
        self._lock = threading.Lock()
        with _quiet():
            self._finder = _graph(_FINDER, {_FINDER_THRESHOLD: min_finder_score}, {})
            sides = {"model_complexity": 1, "enable_segmentation": True}  # 1 is the model inside the wheel
            self._reader = _graph(_READER, {_READER_THRESHOLD: min_reader_score}, sides)

    def find(self, image: Pixels) -> tuple[Float, Float]:
        """Find people.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            (N,) float32 scores in 0..1 and (N, 2, 2) float32 circles, see `Reading`, in pixels of the image.
        """
        with self._lock, _quiet():
            found = self._finder.process({"image": np.ascontiguousarray(image)}).detections or []
        scores = np.array([each.score[0] for each in found], np.float32)
        points = [[(point.x, point.y) for point in each.location_data.relative_keypoints[:2]] for each in found]
        return scores, _to_pixels(np.array(points, np.float32).reshape(-1, 2, 2), image)

    def read(self, square: Pixels) -> Reading | None:
        """Read the person in a (256, 256, 3) uint8 RGB square; None where there is none."""
        with self._lock, _quiet():
            found = self._reader.process({"image": np.ascontiguousarray(square), "roi": _whole()})
        if found.landmarks is None:
            return None
        rows = [(point.x, point.y, point.visibility) for point in found.landmarks.landmark]
        circle = [(point.x, point.y) for point in found.auxiliary.landmark[:2]]
        landmarks = np.array(rows, np.float32)
        landmarks[:, :2] = _to_pixels(landmarks[:, :2], square)
        return Reading(landmarks, _to_pixels(np.array(circle, np.float32), square), found.mask)


def _to_pixels(points: Float, image: Pixels) -> Float:
    """Map (..., 2) points from shares of the image's sides to its pixels."""
    height, width = image.shape[:2]
    return points * np.array([width, height], np.float32) - np.float32(0.5)


def _graph(text: str, parameters: dict[str, float], sides: dict[str, Any]) -> Any:  # noqa: ANN401 - it has no types
    from google.protobuf import text_format
    from mediapipe.framework import calculator_pb2
    from mediapipe.python.solution_base import SolutionBase

    config = text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
    return SolutionBase(graph_config=config, calculator_params=parameters, side_inputs=sides)


def _whole() -> Any:  # noqa: ANN401
    from mediapipe.framework.formats import rect_pb2

    return rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1, height=1)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what mediapipe's libraries write to the process's stderr from the user."""
    kept = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)
