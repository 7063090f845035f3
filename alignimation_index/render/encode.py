"""Frames to a file that plays: MP4, GIF or WebP, or a folder of PNG pictures.

Frames are encoded as they come, so memory does not grow with the length of the animation. Nothing appears at the
destination before everything has been written.
"""

from __future__ import annotations

import math
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO

import imageio.v3 as imageio
import imageio_ffmpeg
import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from alignimation_index.datatypes import Pixels
from alignimation_index.errors import UserError, in_words

PutFrame = Callable[[Pixels], None]
Size = tuple[int, int]
"""Width and height in pixels."""
OpenFrames = Callable[[Path, float, Size], AbstractContextManager[PutFrame]]

# Written into every PNG frame, so that a folder of them can be told from a folder of someone's pictures.
SOFTWARE = "alignindex"

# Browsers play a GIF frame of less than 2/100 s as one of 10/100 s.
GIF_MAX_FPS = 50

FFMPEG_ARGUMENTS = {
    # Players take HD video for BT.709 whatever it says, so it is converted to that and says so.
    ".mp4": [
        "-vf",
        "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709",
        *("-codec:v", "libx264", "-crf", "18", "-movflags", "+faststart"),
    ],
    # A palette of each frame's own: one for all would need every frame in memory first.
    ".gif": ["-lavfi", "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1", "-loop", "0"],
    ".webp": ["-codec:v", "libwebp_anim", "-quality", "85", "-loop", "0"],
}


class Animation:
    """An animation that is being written; see `open_animation`.

    Attributes:
        frame_count: frames written so far.
    """

    def __init__(self, size: Size, put: PutFrame) -> None:
        self.frame_count = 0
        self._shape = (size[1], size[0], 3)
        self._put = put

    def write(self, frame: Pixels) -> None:
        """Append a frame.

        Args:
            frame: (height, width, 3) uint8 RGB.

        Raises:
            ValueError: another shape or dtype.
            UserError: the encoder failed; the message has its reason.
        """
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"expected a frame of {self._shape} uint8, got {frame.shape} {frame.dtype}")
        self._put(frame)
        self.frame_count += 1


@contextmanager
def open_animation(out: Path, fps: float, size: Size) -> Iterator[Animation]:
    """Write frames to `out`, which appears, or is replaced, when the block ends without an exception.

    The suffix says the format: .mp4 (H.264; an odd size grows by one pixel, a copy of the last row and column), .gif,
    .webp (both loop forever). An existing folder or a name without suffix makes a folder of pictures 0001.png, ….
    After any exception, KeyboardInterrupt included, `out` is as it was before and nothing else is left.

    Args:
        out: file or folder; its parent has to exist.
        fps: frames per second; a folder of pictures has none to keep.
        size: width and height of the frames.

    Yields:
        The Animation to write frames to.

    Raises:
        UserError: unknown suffix, unsuitable folder, impossible fps, no frame written, or the encoder failed.
    """
    out = out.absolute()
    replacing, open_frames = _format_of(out)
    _check_rate(out, fps)
    with replacing(out) as partial, open_frames(partial, fps, size) as put:
        animation = Animation(size, put)
        yield animation
        if not animation.frame_count:
            raise UserError(f"{out}: there are no frames to write; widen the query")


@contextmanager
def replacing_file(out: Path) -> Iterator[Path]:
    """Yield an empty hidden file beside `out` that takes its place when the block ends without an exception.

    Raises:
        UserError: the folder cannot be written to.
    """
    partial = _partial_path(out)
    try:
        with _failing_as_user_error(out):
            partial.touch(exist_ok=False)
        yield partial
        with _failing_as_user_error(out):
            if out.exists():
                shutil.copymode(out, partial)
            _sync(partial)
            partial.replace(out)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(out: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside `out` that takes its place when the block ends without an exception.

    Raises:
        UserError: `out` holds anything but frames of an earlier animation, or its parent cannot be written to.
    """
    _check_holds_only_frames(out)
    partial = _partial_path(out)
    earlier = partial.with_name(f"{partial.name}-earlier")
    try:
        with _failing_as_user_error(out):
            partial.mkdir()
        yield partial
        with _failing_as_user_error(out):
            _swap_folder(partial, out, earlier)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _format_of(out: Path) -> tuple[Callable[[Path], AbstractContextManager[Path]], OpenFrames]:
    suffix = out.suffix.lower()
    if out.is_dir() or not suffix:
        return replacing_folder, _png_frames
    if suffix in FFMPEG_ARGUMENTS:
        return replacing_file, _ffmpeg_frames
    if suffix == ".png":
        raise UserError(f"{out}: one PNG holds one frame; for a folder of them leave the suffix off: {out.stem}")
    known = ", ".join(FFMPEG_ARGUMENTS)
    raise UserError(f"{out}: no animation format {suffix}; use one of {known}, or no suffix for a folder of PNG frames")


def _check_rate(out: Path, fps: float) -> None:
    limit = GIF_MAX_FPS if out.suffix.lower() == ".gif" and not out.is_dir() else 1000
    if not (math.isfinite(fps) and 0 < fps <= limit):
        raise UserError(f"{out}: cannot play {fps:g} frames per second; choose more than 0 and at most {limit}")


@contextmanager
def _png_frames(folder: Path, fps: float, size: Size) -> Iterator[PutFrame]:  # noqa: ARG001
    count = 0
    mark = PngInfo()
    mark.add_text("Software", SOFTWARE)

    def put(frame: Pixels) -> None:
        nonlocal count
        count += 1
        path = folder / f"{count:04}.png"
        with _failing_as_user_error(folder.parent):
            # A third of the time of Pillow's default level 6, for 9 % more bytes.
            imageio.imwrite(path, frame, plugin="pillow", pnginfo=mark, compress_level=3)
            _sync(path)

    yield put


@contextmanager
def _ffmpeg_frames(path: Path, fps: float, size: Size) -> Iterator[PutFrame]:
    """Run imageio-ffmpeg's program on frames from its standard input.

    Not through imageio's own writer, which drops the exit status: a disk that filled up would pass for success.
    """
    grow_x, grow_y = (side % 2 if path.suffix.lower() == ".mp4" else 0 for side in size)
    with tempfile.TemporaryFile() as log:
        process = _start_ffmpeg(path, fps, (size[0] + grow_x, size[1] + grow_y), log.fileno())

        def put(frame: Pixels) -> None:
            grown = np.pad(frame, ((0, grow_y), (0, grow_x), (0, 0)), mode="edge")
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


def _start_ffmpeg(path: Path, fps: float, size: Size, log: int) -> subprocess.Popen[bytes]:
    with _failing_as_user_error(path.parent):
        try:
            program = imageio_ffmpeg.get_ffmpeg_exe()
        except RuntimeError as error:
            raise UserError("ffmpeg is missing; install it, or reinstall the package imageio-ffmpeg") from error
        rate = str(Fraction(fps).limit_denominator(1001))
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-framerate", rate, "-i", "-"]
        target = [*FFMPEG_ARGUMENTS[path.suffix.lower()], f"file:{path}"]
        # In a session of its own, Ctrl-C reaches only this process, which then stops ffmpeg itself.
        return subprocess.Popen(
            [program, "-v", "error", "-y", *source, *target],
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


def _partial_path(out: Path) -> Path:
    return out.with_name(f".{SOFTWARE}-{secrets.token_hex(4)}{out.suffix}")


def _swap_folder(partial: Path, out: Path, earlier: Path) -> None:
    """Put `partial` in the place of `out`, which may exist; on failure `out` is as before."""
    if not out.exists():
        partial.rename(out)
        return
    shutil.copymode(out, partial)
    out.rename(earlier)
    try:
        partial.rename(out)
    except BaseException:
        earlier.rename(out)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _check_holds_only_frames(folder: Path) -> None:
    """Raise UserError for a folder with anything that would be lost, were it replaced by a new animation."""
    if not folder.is_dir():
        return
    with _failing_as_user_error(folder):
        for path in folder.iterdir():
            if not _is_own_frame(path):
                raise UserError(f"{folder}: holds {path.name}, which is no frame of {SOFTWARE}'s; name another folder")


def _is_own_frame(path: Path) -> bool:
    if path.suffix != ".png" or not path.stem.isdigit():
        return False
    try:
        with Image.open(path) as image:
            return bool(image.info.get("Software") == SOFTWARE)
    except (UnidentifiedImageError, SyntaxError):
        return False


@contextmanager
def _failing_as_user_error(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{out}: cannot be written: {in_words(error)}; free some space or choose another place"
        ) from error


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
