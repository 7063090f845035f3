"""What is asked of a photo to find its variants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from alignimation_index.library.formats import CAMERA_RAW, extension

_SAME_MOMENT = timedelta(seconds=10)
_SOURCES_TO_THE_SECOND = ("exif", "sidecar", "xmp", "name")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A photo at hand.

    Attributes:
        photo_id: of its row.
        content_hash: what photos are ordered by where nothing else decides, so that no order of coming does.
        files: (folder, name) of those that hold it.
        fingerprint: see stages.fingerprint; None for a photo without any.
        taken_at: by the wall clock, or None.
        taken_at_source: see library.dates.
        camera: make and model, or None.
        width_px: of the upright photo, or None where it could not be read; as is the next.
        height_px: see width_px.
        quality: of its best face, 0..1; 0 without any.
    """

    photo_id: int
    content_hash: str
    files: tuple[tuple[str, str], ...]
    fingerprint: bytes | None = None
    taken_at: datetime | None = None
    taken_at_source: str | None = None
    camera: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    quality: float = 0

    @property
    def pixels(self) -> int:
        """How many pixels it has."""
        return (self.width_px or 0) * (self.height_px or 0)

    @property
    def shorter_side(self) -> int:
        """In pixels."""
        return min(self.width_px or 0, self.height_px or 0)

    @property
    def aspect(self) -> float | None:
        """Width by height."""
        return self.width_px / self.height_px if self.width_px and self.height_px else None

    @property
    def is_raw(self) -> bool:
        """Whether its files are RAW files."""
        return all(extension(name) in CAMERA_RAW for _, name in self.files)

    @property
    def has_moment(self) -> bool:
        """Whether the second is known in which it was taken; midnight stands for a day."""
        if self.taken_at is None or self.taken_at_source not in _SOURCES_TO_THE_SECOND:
            return False
        return self.taken_at_source == "exif" or self.taken_at.time() != time(0)

    def is_of_another_moment(self, other: Candidate) -> bool:
        """Whether the cameras dated the two differently."""
        if self.taken_at is None or other.taken_at is None:
            return False
        if not self.taken_at_source == other.taken_at_source == "exif":
            return False
        return abs(self.taken_at - other.taken_at) > _SAME_MOMENT
