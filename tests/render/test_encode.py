from __future__ import annotations

import resource
import subprocess
from contextlib import contextmanager

import imageio.v2 as imageio
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from alignimation_index.errors import UserError
from alignimation_index.render.encode import open_animation

SIZE_PX = 64
FORMATS = ["out.mp4", "out.gif", "out.webp", "out"]


def frames(count: int = 7, size_px: int = SIZE_PX) -> list[np.ndarray]:
    small = np.asarray(Image.fromarray(astronaut()).resize((size_px, size_px)))
    return [np.roll(small, 3 * index, axis=1) for index in range(count)]


def encode(out, images, fps=10.0):
    with open_animation(out, fps, images[0].shape[1::-1]) as animation:
        for image in images:
            animation.write(image)


def read_back(out) -> list[np.ndarray]:
    if out.is_dir():
        return [imageio.imread(path) for path in sorted(out.iterdir())]
    return [frame[..., :3] for frame in imageio.get_reader(out)]


@contextmanager
def full_disk():
    """No file may grow beyond a few kB inside the block, for this process and those it starts."""
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, earlier[1]))
    try:
        yield
    finally:
        # Before anything else is written: pytest's own report may go to a file.
        resource.setrlimit(resource.RLIMIT_FSIZE, earlier)


@pytest.mark.parametrize("name", FORMATS)
def test_every_frame_reads_back_nearly_as_written(tmp_path, name):
    encode(tmp_path / name, frames())
    read = read_back(tmp_path / name)
    assert len(read) == 7
    for written, image in zip(frames(), read, strict=True):
        assert image.shape == (SIZE_PX, SIZE_PX, 3)
        assert np.abs(image.astype(float) - written).mean() < 16
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "fps"), [("out.mp4", 23.976), ("out.mp4", 2), ("out.gif", 12), ("out.webp", 12)])
def test_the_frame_rate_is_kept(tmp_path, name, fps):
    out = tmp_path / name
    encode(out, frames(24), fps)
    if name.endswith(".mp4"):
        assert imageio.get_reader(out).get_meta_data()["fps"] == pytest.approx(fps, abs=0.01)
        return
    with Image.open(out) as image:
        durations = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            durations.append(image.info["duration"])
    assert sum(durations) / 1000 == pytest.approx(24 / fps, abs=0.02)


@pytest.mark.parametrize("name", ["out.gif", "out.webp"])
def test_pictures_that_move_loop_forever(tmp_path, name):
    encode(tmp_path / name, frames())
    with Image.open(tmp_path / name) as image:
        assert image.info["loop"] == 0


def test_mp4_plays_everywhere_and_starts_before_it_is_loaded(tmp_path):
    encode(tmp_path / "out.mp4", frames())
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(tmp_path / "out.mp4")]
    described = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "h264" in described and "yuv420p(tv, bt709" in described
    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_an_odd_size_grows_by_one_pixel_in_mp4(tmp_path):
    encode(tmp_path / "out.mp4", frames(size_px=65))
    assert {image.shape for image in read_back(tmp_path / "out.mp4")} == {(66, 66, 3)}


def test_png_frames_are_exact_and_the_same_bytes_each_time(tmp_path):
    encode(tmp_path / "a", frames())
    encode(tmp_path / "b", frames())
    assert [path.name for path in sorted((tmp_path / "a").iterdir())] == [f"000{n}.png" for n in range(1, 8)]
    assert all((image == written).all() for image, written in zip(read_back(tmp_path / "a"), frames(), strict=True))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_a_second_rendering_replaces_the_first(tmp_path, name):
    encode(tmp_path / name, frames(9))
    encode(tmp_path / name, frames(4))
    assert len(read_back(tmp_path / name)) == 4
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_existing_empty_folder_takes_the_frames_whatever_its_name(tmp_path):
    (tmp_path / "2000.2020").mkdir()
    encode(tmp_path / "2000.2020", frames())
    assert len(read_back(tmp_path / "2000.2020")) == 7


def test_a_folder_with_pictures_of_someone_is_never_replaced(tmp_path):
    scan = tmp_path / "scans" / "0001.png"
    scan.parent.mkdir()
    Image.fromarray(astronaut()).save(scan)
    content = scan.read_bytes()
    with pytest.raises(UserError, match=r"holds 0001\.png.*name another folder"):
        encode(scan.parent, frames())
    assert scan.read_bytes() == content and list(scan.parent.iterdir()) == [scan]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("exception", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_rendering_leaves_what_was_there_before(tmp_path, name, exception):
    encode(tmp_path / name, frames(3))
    with pytest.raises(exception), open_animation(tmp_path / name, 10, (SIZE_PX, SIZE_PX)) as animation:
        for frame in frames(5):
            animation.write(frame)
        raise exception
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(read_back(tmp_path / name)) == 3


@pytest.mark.parametrize("name", FORMATS)
def test_no_frame_is_an_error_and_no_file(tmp_path, name):
    with pytest.raises(UserError, match="no frames"), open_animation(tmp_path / name, 10, (SIZE_PX, SIZE_PX)):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path, name):
    with pytest.raises(UserError, match="free s") as caught, full_disk():
        encode(tmp_path / name, frames(20))
    assert str(tmp_path) in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FORMATS)
def test_a_missing_parent_folder_is_reported_before_any_frame(tmp_path, name):
    with pytest.raises(UserError, match=r"missing.*No such file or directory.*choose another place"):
        open_animation(tmp_path / "missing" / name, 10, (SIZE_PX, SIZE_PX)).__enter__()


def test_a_single_png_says_how_to_ask_for_a_folder(tmp_path):
    with pytest.raises(UserError, match="leave the suffix off: out"):
        encode(tmp_path / "out.png", frames())


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    with pytest.raises(UserError, match=r"\.mp4, \.gif, \.webp"):
        encode(tmp_path / "out.avi", frames())


@pytest.mark.parametrize(("name", "fps"), [("out.mp4", 0), ("out.mp4", float("nan")), ("out.gif", 60)])
def test_an_impossible_frame_rate_is_refused(tmp_path, name, fps):
    with pytest.raises(UserError, match="frames per second"):
        encode(tmp_path / name, frames(), fps)


@pytest.mark.parametrize("frame", [np.zeros((64, 65, 3), np.uint8), np.zeros((64, 64, 3), np.float32)])
def test_a_frame_of_another_shape_or_type_is_refused(tmp_path, frame):
    with (
        pytest.raises(ValueError, match="expected a frame"),
        open_animation(tmp_path / "out", 10, (64, 64)) as animation,
    ):
        animation.write(frame)
