import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import with_orientation
from PIL import Image
from portraits import portrait
from skimage.data import astronaut

from alignimation_index import similarity
from alignimation_index.errors import DecodeError
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.scan import content_hash
from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.take import render_frame, still_of, stills
from alignimation_index.render.stills.warp import warp_photo

FRAMING = Framing(120, 160, "bust", "blur")


def refuse(frame, reason):
    raise AssertionError(f"{frame.path}: {reason}")


@pytest.fixture
def frames(tmp_path):
    return [portrait(tmp_path / f"{shade}.png", astronaut() // 8 + shade) for shade in range(0, 200, 25)]


def test_stills_come_in_order_each_as_by_itself(frames):
    made = list(stills(frames, FRAMING, refuse, workers=3))
    assert [still.index for still in made] == list(range(len(frames)))
    for frame, still in zip(frames, made, strict=True):
        assert still.frame is frame
        assert still.pixels.shape == (160, 120, 3)
        assert np.array_equal(still.pixels, still_of(frame, FRAMING).pixels)


def test_what_vanished_changed_or_broke_is_skipped_and_named(frames):
    Path(frames[1].path).unlink()
    Path(frames[3].path).write_bytes(Path(frames[4].path).read_bytes())
    broken = Path(frames[5].path).read_bytes()[:300]
    Path(frames[5].path).write_bytes(broken)
    frames[5] = replace(frames[5], content_hash=content_hash(broken))
    skipped = []
    made = list(stills(frames, FRAMING, lambda frame, reason: skipped.append((frame.path, reason))))
    assert [still.index for still in made] == [0, 2, 4, 6, 7]
    assert [path for path, _ in skipped] == [frames[index].path for index in (1, 3, 5)]
    assert "No such file" in skipped[0][1]
    assert "has changed" in skipped[1][1]
    assert "truncated" in skipped[2][1]


def test_one_that_cannot_be_rendered_says_why(frames):
    with pytest.raises(ValueError, match="not registered"):
        still_of(replace(frames[0], template_from_photo=None), FRAMING)
    Path(frames[0].path).write_bytes(b"no picture")
    with pytest.raises(OSError, match="has changed"):
        still_of(frames[0], FRAMING)
    with pytest.raises(DecodeError):
        still_of(replace(frames[0], content_hash=content_hash(b"no picture")), FRAMING)


def test_few_are_made_ahead_and_closing_ends_all(frames):
    made = stills(frames * 50, FRAMING, refuse, workers=2)
    first = next(made)
    made.close()
    assert first.index == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stills")]


def test_not_more_files_are_read_than_are_soon_needed(frames):
    # Only the first few exist: were all read at once, the later ones would be missed before they are asked for.
    many = frames + [replace(frames[0], path=f"/nowhere/{index}.png") for index in range(100)]
    skipped = []
    made = stills(many, FRAMING, lambda frame, _: skipped.append(frame.path), workers=2)
    for _ in range(len(frames) - 4):
        next(made)
    assert not skipped
    made.close()


@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_a_part_of_a_turned_and_reduced_photo_is_warped_as_the_whole(orientation):
    pixels = Image.fromarray(astronaut()).resize((1021, 1019), Image.Resampling.BICUBIC)
    data = with_orientation(pixels, orientation, quality=95)
    matrix = np.array([[0.45, -0.05, -60.0], [0.05, 0.45, -20.0]])
    whole = decode(data, 460)
    part = decode(data, 460, part=(150, 60, 420, 330))
    assert whole.reduction == part.reduction == 2
    assert part.pixels.shape[0] < 0.4 * whole.pixels.shape[0]
    shifted = similarity.compose(part.photo_from_decoded, [[1, 0, 3], [0, 1, 3]])[:, 2]
    column, row = np.rint(similarity.apply(similarity.invert(whole.photo_from_decoded), shifted[None]))[0].astype(int)
    assert np.array_equal(part.pixels[3, 3], whole.pixels[row, column])
    a, b = (warp_photo(photo, matrix, (40, 40)) for photo in (whole, decode(data, 460, part=(100, 0, 300, 200))))
    assert np.array_equal(a, b)


def test_the_frame_is_black_beyond_the_photo_the_blur_is_not(tmp_path):
    frame = portrait(tmp_path / "bright.png", np.full((512, 512, 3), (200, 150, 100), np.uint8))
    black, blur, mirror, red = (
        still_of(frame, Framing(160, 90, "body", edges)).pixels for edges in ("#000000", "blur", "mirror", "#ff0000")
    )
    assert not black[-5:].any()
    assert np.abs(blur.astype(int) - (200, 150, 100)).max() <= 2
    assert np.abs(mirror.astype(int) - (200, 150, 100)).max() <= 2
    assert (red[-5:] == (255, 0, 0)).all()


def test_blurred_edges_have_no_seam(tmp_path):
    frame = portrait(tmp_path / "astronaut.png")
    framing = Framing(480, 480, "bust", "blur")
    still = still_of(frame, framing)
    top = similarity.apply(still.canvas_from_photo, [[150.0, -0.5]])[0, 1]
    rows = still.pixels[:, 100:380].astype(float).mean((1, 2))
    at_seam = np.abs(np.diff(rows))[int(top) - 3 : int(top) + 4].max()
    seam_of_black = np.abs(np.diff(still_of(frame, replace(framing, edges="#000000")).pixels[:, 100:380].mean((1, 2))))
    assert at_seam < 3 < seam_of_black[int(top) - 3 : int(top) + 4].max()


def test_mirrored_edges_show_the_photo_the_other_way_round(tmp_path):
    still = still_of(portrait(tmp_path / "astronaut.png"), Framing(480, 480, "bust", "mirror"))
    photo_from_canvas = similarity.invert(still.canvas_from_photo)
    above = similarity.apply(still.canvas_from_photo, [[200.0, -20.5], [200.0, 19.5]]).round().astype(int)
    assert similarity.apply(photo_from_canvas, above)[0, 1] < -10
    a, b = (still.pixels[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1)) for x, y in above)
    assert np.abs(a - b).max() < 6


def test_inside_nothing_beyond_the_photos_is_seen(tmp_path):
    white = np.full((512, 512, 3), 255, np.uint8)
    frames = [portrait(tmp_path / "a.png", white), portrait(tmp_path / "b.png", white)]
    for still in stills(frames, Framing(90, 160, "body", "#000000", inside=True), refuse):
        assert (still.pixels == 255).all()


def test_the_square_of_a_frame_is_the_head(frames):
    assert np.array_equal(render_frame(frames[0], 64), still_of(frames[0], Framing(64, 64, "head")).pixels)


def test_stills_are_made_without_torch():
    loads = "import alignimation_index.render.film.record, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0
