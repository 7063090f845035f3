"""Files of every odd kind in one library: each is a photo or an error with its reason, and the run goes on."""

import os
import struct
import sys
import zlib
from pathlib import Path

import pytest
from fakes import draw_photo, frames, index
from PIL import Image
from sqlalchemy import select

from alignimation_index.pipeline.stages import STAGES
from alignimation_index.pipeline.status import store_status
from alignimation_index.store import runs
from alignimation_index.store.tables import File

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="names, links and limits of Linux")


def errors(store):
    with store.reading() as session:
        return {os.path.basename(path): reason for path, _, reason in runs.errors(session, STAGES)}  # noqa: PTH119


def names(store):
    return sorted(os.path.basename(frame.path) for frame in frames(store))  # noqa: PTH119


def computes_nothing(store, fakes):
    looked = dict(fakes.images)
    report = index(store, fakes)
    return (report.files_changed, report.photos_computed, fakes.images) == (0, 0, looked)


def save_with_red_face(path, mode, **options):
    """A photo with a face, stored in another mode."""
    drawn = Image.open(draw_photo(path.with_suffix(".bmp"), "red"))
    drawn.convert(mode).save(path, **options)
    path.with_suffix(".bmp").unlink()


def save_bomb(path):
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT")


def test_pictures_of_odd_modes_are_photos_like_any_other(store, fakes, photos):
    save_with_red_face(photos / "cmyk.jpg", "CMYK", quality=95)
    save_with_red_face(photos / "palette.png", "P", transparency=255)
    save_with_red_face(photos / "transparent.webp", "RGBA", lossless=True)
    save_with_red_face(photos / "animated.gif", "RGB", save_all=True, append_images=[Image.new("RGB", (160, 120))])
    save_with_red_face(photos / "really a png.jpg", "RGB", format="PNG")
    save_with_red_face(photos / "really a jpeg.heic", "RGB", format="JPEG", quality=95)
    Image.new("I;16", (160, 120), 40_000).save(photos / "sixteen bits.png")
    report = index(store, fakes, photos)
    assert errors(store) == {}
    assert report.photos_computed == 7
    assert names(store) == sorted({path.name for path in photos.iterdir()} - {"sixteen bits.png"})
    assert computes_nothing(store, fakes)


@linux_only
def test_what_cannot_be_decoded_is_an_error_with_its_reason(store, fakes, photos):
    draw_photo(photos / "good.jpg", "red")
    (photos / "empty.jpg").touch()
    save_bomb(photos / "bomb.png")
    (photos / "unreadable.jpg").symlink_to("/proc/self/mem")  # whoever reads it
    (photos / "loop.jpg").symlink_to("loop.jpg")
    (photos / "loop").symlink_to(photos)
    (photos / "movie.jpg").write_bytes(b"\0\0\0\x20ftypisom\0\0")
    report = index(store, fakes, photos)
    assert names(store) == ["good.jpg"]
    found = errors(store)
    assert found.pop("bomb.png").startswith("decompression bomb: Image size (3600000000 pixels)")
    assert found == {
        "empty.jpg": "the file is empty",
        "movie.jpg": "not a picture in a supported format: the content is a video",
        "unreadable.jpg": "Input/output error",
    }
    (loop,) = report.problems
    assert loop.startswith(f"{photos / 'loop.jpg'}: Too many levels of symbolic links")


ODD_NAMES = [
    b"new\nline",
    b"tab\t",
    b"'single' \"double\"",
    b"\xff\xfe bytes",
    "👩‍👩‍👧 ünï".encode(),
    b"%s {} \\ ;--",
    b" ",
]


@linux_only
def test_names_of_any_bytes_are_kept_as_they_are(store, fakes, photos):
    for shade, name in enumerate(ODD_NAMES):
        draw_photo(photos / os.fsdecode(name + b" folder") / os.fsdecode(name + b".jpg"), "red", shade=90 + shade)
    index(store, fakes, photos)
    assert errors(store) == {}
    assert sorted(map(os.fsencode, names(store))) == sorted(name + b".jpg" for name in ODD_NAMES)
    assert all(Path(frame.path).exists() for frame in frames(store))
    assert computes_nothing(store, fakes)
    assert index(store, fakes).files_changed == 0


@linux_only
@pytest.mark.parametrize(("begin", "too_long"), [(200, 1), (325, 2)], ids=["folder", "folder and file"])
def test_a_tree_deeper_than_paths_may_be_long_is_reported_and_the_run_goes_on(
    store, fakes, photos, monkeypatch, begin, too_long
):
    photos /= "p" * (begin - len(os.fsencode(photos)) - 1)
    photos.mkdir()
    draw_photo(photos / "z.jpg", "red")
    monkeypatch.chdir(photos)
    for depth in range(20):
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
        draw_photo(Path("here.jpg"), "blue", shade=80 + depth)
    monkeypatch.undo()
    report = index(store, fakes, photos)
    with store.reading() as session:
        longest = max(len(os.fsencode(path)) for path in session.scalars(select(File.path)))
    assert 3500 < longest < 4096
    assert errors(store) == {}
    assert len(report.problems) == too_long
    assert all(problem.endswith(": File name too long. What it held is kept as it was.") for problem in report.problems)
    assert report.photos_computed == store_status(store.path)["photos"] > 14
    assert computes_nothing(store, fakes)
