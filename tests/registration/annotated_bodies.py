"""Annotated bodies as polygons and keypoints, and photos of them made by known similarities."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from alignimation_index.similarity import apply

FOLDER = Path(__file__).parents[2] / "../shared/data/bodies"
OVERSAMPLING = 8
MARGIN_PX = 6
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 5, 6, 11, 12


@dataclass
class Body:
    """One person of a photo: polygons (each (P, 2)), keypoints (17, 2) and seen (17,), in pixels of the photo."""

    name: str
    polygons: list
    keypoints: np.ndarray
    seen: np.ndarray

    @property
    def height(self):
        """The longer side of the box around the mask, pixels."""
        points = np.concatenate(self.polygons)
        return float(np.ptp(points, axis=0).max())


def read_bodies(folder=FOLDER):
    bodies = []
    for number, entry in enumerate(json.loads((folder / "annotations.json").read_text())):
        table = np.array(entry["keypoints"], float).reshape(17, 3)
        polygons = [np.array(part, float).reshape(-1, 2) for part in entry["segmentation"]]
        name = f"{entry['file'].removesuffix('.jpg')}#{number}"
        # Annotated coordinates count from the corner of the first pixel, not from its centre.
        bodies.append(Body(name, [p - 0.5 for p in polygons], table[:, :2] - 0.5, (table[:, 2] > 0).astype(np.float32)))
    return bodies


def draw(polygons, size):
    """(H, W) bool mask of polygons: pixels of which half is inside."""
    low = np.floor(np.concatenate(polygons).min(0)).astype(int) - 1
    high = np.ceil(np.concatenate(polygons).max(0)).astype(int) + 2
    width, height = high - low
    canvas = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING))
    for polygon in polygons:
        inner = (polygon - low + 0.5) * OVERSAMPLING - 0.5
        ImageDraw.Draw(canvas).polygon([tuple(point) for point in inner], fill=255)
    patch = np.asarray(canvas.reduce(OVERSAMPLING)) >= 128
    mask = np.zeros((size[1], size[0]), bool)
    left, top = np.maximum(low, 0)
    right, bottom = np.minimum(high, size)
    if right > left and bottom > top:
        mask[top:bottom, left:right] = patch[top - low[1] : bottom - low[1], left - low[0] : right - low[0]]
    return mask


def random_similarity(random, body):
    """photo_from_original: ±20°, 0.7 to 1.4 times, about the body's middle, and ±15 % of its height aside."""
    turn, scale = np.radians(random.uniform(-20, 20)), np.exp(random.uniform(np.log(0.7), np.log(1.4)))
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = np.concatenate(body.polygons)
    middle = (points.min(0) + points.max(0)) / 2
    shift = random.uniform(-0.15, 0.15, 2) * body.height
    return np.column_stack([linear, middle + shift - linear @ middle])


def bulge(random, body):
    """An ellipse on the contour where the belly is: 3 to 8 % of the height deep, 8 to 16 % to both sides."""
    middle, along, across = _torso(random, body)
    depth, half = random.uniform(0.03, 0.08) * body.height, random.uniform(0.08, 0.16) * body.height
    edge = _edge(body, middle, across)
    angle = np.linspace(0, 2 * np.pi, 60)[:, None]
    return edge + depth * np.cos(angle) * across + half * np.sin(angle) * along


def _torso(random, body):
    """Its middle, and unit vectors along it and to the belly's side, where the nose is."""
    seen = body.seen > 0
    ends = []
    for pair in ((LEFT_SHOULDER, RIGHT_SHOULDER), (LEFT_HIP, RIGHT_HIP)):
        there = [k for k in pair if seen[k]]
        ends.append(body.keypoints[there].mean(0) if there else np.concatenate(body.polygons).mean(0))
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    across = np.array([-along[1], along[0]])
    side = np.sign((body.keypoints[0] - ends[0]) @ across) if seen[0] else random.choice([-1, 1])
    return 0.4 * ends[0] + 0.6 * ends[1], along, across * (side or 1)


def _edge(body, middle, direction):
    """The mask's last point from the middle of the torso in a direction."""
    size = tuple(np.ceil(np.concatenate(body.polygons).max(0)).astype(int) + 2)
    mask = draw(body.polygons, size)
    steps = middle + np.arange(0, body.height, 0.25)[:, None] * direction
    x, y = np.rint(steps).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < size[0]) & (y < size[1])
    hits = np.flatnonzero(inside & mask[np.clip(y, 0, size[1] - 1), np.clip(x, 0, size[0] - 1)])
    return steps[hits[-1]] if len(hits) else middle


def wavering(random, polygon, deviation, length):
    """The polygon with its edge off by a deviation (pixels), alike over some length (pixels)."""
    closed = np.concatenate([polygon, polygon[:1]])
    way = np.concatenate([[0], np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum()])
    at = np.linspace(0, way[-1], max(int(way[-1]), 8), endpoint=False)
    dense = np.stack([np.interp(at, way, closed[:, axis]) for axis in (0, 1)], 1)
    frequency = np.fft.rfftfreq(len(at), way[-1] / len(at))
    smooth = np.fft.irfft(
        np.fft.rfft(random.normal(size=len(at))) * np.exp(-((np.pi * frequency * length) ** 2) / 2), len(at)
    )
    tangent = np.roll(dense, -1, 0) - np.roll(dense, 1, 0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) / np.maximum(np.linalg.norm(tangent, axis=1), 1e-9)[:, None]
    return dense + normal * (deviation * smooth / smooth.std())[:, None]


def photographed(random, body, edge_deviation=0.0):
    """A photo of the body with a belly, large enough for all of it: mask, keypoints, and photo_from_original.

    `edge_deviation`, in body heights: by how much the contour is off, alike over a tenth of the height.
    """
    moved = random_similarity(random, body)
    polygons = [*body.polygons, bulge(random, body)]
    if edge_deviation:
        height = body.height
        polygons = [wavering(random, polygon, edge_deviation * height, 0.1 * height) for polygon in polygons]
    corner = apply(moved, np.concatenate(polygons)).min(0) - MARGIN_PX
    moved[:, 2] -= np.minimum(corner, 0)
    inside = [apply(moved, polygon) for polygon in polygons]
    size = np.ceil(np.concatenate(inside).max(0) + MARGIN_PX).astype(int)
    return draw(inside, size), apply(moved, body.keypoints), moved


def body_pixels(body):
    """(P, 2) pixels of the body's mask."""
    size = tuple(np.ceil(np.concatenate(body.polygons).max(0)).astype(int) + 2)
    y, x = np.nonzero(draw(body.polygons, size))
    return np.stack([x, y], -1).astype(float)
