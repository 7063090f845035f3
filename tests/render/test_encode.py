from __future__ import annotations

import subprocess
from dataclasses import replace

import imageio.v2 as imageio
import imageio_ffmpeg
import numpy as np
import pytest
from disks import full_disk
from PIL import Image
from skimage.data import astronaut

from alignimation_index.errors import UserError
from alignimation_index.render.files.codecs import CODECS
from alignimation_index.render.files.encode import FilmFormat, open_animation

SIZE_PX = 64
FORMATS = ["out.mp4", "out.webm", "out.mov", "out.gif", "out.webp", "out"]
SMALL = FilmFormat(10, SIZE_PX, SIZE_PX)


def frames(count: int = 7, size_px: int = SIZE_PX) -> list[np.ndarray]:
    small = np.asarray(Image.fromarray(astronaut()).resize((size_px, size_px)))
    return [np.roll(small, 3 * index, axis=1) for index in range(count)]


def encode(out, images, fps=10.0, **said):
    height, width, channels = images[0].shape
    with open_animation(out, FilmFormat(fps, width, height, channels == 4, **said)) as animation:
        for image in images:
            animation.write(image)


def read_back(out) -> list[np.ndarray]:
    if out.is_dir():
        return [imageio.imread(path) for path in sorted(out.iterdir())]
    return [frame[..., :3] for frame in imageio.get_reader(out)]


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
    said = described(tmp_path / "out.mp4")
    assert "h264" in said and "yuv420p(tv, bt709" in said
    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.mov"])
def test_an_odd_side_grows_by_one_pixel_in_video(tmp_path, name):
    encode(tmp_path / name, [image[:, :62] for image in frames(size_px=65)])
    assert {image.shape for image in read_back(tmp_path / name)} == {(66, 62, 3)}


def described(path):
    """What ffmpeg says of a file."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize(
    ("name", "codec", "shown"),
    [
        ("out.mp4", "h265", "hevc (Main) (hvc1"),
        ("out.mp4", "av1", "av1"),
        ("out.webm", None, "vp9"),
        ("out.mov", None, "prores (HQ)"),
    ],
)
def test_a_codec_is_what_was_asked_for(tmp_path, name, codec, shown):
    if CODECS[codec or "vp9"].encoder not in known_encoders():
        pytest.skip(f"this ffmpeg has no {codec}")
    encode(tmp_path / name, frames(), codec=codec)
    assert shown in described(tmp_path / name)
    assert len(read_back(tmp_path / name)) == 7


def known_encoders():
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-encoders"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_a_codec_that_a_file_cannot_hold_is_refused_with_the_file_that_can(tmp_path):
    with pytest.raises(UserError, match=r"--codec prores does not go into a \.mp4 .*: \.mov"):
        encode(tmp_path / "out.mp4", frames(), codec="prores")


def test_an_encoder_that_is_lacking_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(CODECS, "av1", replace(CODECS["av1"], encoder="libnobody"))
    with pytest.raises(UserError, match=r"has no encoder libnobody. Use --codec h264 or h265"):
        encode(tmp_path / "out.mp4", frames(), codec="av1")


def cut_out(count=5):
    """Frames of which all but the middle is transparent."""
    alpha = np.zeros((SIZE_PX, SIZE_PX, 1), np.uint8)
    alpha[16:48, 16:48] = 255
    return [np.concatenate([image, alpha], -1) for image in frames(count)]


@pytest.mark.parametrize("name", ["out.webm", "out.mov", "out"])
def test_what_is_transparent_stays_so(tmp_path, name):
    encode(tmp_path / name, cut_out())
    source = ["-i", str(tmp_path / name / "0001.png" if name == "out" else tmp_path / name)]
    decoder = ["-c:v", "libvpx-vp9"] if name == "out.webm" else []
    raw = [*decoder, *source, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *raw]
    read = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)
    picture = read.reshape(SIZE_PX, SIZE_PX, 4).astype(int)
    assert picture[20:44, 20:44, 3].min() > 240 and picture[:10, :, 3].max() < 16
    assert np.abs(picture[20:44, 20:44, :3] - cut_out()[0][20:44, 20:44, :3]).mean() < 16


def test_what_is_transparent_is_refused_where_it_would_be_lost(tmp_path):
    with pytest.raises(UserError, match=r"libx264 cannot keep what is transparent; use \.webm"):
        encode(tmp_path / "out.mp4", cut_out())
    assert not list(tmp_path.iterdir())


TITLE, COMMENT = "Zoë & Ada", "alignindex 1.0: person Zoë, years 2000-2020"


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.mov"])
def test_a_video_says_what_it_is(tmp_path, name):
    encode(tmp_path / name, frames(), title=TITLE, comment=COMMENT)
    said = described(tmp_path / name)
    assert TITLE in said and COMMENT in said
    assert str(tmp_path) not in (tmp_path / name).read_bytes().decode(errors="replace")


def test_a_gif_a_webp_and_png_frames_say_what_they_are_and_still_read_back(tmp_path):
    for name in ("out.gif", "out.webp", "out"):
        encode(tmp_path / name, frames(), title=TITLE, comment=COMMENT)
        assert len(read_back(tmp_path / name)) == 7
    with Image.open(tmp_path / "out.gif") as image:
        image.seek(6)
        image.load()
    assert f"{TITLE}\n{COMMENT}".encode() in (tmp_path / "out.gif").read_bytes()
    with Image.open(tmp_path / "out.webp") as image:
        assert COMMENT in image.info["xmp"].decode()
    with Image.open(tmp_path / "out" / "0001.png") as image:
        assert (image.info["Title"], image.info["Comment"]) == (TITLE, COMMENT)


def test_names_of_many_pictures_are_all_of_one_length(tmp_path):
    encode(tmp_path / "out", frames(3), frame_count=100_000)
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["000001.png", "000002.png", "000003.png"]


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
    with pytest.raises(exception), open_animation(tmp_path / name, SMALL) as animation:
        for frame in frames(5):
            animation.write(frame)
        raise exception
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(read_back(tmp_path / name)) == 3


@pytest.mark.parametrize("name", FORMATS)
def test_no_frame_is_an_error_and_no_file(tmp_path, name):
    with pytest.raises(UserError, match="no frames"), open_animation(tmp_path / name, SMALL):
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
        open_animation(tmp_path / "missing" / name, SMALL).__enter__()


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    with pytest.raises(UserError, match=r"\.mp4, \.mov, \.webm, \.gif, \.webp"):
        encode(tmp_path / "out.avi", frames())


@pytest.mark.parametrize(("name", "fps"), [("out.mp4", 0), ("out.mp4", float("nan")), ("out.gif", 60)])
def test_an_impossible_frame_rate_is_refused(tmp_path, name, fps):
    with pytest.raises(UserError, match="frames per second"):
        encode(tmp_path / name, frames(), fps)


@pytest.mark.parametrize("frame", [np.zeros((64, 65, 3), np.uint8), np.zeros((64, 64, 3), np.float32)])
def test_a_frame_of_another_shape_or_type_is_refused(tmp_path, frame):
    with (
        pytest.raises(ValueError, match="expected a frame"),
        open_animation(tmp_path / "out", SMALL) as animation,
    ):
        animation.write(frame)
