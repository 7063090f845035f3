"""Making photos: one portrait turned, scaled, moved, relit and recompressed, and some photos without a face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import ExifTags, Image, ImageFilter

from alignimation_index import similarity
from alignimation_index.errors import UserError
from alignimation_index.similarity import Matrices, Points

# Pixels of `skimage.data.astronaut()`: the middles of both irises, marked by eye on an enlarged print.
PORTRAIT_EYES = np.array([[203.3, 101.2], [246.6, 103.2]])
PORTRAIT_SIDE_PX = 512
# How far the head, hair and chin included, reaches from the middle of the eyes when it is turned.
HEAD_RADIUS_PX = 95

FACELESS = ("chelsea", "coffee", "coins", "grass", "hubble_deep_field", "moon", "page", "rocket")

FIRST_DATE, LAST_DATE = datetime(2000, 3, 12, 9, 30), datetime(2020, 11, 21, 18, 45)

SIZES_PX = (
    (1024, 768),
    (960, 1280),
    (640, 480),
    (1620, 1080),
    (1200, 1600),
    (400, 300),
    (800, 600),
    (1920, 1440),
    (480, 640),
    (720, 720),
)
"""(width, height) of the upright photos, in turn."""

ORIENTATIONS = (1, 6, 1, 1, 8, 1, 3, 1, 1)
"""EXIF orientations, in turn."""

STORED_FROM_UPRIGHT = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
"""What a camera does to an upright photo that it stores with this EXIF orientation."""


@dataclass(frozen=True, slots=True)
class MadePhoto:
    """A photo of the portrait, as planned.

    Attributes:
        path: where it belongs.
        seed: of everything about it that is drawn by chance.
        taken_at: local wall-clock time.
        size_px: (width, height) of the upright photo.
        orientation: EXIF orientation of the file.
        photo_from_portrait: (2, 3) float64 similarity, pixels of the portrait to pixels of the upright photo.
    """

    path: Path
    seed: int
    taken_at: datetime
    size_px: tuple[int, int]
    orientation: int
    photo_from_portrait: Matrices

    @property
    def eyes(self) -> Points:
        """(2, 2) float64, where the eyes truly are, in pixels of the upright photo."""
        return similarity.apply(self.photo_from_portrait, PORTRAIT_EYES)


def plan_photos(folder: Path, count: int) -> list[MadePhoto]:
    """Plan photos of the portrait, evenly over the years, in a folder per year; the same ones on every call."""
    return [_plan_photo(folder, seed, taken_at) for seed, taken_at in enumerate(_dates(count))]


def plan_faceless(folder: Path) -> dict[Path, tuple[str, datetime]]:
    """Plan the photos without a face: path → (name in `skimage.data`, time)."""
    dated = zip(FACELESS, _dates(len(FACELESS)), strict=True)
    return {folder / f"{taken_at.year}" / f"{name}.jpg": (name, taken_at) for name, taken_at in dated}


def write_photos(photos: list[MadePhoto], faceless: Mapping[Path, tuple[str, datetime]]) -> Iterator[Path]:
    """Write planned photos as JPEG files with EXIF, yielding each path when done.

    Raises:
        UserError: scikit-image, which brings the pictures, is not installed.
    """
    pictures = load_pictures()
    scene = _extend(Image.fromarray(pictures.astronaut()))
    for photo in photos:
        quality = int(np.random.default_rng([photo.seed, 2]).integers(60, 96))
        image = _relight(_draw(scene, photo), np.random.default_rng([photo.seed, 1]))
        _save(image, photo.path, photo.taken_at, quality, photo.orientation)
        yield photo.path
    for path, (name, taken_at) in faceless.items():
        _save(Image.fromarray(getattr(pictures, name)()).convert("RGB"), path, taken_at)
        yield path


def load_pictures() -> ModuleType:
    """The module `skimage.data`; the pictures that are used here lie in the package itself.

    Raises:
        UserError: scikit-image is not installed.
    """
    try:
        from skimage import data
    except ImportError:
        raise UserError(
            'The demo needs the pictures that come with scikit-image. Install them: pip install "alignindex[demo]"'
        ) from None
    module: ModuleType = data
    return module


def _dates(count: int) -> list[datetime]:
    step = (LAST_DATE - FIRST_DATE) / max(count - 1, 1)
    return [(FIRST_DATE + index * step).replace(microsecond=0) for index in range(count)]


def _plan_photo(folder: Path, seed: int, taken_at: datetime) -> MadePhoto:
    """Draw a pose in which the whole head is in the picture."""
    rng = np.random.default_rng([seed, 0])
    size_px = SIZES_PX[seed % len(SIZES_PX)]
    angle = np.deg2rad(rng.uniform(-20, 20))
    scale = rng.uniform(1.0, 1.8) * min(size_px) / PORTRAIT_SIDE_PX
    margin = HEAD_RADIUS_PX * scale
    middle = [rng.uniform(max(margin, 0.25 * side), side - max(margin, 0.25 * side)) for side in size_px]
    middle[1] = min(middle[1], max(margin, 0.5 * size_px[1]))
    path = folder / f"{taken_at.year}" / f"IMG_{seed + 1:04}.jpg"
    orientation = ORIENTATIONS[seed % len(ORIENTATIONS)]
    return MadePhoto(path, seed, taken_at, size_px, orientation, _pose(angle, scale, middle))


def _pose(angle: float, scale: float, middle: list[float]) -> Matrices:
    """The similarity that turns (radians, clockwise as seen) and scales, the middle of the eyes going to `middle`."""
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array(middle) - linear @ PORTRAIT_EYES.mean(0)
    return np.column_stack([linear, shift])


def _extend(portrait: Image.Image) -> Image.Image:
    """The portrait in the middle of a picture of three times its side, which goes on out of focus beyond it."""
    side = PORTRAIT_SIDE_PX
    margin = ((side, side), (side, side), (0, 0))
    sharp = Image.fromarray(np.pad(np.asarray(portrait), margin, mode="edge"))
    soft = sharp.filter(ImageFilter.GaussianBlur(12)).filter(ImageFilter.GaussianBlur(36))
    # Focus falls off inside the border already, so that no line shows where the portrait ends.
    focus = Image.new("L", sharp.size)
    focus.paste(255, (side + 12, side + 12, 2 * side - 12, 2 * side - 12))
    return Image.composite(sharp, soft, focus.filter(ImageFilter.GaussianBlur(6)))


def _draw(scene: Image.Image, photo: MadePhoto) -> Image.Image:
    """Take the photo of the scene, bicubic; at twice its size first where the scene shrinks, against aliasing."""
    finer = 2 if similarity.scale_of(photo.photo_from_portrait) < 1 else 1
    drawn_from_photo = np.array([[finer, 0, (finer - 1) / 2], [0, finer, (finer - 1) / 2]])
    drawn_from_portrait = similarity.compose(drawn_from_photo, photo.photo_from_portrait)
    portrait_from_drawn = similarity.invert(drawn_from_portrait)
    # Pillow's coordinates begin at the corner of the first pixel, half a pixel before its centre.
    corner = similarity.apply(portrait_from_drawn, [[-0.5, -0.5]])[0] + 0.5 + PORTRAIT_SIDE_PX
    data = (*portrait_from_drawn[0, :2], corner[0], *portrait_from_drawn[1, :2], corner[1])
    size = (photo.size_px[0] * finer, photo.size_px[1] * finer)
    return scene.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC).reduce(finer)


def _relight(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another exposure: gain and gamma, the gain a little different per channel."""
    gains = rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 3)
    gamma = rng.uniform(0.75, 1.35)
    levels = np.linspace(0, 1, 256) ** gamma
    return image.point(np.rint(255 * np.clip(gains[:, None] * levels, 0, 1)).astype(int).ravel().tolist())


def _save(image: Image.Image, path: Path, taken_at: datetime, quality: int = 90, orientation: int = 1) -> None:
    if orientation in STORED_FROM_UPRIGHT:
        image = image.transpose(STORED_FROM_UPRIGHT[orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{taken_at:%Y:%m:%d %H:%M:%S}"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=quality, exif=exif)
