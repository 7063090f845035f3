"""Pictures to a film that plays, or to a folder of PNG pictures.

They are encoded as they come, so memory does not grow with the length of the film. Nothing appears at the destination
before everything has been written.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from alignimation_index.datatypes import Pixels
from alignimation_index.errors import UserError
from alignimation_index.render.files.codecs import CONTAINERS, arguments_of, codec_of, ffmpeg
from alignimation_index.render.files.comments import add_comment
from alignimation_index.render.files.replacing import (
    SOFTWARE,
    failing_as_user_error,
    replacing_file,
    replacing_folder,
    sync,
)

PutFrame = Callable[[Pixels], None]
OpenFrames = Callable[[Path], AbstractContextManager[PutFrame]]

# Browsers play a GIF frame of less than 2/100 s as one of 10/100 s.
GIF_MAX_FPS = 50
# Of a PNG frame: a third of the time of Pillow's default level 6, for 9 % more bytes.
COMPRESS_LEVEL = 3


@dataclass(frozen=True, slots=True)
class FilmFormat:
    """What the pictures of a film are like, and what is said in its file.

    Attributes:
        fps: pictures per second; a folder of pictures has none to keep.
        width_px: of every picture.
        height_px: of every picture.
        has_alpha: whether they are RGBA.
        codec: one that the suffix allows, see `codecs.CONTAINERS`; None for the usual one.
        title: of the film, for players to show.
        comment: what made it, and of what.
        frame_count: how many are expected, for names of one length in a folder.
    """

    fps: float
    width_px: int
    height_px: int
    has_alpha: bool = False
    codec: str | None = None
    title: str = ""
    comment: str = ""
    frame_count: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the array of a picture."""
        return self.height_px, self.width_px, 4 if self.has_alpha else 3


class Animation:
    """A film that is being written; see `open_animation`.

    Attributes:
        frame_count: pictures written so far.
    """

    def __init__(self, shape: tuple[int, int, int], put: PutFrame) -> None:
        self.frame_count = 0
        self._shape = shape
        self._put = put

    def write(self, frame: Pixels) -> None:
        """Append a picture.

        Args:
            frame: (height_px, width_px, 3) uint8 RGB, or 4 with alpha, as the format says.

        Raises:
            ValueError: another shape or dtype.
            UserError: the encoder failed; the message has its reason.
        """
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"expected a frame of {self._shape} uint8, got {frame.shape} {frame.dtype}")
        self._put(frame)
        self.frame_count += 1


@contextmanager
def open_animation(out: Path, film: FilmFormat) -> Iterator[Animation]:
    """Write pictures to `out`, which appears, or is replaced, when the block ends without an exception.

    The suffix says the format, see `codecs.CONTAINERS`; .gif and .webp loop forever, and the others have even sides: an
    odd one grows by a copy of the last row or column. An existing folder or a name without suffix makes a folder of
    pictures 0001.png, …. After any exception, KeyboardInterrupt included, `out` is as it was before and nothing else is
    left.

    Args:
        out: file or folder; its parent has to exist.
        film: its format.

    Yields:
        The Animation to write pictures to.

    Raises:
        UserError: unknown suffix or codec, unsuitable folder, impossible fps, nothing written, or the encoder failed.
    """
    out = out.absolute()
    replacing, open_frames = (replacing_folder if is_folder(out) else replacing_file), _opener(out, film)
    with replacing(out) as partial, open_frames(partial) as put:
        animation = Animation(film.shape, put)
        yield animation
        if not animation.frame_count:
            raise UserError(f"{out}: there are no frames to write; widen the query")


def is_folder(out: Path) -> bool:
    """Whether a film of this name is a folder of pictures."""
    return out.is_dir() or not out.suffix


def _opener(out: Path, film: FilmFormat) -> OpenFrames:
    suffix = out.suffix.lower()
    if not is_folder(out) and suffix not in CONTAINERS:
        known = ", ".join(CONTAINERS)
        raise UserError(f"{out}: no film format {suffix}; use one of {known}, or no suffix for a folder of PNG frames")
    limit = GIF_MAX_FPS if suffix == ".gif" and not is_folder(out) else 1000
    if not (math.isfinite(film.fps) and 0 < film.fps <= limit):
        raise UserError(f"{out}: cannot play {film.fps:g} frames per second; choose more than 0 and at most {limit}")
    if is_folder(out):
        return lambda folder: _png_frames(folder, film)
    arguments = arguments_of(codec_of(suffix, film.codec), film.has_alpha)
    return lambda path: _ffmpeg_frames(path, film, arguments)


@contextmanager
def _png_frames(folder: Path, film: FilmFormat) -> Iterator[PutFrame]:
    count = 0
    digits = max(4, len(str(film.frame_count)))
    said = PngInfo()
    for key, text in {"Software": SOFTWARE, "Title": film.title, "Comment": film.comment}.items():
        if text:
            said.add_itxt(key, text) if not text.isascii() else said.add_text(key, text)

    def put(frame: Pixels) -> None:
        nonlocal count
        count += 1
        path = folder / f"{count:0{digits}}.png"
        with failing_as_user_error(folder.parent):
            Image.fromarray(frame).save(path, pnginfo=said, compress_level=COMPRESS_LEVEL)
            sync(path)

    yield put


@contextmanager
def _ffmpeg_frames(path: Path, film: FilmFormat, arguments: list[str]) -> Iterator[PutFrame]:
    """Run ffmpeg on frames from its standard input.

    Not through imageio's own writer, which drops the exit status: a disk that filled up would pass for success.
    """
    even = path.suffix.lower() not in (".gif", ".webp")
    grow = ((0, film.height_px % 2 * even), (0, film.width_px % 2 * even), (0, 0))
    with tempfile.TemporaryFile() as log:
        process = _start_ffmpeg(path, film, (film.width_px + grow[1][1], film.height_px + grow[0][1]), arguments, log)

        def put(frame: Pixels) -> None:
            grown = np.ascontiguousarray(np.pad(frame, grow, mode="edge") if np.any(grow) else frame)
            try:
                process.stdin.write(grown.data)  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
            except OSError:
                raise _ffmpeg_failure(path, process.wait(), log) from None

        try:
            yield put
            process.communicate()
        finally:
            _stop(process)
        if process.returncode:
            raise _ffmpeg_failure(path, process.returncode, log)
    with failing_as_user_error(path.parent):
        add_comment(path, film.title, film.comment)


def _start_ffmpeg(
    path: Path, film: FilmFormat, size: tuple[int, int], arguments: list[str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    rate = str(Fraction(film.fps).limit_denominator(1001))
    pixels = "rgba" if film.has_alpha else "rgb24"
    source = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{size[0]}x{size[1]}", "-framerate", rate, "-i", "-"]
    said = ["-metadata", f"title={film.title}", "-metadata", f"comment={film.comment}"]
    with failing_as_user_error(path.parent):
        # In a session of its own, Ctrl-C reaches only this process, which then stops ffmpeg itself.
        return subprocess.Popen(
            [ffmpeg(), "-v", "error", "-y", *source, *arguments, *said, f"file:{path}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Make sure that ffmpeg is gone; nothing happens to one that has ended."""
    process.kill()
    with suppress(OSError):
        process.communicate()
    process.wait()


def _ffmpeg_failure(path: Path, status: int, log: IO[bytes]) -> UserError:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    reason = lines[-1] if lines else f"ffmpeg stopped with status {status}"
    return UserError(
        f"{path.parent}: the animation could not be written: {reason}; check for free space or try another format"
    )
