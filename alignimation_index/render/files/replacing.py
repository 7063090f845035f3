"""Writing a file or a folder so that it appears when it is complete, and not at all after a failure."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from alignimation_index.errors import UserError, in_words

# Written into every PNG frame, so that a folder of them can be told from a folder of someone's pictures.
SOFTWARE = "alignindex"


@contextmanager
def replacing_file(out: Path) -> Iterator[Path]:
    """Yield an empty hidden file beside `out` that takes its place when the block ends without an exception.

    Raises:
        UserError: the folder cannot be written to.
    """
    partial = _partial_path(out)
    try:
        with failing_as_user_error(out):
            partial.touch(exist_ok=False)
        yield partial
        with failing_as_user_error(out):
            if out.exists():
                shutil.copymode(out, partial)
            sync(partial)
            partial.replace(out)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(out: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside `out` that takes its place when the block ends without an exception.

    Raises:
        UserError: `out` holds anything but frames of an earlier film, or its parent cannot be written to.
    """
    _check_holds_only_frames(out)
    partial = _partial_path(out)
    earlier = partial.with_name(f"{partial.name}-earlier")
    try:
        with failing_as_user_error(out):
            partial.mkdir()
        yield partial
        with failing_as_user_error(out):
            _swap_folder(partial, out, earlier)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def failing_as_user_error(out: Path) -> Iterator[None]:
    """Let what the system will not do be said in words."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{out}: cannot be written: {in_words(error)}; free some space or choose another place"
        ) from error


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


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
    """Raise UserError for a folder with anything that would be lost, were it replaced by a new film."""
    if not folder.is_dir():
        return
    with failing_as_user_error(folder):
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
