"""People of a film before another background."""

import io
from dataclasses import replace

import numpy as np
import pytest
from made_frames import made_frame
from PIL import Image
from skimage.data import astronaut

from alignimation_index.datatypes import Cutout
from alignimation_index.library.scan import content_hash
from alignimation_index.render.film.film import NOBODY, Film, Look, not_cut_out
from alignimation_index.render.film.record import read_record, record_path, render_recorded
from alignimation_index.render.film.tracks import evenly
from alignimation_index.render.stills.backdrop import Backdrop
from alignimation_index.render.stills.background import parse_background
from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.take import still_of

SIDE = 128
# Where she is, roughly: of the 512 pixels of the portrait.
LEFT, TOP, RIGHT = 130, 20, 330


@pytest.fixture
def frame(tmp_path):
    """The astronaut's photo as it is, and a mask at a quarter of its size."""
    path = tmp_path / "astronaut.png"
    Image.fromarray(astronaut()).save(path)
    mask = np.zeros((128, 128), np.uint8)
    mask[TOP // 4 :, LEFT // 4 : RIGHT // 4] = 255
    png = io.BytesIO()
    Image.fromarray(mask).save(png, format="PNG")
    return made_frame(
        path=str(path),
        content_hash=content_hash(path.read_bytes()),
        width_px=512,
        height_px=512,
        template_from_photo=np.array([[1 / 512, 0, 0.5 / 512], [0, 1 / 512, 0.5 / 512]], np.float32),
        cutout=Cutout(png.getvalue(), np.array([[4, 0, 1.5], [0, 4, 1.5]])),
    )


def corner_and_middle(pixels):
    return pixels[4, 4].tolist(), pixels[SIDE // 2, (LEFT + RIGHT) // 8]


def test_what_is_behind_is_replaced_and_the_person_stays(frame):
    still = still_of(frame, Framing(SIDE, SIDE))
    corner, middle = corner_and_middle(Backdrop(parse_background("#ffcc00")).behind(still).pixels)
    assert corner == [255, 204, 0]
    assert np.array_equal(middle, corner_and_middle(still.pixels)[1])


def test_a_transparent_background_has_alpha(frame):
    still = still_of(frame, Framing(SIDE, SIDE))
    corner, middle = corner_and_middle(Backdrop(parse_background("transparent")).behind(still).pixels)
    assert corner[3] == 0
    assert middle.tolist() == [*corner_and_middle(still.pixels)[1].tolist(), 255]


def test_frames_without_a_person_to_cut_out_are_named_unless_all_is_kept(frame):
    frames = [frame, replace(frame, cutout=None)]
    assert not_cut_out(frames, "blur") == {1: NOBODY}
    assert not_cut_out(frames, "keep") == {}
    with pytest.raises(ValueError, match="is not cut out"):
        Backdrop(parse_background("blur")).behind(still_of(frames[1], Framing(SIDE, SIDE)))


def test_a_film_with_another_background_is_made_again_from_its_record(frame, tmp_path):
    film = Film([evenly([frame, frame], 2.0)], Look(Framing(SIDE, SIDE), fps=2.0, background="transparent"))
    out, again = tmp_path / "film", tmp_path / "again"
    render_recorded(film, out)
    render_recorded(read_record(record_path(out)), again)
    pictures = [sorted(path.read_bytes() for path in folder.glob("*.png")) for folder in (out, again)]
    assert len(pictures[0]) == 2
    assert pictures[0] == pictures[1]
    with Image.open(next(out.glob("*.png"))) as picture:
        assert picture.mode == "RGBA"
