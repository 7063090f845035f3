"""A made series of a growing belly, registered: an animation, before_after.png, and how far shoulder and hip wander.

usage: PYTHONPATH=.:tests:tests/registration python tests/benchmarks/body_series.py OUT [--photos 40] [--noise 0.01]
       [--cutout FOLDER NUMBER] [--body-model NAME] [--json FILE]

One person is put before changing backgrounds by a changing camera (±8°, 0.75 to 1.25 times, ±10 % of the height aside),
while the belly grows: a drawn person, or with --cutout that of an annotated photo. The detector is the truth, with
keypoints off by the noise, in body heights, and contours off by a third of it, alike over a tenth of the height; with
--body-model it is a real one. Wander is the mean distance of a true place from its mean over the photos, in pixels of
frames of 480.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from annotated_bodies import read_bodies
from figures import parser, show
from made_bodies import LEGS, PARTS, PLACES
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from alignimation_index.datatypes import KEYPOINT_NAMES, BodyDetections
from alignimation_index.demo.comparison import cropped, mean_picture, wander_px
from alignimation_index.models.bodies import BodyModelSource, body_models
from alignimation_index.models.faces import EMBEDDED, face_models
from alignimation_index.models.weights import WeightStore
from alignimation_index.pipeline.bodies.register import TemplateChoice, register
from alignimation_index.pipeline.scan import add_roots
from alignimation_index.pipeline.update import update
from alignimation_index.query.bodies import choose_bodies
from alignimation_index.query.choosing.choose import Choice
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.registration.keypoints import parse_names
from alignimation_index.render.film.film import Film, Look, render_film
from alignimation_index.render.film.tracks import evenly
from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.take import render_frame
from alignimation_index.similarity import apply, compose, invert
from alignimation_index.store.engine import Store

FRAME_PX = 480
SIZE = (800, 1000)
BELLY = 0.09
SHOWN = ("left_shoulder", "left_hip")
COLOURS = {"head": (205, 160, 130), "top": (176, 72, 84), "legs": (52, 60, 92), "hair": (70, 45, 30)}


def drawn_person(belly, side=900):
    """(side, side, 4) RGBA of a drawn person, (17, 3) keypoints in its pixels, and the person's height there."""
    scale, shift = side * 0.96, np.array([0.02 * side, 0.02 * side])
    y, x = np.mgrid[:side, :side]
    picture = np.zeros((side, side, 4), np.float32)
    head, nose, torso, stomach = PARTS
    grown = (stomach[0] + belly, *stomach[1:])
    arm = (0.47, 0.4, 0.032, 0.17)
    limbs = [(part, "legs") for part in LEGS] + [(torso, "top"), (stomach, "top"), (grown, "top")]
    for (cx, cy, a, b), colour in [
        *limbs,
        (arm, "head"),
        (nose, "head"),
        (head, "head"),
        ((0.47, 0.07, 0.06, 0.075), "hair"),
    ]:
        distance = np.hypot(((x - shift[0]) / scale - cx) / a, ((y - shift[1]) / scale - cy) / b)
        alpha = np.clip((1 - distance) * min(a, b) * scale, 0, 1)[..., None]
        shade = 0.85 + 0.15 * np.sqrt(np.clip(1 - distance**2, 0, 1))[..., None]
        picture[..., :3] = picture[..., :3] * (1 - alpha) + alpha * shade * COLOURS[colour]
        picture[..., 3:] = np.maximum(picture[..., 3:], 255 * alpha)
    keypoints = np.zeros((17, 3))
    for name, place in PLACES.items():
        keypoints[KEYPOINT_NAMES.index(name)] = (*(np.array(place) * scale + shift), 1)
    return picture.astype(np.uint8), keypoints, 0.98 * scale


def cut_out(folder, number):
    """An annotated person as RGBA with keypoints and height, as `drawn_person`; and where its belly grows."""
    body = read_bodies(folder)[number]
    photo = Image.open(folder / f"{body.name.partition('#')[0]}.jpg").convert("RGB")
    alpha = Image.new("L", photo.size)
    for polygon in body.polygons:
        ImageDraw.Draw(alpha).polygon([tuple(point) for point in polygon], fill=255)
    photo.putalpha(alpha)
    pad = int(0.2 * body.height)
    low = np.floor(np.concatenate(body.polygons).min(0)).astype(int) - pad
    high = np.ceil(np.concatenate(body.polygons).max(0)).astype(int) + pad
    factor = 900 / (high - low).max()
    picture = photo.crop((*low, *high))
    picture = picture.resize([round(factor * side) for side in picture.size], Image.Resampling.LANCZOS)
    keypoints = np.column_stack([(body.keypoints + 0.5 - low) * factor - 0.5, body.seen])
    return np.asarray(picture), keypoints, body.height * factor


def inflated(picture, keypoints, height, belly):
    """The cut-out with what is in front of its hips stretched forward, photo and mask alike; the rest stays."""
    shoulders, hips = (keypoints[list(pair)][keypoints[list(pair), 2] > 0, :2].mean(0) for pair in ((5, 6), (11, 12)))
    middle = 0.35 * shoulders + 0.65 * hips
    forward = np.sign(keypoints[0, 0] - shoulders[0]) if keypoints[0, 2] else 1
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    ahead = forward * (x - middle[0])
    near = np.exp(-((y - middle[1]) ** 2) / (2 * (0.09 * height) ** 2))
    source = np.where(ahead > 0, ahead * (1 - 6 * belly * near), ahead)
    columns = np.clip(np.rint(middle[0] + forward * source), 0, picture.shape[1] - 1).astype(int)
    return np.take_along_axis(picture, columns[..., None], 1)


def backgrounds(random, count):
    """Pictures of other things, cut and blurred a little differently each time."""
    pictures = [Image.fromarray(getattr(data, name)()) for name in ("coffee", "rocket", "chelsea")]
    for i in range(count):
        picture = pictures[i % len(pictures)].convert("RGB")
        side = min(picture.size)
        width, height = side * 0.64, side * 0.8
        left, top = random.uniform(0, picture.width - width), random.uniform(0, picture.height - height)
        cut = picture.resize(SIZE, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
        yield cut.filter(ImageFilter.GaussianBlur(random.uniform(2, 6)))


def camera(random, picture, height):
    """(2, 3) photo_from_person."""
    turn, zoom = np.radians(random.uniform(-8, 8)), 0.8 * random.uniform(0.75, 1.25) * SIZE[1] / 1.25 / height
    linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array(picture.shape[1::-1]) / 2
    aside = random.uniform(-0.1, 0.1, 2) * height * zoom
    return np.column_stack([linear, np.array(SIZE) / 2 + aside - linear @ middle])


class Series:
    """The photos, the truth about each, and a detector that tells it with noise."""

    def __init__(self, folder, count, noise, cutout):
        self.noise, self.truth, self.by_pixels = noise, {}, {}
        random = np.random.default_rng(7)
        base = cut_out(Path(cutout[0]), int(cutout[1])) if cutout else None
        for i, background in enumerate(backgrounds(random, count)):
            belly = BELLY * i / max(count - 1, 1)
            picture, keypoints, height = base or drawn_person(belly)
            if base:
                picture = inflated(picture, keypoints, height, belly)
            matrix = camera(random, picture, height)
            self._photograph(folder / f"{i:03}.png", i, background, picture, keypoints, height, matrix)

    def _photograph(self, path, i, background, picture, keypoints, height, matrix):
        inverse = tuple(_corner_based(invert(matrix)).reshape(-1))
        person = Image.fromarray(picture).transform(SIZE, Image.Transform.AFFINE, inverse, Image.Resampling.BICUBIC)
        background.paste(person, mask=person.getchannel("A"))
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = (datetime(2021, 1, 4, 12) + timedelta(days=7 * i)).strftime("%Y:%m:%d %H:%M:%S")
        background.save(path, exif=exif.tobytes())
        places = np.column_stack([apply(matrix, keypoints[:, :2]), keypoints[:, 2]])
        self.truth[str(path)] = places
        size = height * np.hypot(*matrix[:, 0])
        self.by_pixels[_digest(np.asarray(background))] = (np.asarray(person.getchannel("A")), places, size, i)

    def detect(self, images):
        return [self._told(image) for image in images]

    def _told(self, image):
        alpha, places, size, i = self.by_pixels[_digest(np.asarray(image))]
        random = np.random.default_rng(i)
        keypoints = places.copy()
        keypoints[:, :2] += random.normal(0, self.noise * size, (17, 2))
        mask = _wavering(random, alpha, self.noise * size / 3, 0.1 * size)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = [[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]]
        return BodyDetections(
            np.array(box, np.float32), np.ones(1, np.float32), keypoints[None].astype(np.float32), [mask]
        )


def _wavering(random, alpha, deviation, length):
    """The mask with its edge off by a deviation, alike over a length, both in pixels."""
    field = random.normal(size=(2, *alpha.shape)).astype(np.float32)
    off = np.stack([_smooth(one, length) for one in field])
    off *= deviation / np.maximum(off.std((1, 2), keepdims=True), 1e-9)
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
    rows = np.clip(np.rint(y + off[0]), 0, alpha.shape[0] - 1).astype(int)
    columns = np.clip(np.rint(x + off[1]), 0, alpha.shape[1] - 1).astype(int)
    return np.where(alpha[rows, columns] >= 128, 255, 0).astype(np.uint8)


def _smooth(field, length):
    transform = np.fft.rfft2(field)
    rows, columns = np.fft.fftfreq(field.shape[0])[:, None], np.fft.rfftfreq(field.shape[1])
    return np.fft.irfft2(transform * np.exp(-((np.pi * length) ** 2) * (rows**2 + columns**2) / 2), field.shape)


def _corner_based(matrix):
    """As Pillow counts: from the corner of the first pixel."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5]])
    return compose(compose(half, matrix), invert(half))


def _digest(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()


def sheet(before, after):
    """First, middle and last frame and the mean of all: as they are above, registered below."""
    rows = [
        np.concatenate([*(np.asarray(row[i]) for i in (0, len(row) // 2, -1)), mean_picture(row)], 1)
        for row in (before, after)
    ]
    return np.concatenate(rows)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--photos", type=int, default=40)
    arguments.add_argument("--noise", type=float, default=0.01)
    arguments.add_argument("--keypoints", type=parse_names)
    arguments.add_argument("--cutout", nargs=2, metavar=("FOLDER", "NUMBER"))
    arguments.add_argument("--body-model")
    chosen = arguments.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, closing(Store.open(Path(folder) / "store.db")) as store:
        photos = Path(folder) / "photos"
        photos.mkdir()
        series = Series(photos, chosen.photos, chosen.noise, chosen.cutout)
        result = measured(store, photos, series, chosen)
    show(result, chosen.json_out)


def measured(store: Store, photos: Path, series: Series, chosen: argparse.Namespace) -> dict[str, object]:
    """Index, register and render the series."""
    add_roots(store, [photos])
    weights = WeightStore(photos.parent / "weights")
    update(store, face_models(EMBEDDED, weights, "cpu"), lambda *_: None, stages=["metadata", "describe"])
    truth = BodyModelSource("truth", lambda: series)
    source = body_models(chosen.body_model, weights) if chosen.body_model else truth
    choice = TemplateChoice(keypoints=chosen.keypoints)
    found = register(store, FrameFilter(), choice, any_body=True, source=lambda: source)
    with store.reading() as session:
        frames = choose_bodies(
            session, found.wanted, found.template, FrameFilter(), Choice(all_alike=True, all_outliers=True)
        )
    whole = [cropped(frame) for frame in frames.frames]
    look = Look(Framing(FRAME_PX // 2, FRAME_PX // 2), fps=8)
    render_film(Film([evenly(frames.frames, 8)], look), chosen.out / "bump.gif")
    pictures = [[render_frame(frame, FRAME_PX) for frame in row] for row in (whole, frames.frames)]
    Image.fromarray(sheet(*pictures)).save(chosen.out / "before_after.png")
    columns = [KEYPOINT_NAMES.index(name) for name in SHOWN]
    result: dict[str, object] = {"photos": chosen.photos, "registered": len(frames.frames), "template": found.template}
    for name, column in zip(SHOWN, columns, strict=True):
        places = [series.truth[frame.path][[column], :2] for frame in frames.frames]
        result[f"{name} wander before, px"] = round(wander_px(whole, places, FRAME_PX), 2)
        result[f"{name} wander after, px"] = round(wander_px(frames.frames, places, FRAME_PX), 2)
    return result


if __name__ == "__main__":
    main()
