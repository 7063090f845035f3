"""How a long run tells what it is at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from alignimation_index.pipeline.profile import Profile

Progress = Callable[[str, int, int | None], None]
"""Called with the phase, how many are done, and how many there are (None while that is not known)."""


@dataclass
class UpdateReport:
    """What an update did.

    Attributes:
        files_seen: pictures found in the roots that could be read.
        files_changed: of those, new, changed or back since the last run.
        files_moved: of those, found before under another path.
        files_missing: gone since the last run.
        videos_seen: videos found in the roots; they are not indexed.
        sidecars_read: files that speak of photos, new or changed, that were read.
        sidecars_missing: those gone since the last run.
        photos_computed: photos on which at least one stage ran.
        photos_failed: of those, photos on which one failed.
        faces_found: faces detected on them.
        problems: lines on roots and folders that could not be read.
        seconds: how long it took, on the clock.
        profile: where the time went.
    """

    files_seen: int = 0
    files_changed: int = 0
    files_moved: int = 0
    files_missing: int = 0
    videos_seen: int = 0
    sidecars_read: int = 0
    sidecars_missing: int = 0
    photos_computed: int = 0
    photos_failed: int = 0
    faces_found: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    profile: Profile = field(default_factory=Profile)

    @property
    def found_changes(self) -> bool:
        """Whether there is anything to compute."""
        files = self.files_changed + self.files_moved + self.files_missing
        return files + self.sidecars_read + self.sidecars_missing > 0
