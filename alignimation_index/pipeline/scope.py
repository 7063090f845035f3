"""Which parts of the roots a scan looks at."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignimation_index.found_files import Listed
from alignimation_index.library.archive import split_member
from alignimation_index.library.scan import OnError, walk, walk_part
from alignimation_index.paths import is_below


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of a root: the files directly in it, or with `deep` all that is below it as well.

    `whole` is a root with all there is: only then are links followed.
    """

    folder: str
    deep: bool = True
    whole: bool = False

    def walk(self, on_error: OnError) -> Iterator[Sequence[Listed]]:
        """The files there, see `library.scan`."""
        return walk(Path(self.folder), on_error) if self.whole else walk_part(self.folder, on_error, deep=self.deep)

    def holds(self, path: str) -> bool:
        """Whether a file below the folder, or a member of an archive there, belongs to the part."""
        return self.deep or os.path.dirname(file_of(path)) == self.folder  # noqa: PTH120 - for many paths


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scan looks at.

    Attributes:
        folders: folders whose own files are looked at; None for everything there is.
        trees: folders looked at with all that is below them; a root among them is looked at as a whole.
        is_settled: whether a file, or an archive, is as it will stay; others are left out, and what is known of them
            stays.
    """

    folders: frozenset[str] | None = None
    trees: frozenset[str] = frozenset()
    is_settled: Callable[[str], bool] = lambda _: True

    @property
    def is_everything(self) -> bool:
        """Whether all roots are looked at as a whole."""
        return self.folders is None

    def parts(self, root: str) -> Iterator[Part]:
        """The parts of a root to look at, none of them twice."""
        if self.folders is None or is_below_any(root, self.trees) or not Path(root).is_dir():
            yield Part(root, whole=True)
            return
        trees: list[str] = []
        for tree in sorted(self.trees):
            if is_below(tree, root) and not is_below_any(tree, trees):
                trees.append(tree)
                yield Part(tree)
        for folder in sorted(self.folders):
            if is_below(folder, root) and not is_below_any(folder, trees):
                yield Part(folder, deep=False)


EVERYTHING = Scope()


def file_of(path: str) -> str:
    """The file at a path, or the archive that holds it."""
    archive, _ = split_member(path) or (path, "")
    return archive


def is_below_any(path: str, tops: Collection[str]) -> bool:
    """Whether a path is one of `tops`, or lies in one."""
    return any(is_below(path, top) for top in tops)
