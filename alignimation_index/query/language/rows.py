"""What conditions are asked of: faces, or photos with or without faces."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy.orm import aliased

from alignimation_index.store.listed_tables import ListedFace, ListedPhoto

_INDEXED = ("moment", "face_id", "photo_id", "person_id")


class PhotoRow:
    """A photo, whoever is on it: `photo` has the columns of AboutPhoto."""

    def __init__(self) -> None:
        self.photo: Any = ListedPhoto


class FaceRow:
    """A face with its photo: `face` has the columns of ListedFace, those of its photo among them."""

    def __init__(self, *, another: bool = False, found: bool = False) -> None:
        """`another` face than the one that is listed; `found` otherwise: not looked up by what is asked of it."""
        self.face: Any = aliased(ListedFace) if another else ListedFace
        if found:
            columns = {name: getattr(self.face, name) for name in ListedFace.__table__.columns.keys()}  # noqa: SIM118
            self.face = SimpleNamespace(**{**columns, **{name: columns[name] + 0 for name in _INDEXED}})

    @property
    def photo(self) -> Any:  # noqa: ANN401 - columns of AboutPhoto
        """What is asked of photos."""
        return self.face


Row = FaceRow | PhotoRow
