"""How each root is watched: by the system's events where it sends them, else by looking at it now and then."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from alignimation_index.errors import in_words
from alignimation_index.library.file_systems import remote_file_system
from alignimation_index.library.folder_watch import FolderWatch, OpenObserver
from alignimation_index.pipeline.changes import Changes

POLLING, MISSING = "polling", "missing"

_Identity = tuple[int, int]

_REMEDIES = {
    errno.ENOSPC: "there are more folders than the system watches. Raise the limit, for good with"
    " `echo fs.inotify.max_user_watches=1048576 | sudo tee /etc/sysctl.d/40-inotify.conf && sudo sysctl --system`",
    errno.EMFILE: "other programs use up all that the system allows. Raise the limit, for good with"
    " `echo fs.inotify.max_user_instances=1024 | sudo tee /etc/sysctl.d/40-inotify.conf && sudo sysctl --system`",
}


@dataclass
class WatchedRoots:
    """Keeps watches on the roots that are there, and notes the others as changed whenever it looks after them.

    Attributes:
        changes: where they are noted.
        tell: given lines for the user.
        open_observer: makes watchdog's observers.
        modes: the mode of each root: that of the system's watch, POLLING or MISSING.
    """

    changes: Changes
    tell: Callable[[str], None]
    open_observer: OpenObserver
    modes: dict[str, str] = field(default_factory=dict)
    _watch: FolderWatch | None = None
    _identities: dict[str, _Identity | None] = field(default_factory=dict)

    def look_after(self, roots: Collection[str]) -> None:
        """Watch roots that are new, back, or others than before under the same path; note those polled as changed."""
        for root in self.modes.keys() - roots:
            self._forget(root)
        for root in roots:
            identity = _identity(root)
            if root not in self._identities or self._identities[root] != identity:
                self._identities[root] = identity
                self._add(root)
                self.changes.note(root, tree=True)
            elif self.modes[root] == POLLING:
                self.changes.note(root, tree=True, at_once=True)

    def watch_anew(self) -> None:
        """Have every root watched anew when they are looked after, with folders that were missed before."""
        self.close()
        self._identities.clear()

    def close(self) -> None:
        """Watch nothing any more."""
        if self._watch:
            self._watch.close()
            self._watch = None

    def _add(self, root: str) -> None:
        mode, why = self._watched(root)
        if mode != self.modes.get(root):
            self.modes = {**self.modes, root: mode}
            self.tell(f"Watching {root} ({mode}{why and ': '}{why})")

    def _watched(self, root: str) -> tuple[str, str]:
        """Watch a root; the mode, and why it is no other."""
        if self._watch:
            self._watch.remove_tree(root)
        if not Path(root).is_dir():
            return (POLLING, "it is a file") if Path(root).exists() else (MISSING, "it is not there")
        if kind := remote_file_system(root):
            return POLLING, f"its file system, {kind}, does not tell what others change on it"
        try:
            if self._watch is None:
                told = (self.changes.count_event, self.changes.count_loss, self.changes.note)
                self._watch = FolderWatch(*told, self.open_observer)
            self._watch.add_tree(root)
        except OSError as error:
            return POLLING, _REMEDIES.get(error.errno or 0, in_words(error))
        return self._watch.name, ""

    def _forget(self, root: str) -> None:
        self._identities.pop(root, None)
        self.modes = {one: mode for one, mode in self.modes.items() if one != root}
        if self._watch:
            self._watch.remove_tree(root)


def _identity(root: str) -> _Identity | None:
    """What tells a folder from another under the same path, such as the one that a drive is mounted on."""
    try:
        status = Path(root).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
