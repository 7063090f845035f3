from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from alignimation_index.errors import UserError
from alignimation_index.render.sheet import MARK, Tile, contact_sheet, save_picture


def plain(colour: tuple[int, int, int], height: int = 100, width: int = 100) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def bounding_box(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    y, x = np.nonzero((sheet == colour).all(axis=2))
    return int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1


def test_tiles_are_in_reading_order():
    red, green, blue = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    sheet = contact_sheet((Tile(plain(colour), "x") for colour in (red, green, blue)), columns=2)
    (red_x, red_y, *_), (green_x, green_y, *_), (blue_x, blue_y, *_) = (
        bounding_box(sheet, colour) for colour in (red, green, blue)
    )
    assert red_x < green_x and red_y == green_y
    assert blue_x == red_x and blue_y > red_y


@pytest.mark.parametrize(
    ("height", "width", "size"), [(100, 50, (80, 160)), (50, 200, (160, 40)), (20, 20, (160, 160))]
)
def test_a_picture_fills_its_tile_without_being_stretched(height, width, size):
    x0, y0, x1, y1 = bounding_box(contact_sheet([Tile(plain((0, 200, 0), height, width), "")]), (0, 200, 0))
    assert (x1 - x0, y1 - y0) == size


def test_only_a_marked_tile_has_a_coloured_frame():
    def mark_pixels(mark: bool) -> int:
        return int((contact_sheet([Tile(plain((0, 0, 0)), "x", mark)]) == MARK).all(axis=2).sum())

    assert mark_pixels(False) == 0
    assert mark_pixels(True) > 4 * 160 * 3


def test_a_caption_is_drawn_below_its_picture_and_stays_within_the_sheet():
    without = contact_sheet([Tile(plain((0, 200, 0)), "")])
    sheet = contact_sheet([Tile(plain((0, 200, 0)), "a caption that is much too long for its tile\nby far")])
    changed_y, changed_x = np.nonzero((sheet != without).any(axis=2))
    assert sheet.shape == without.shape
    assert changed_y.min() >= bounding_box(sheet, (0, 200, 0))[3]
    assert changed_x.min() >= 5 and changed_x.max() < sheet.shape[1] - 5


@pytest.mark.parametrize("count", [12, 40, 200])
def test_a_large_sheet_is_about_16_to_10(count):
    height, width = contact_sheet([Tile(plain((0, 0, 0)), "x")] * count).shape[:2]
    assert 1.25 < width / height < 2.05


def test_no_tile_is_an_error():
    with pytest.raises(UserError, match="no pictures"):
        contact_sheet([])


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.webp"])
def test_a_saved_picture_reads_back(tmp_path, name):
    save_picture(astronaut(), tmp_path / name)
    with Image.open(tmp_path / name) as image:
        read = np.asarray(image.convert("RGB"))
    assert np.abs(read.astype(float) - astronaut()).mean() < 4
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_unknown_picture_suffix_lists_the_known_ones(tmp_path):
    with pytest.raises(UserError, match=r"\.png, \.jpg, \.jpeg, \.webp"):
        save_picture(astronaut(), tmp_path / "a.bmp")
    assert not list(tmp_path.iterdir())


def test_a_picture_that_cannot_be_written_leaves_the_earlier_one(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"earlier")
    too_wide_for_jpeg = np.zeros((1, 70_000, 3), np.uint8)
    with pytest.raises(UserError, match=r"a\.jpg: cannot be written"):
        save_picture(too_wide_for_jpeg, tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == b"earlier"
    assert len(list(tmp_path.iterdir())) == 1
