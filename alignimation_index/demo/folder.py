"""The folder that the demo writes into: told from other folders by a list of what the demo put there."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alignimation_index.errors import UserError, in_words

MARKER = ".alignindex-demo"
STORE = "store.db"


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where things are in a demo's folder.

    Attributes:
        path: absolute.
    """

    path: Path

    @property
    def photos(self) -> Path:
        """The folder that is indexed."""
        return self.path / "photos"

    @property
    def store(self) -> Path:
        """The index."""
        return self.path / STORE

    @property
    def video(self) -> Path:
        """All registered frames, in the order of time."""
        return self.path / "aligned.mp4"

    @property
    def gif(self) -> Path:
        """Some of the registered frames, smaller."""
        return self.path / "aligned.gif"

    @property
    def before_after(self) -> Path:
        """The mean of the photos as they are, beside the mean of the registered frames."""
        return self.path / "before_after.png"

    def prepare(self, photos: Iterable[Path]) -> None:
        """Make the folder, or take out of it what an earlier demo made, and note what this one is going to make.

        Files that no demo made stay where they are.

        Args:
            photos: absolute paths of the photos to be made.

        Raises:
            UserError: the folder holds something else than a demo, or it cannot be written to.
        """
        made = [path.relative_to(self.path) for path in (*photos, self.video, self.gif, self.before_after)]
        try:
            self._remove_earlier()
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / MARKER).write_text("".join(f"{path.as_posix()}\n" for path in made), encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"Cannot write to {self.path}: {in_words(error)}. Choose another folder: alignindex demo -o DIR"
            ) from error

    def _remove_earlier(self) -> None:
        if not self.path.exists() or not any(self.path.iterdir()):
            return
        marker = self.path / MARKER
        if not marker.is_file():
            raise UserError(f"{self.path} holds files that no demo made. Choose a new folder: alignindex demo -o DIR")
        made = [self.path / line for line in marker.read_text(encoding="utf-8").splitlines()]
        for path in (*made, *self.path.glob(f"{STORE}*")):
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in made} - {self.path}:
            with suppress(OSError):  # something of the user's is in it
                folder.rmdir()
