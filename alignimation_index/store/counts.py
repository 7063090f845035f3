"""Counting what the store holds, through the standard library's SQLite: `status` answers before SQLAlchemy is imported.

A photo counts while a file that holds it is at hand.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alignimation_index.store import schema
from alignimation_index.store.escape import unescape

_SOME = 3
_AT_HAND = "SELECT photo_id FROM file WHERE photo_id IS NOT NULL AND missing_since_utc IS NULL"


class Counts:
    """Counts of one moment; see `counting`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def roots(self) -> list[str]:
        """Paths of the roots."""
        return [unescape(path) for (path,) in self._connection.execute("SELECT path FROM root ORDER BY path")]

    def files(self) -> int:
        """Photos' files at hand."""
        return self._count("SELECT count(*) FROM file WHERE kind != 'video' AND missing_since_utc IS NULL")

    def missing(self) -> int:
        """Photos' files that are gone."""
        return self._count("SELECT count(*) FROM file WHERE kind != 'video' AND missing_since_utc IS NOT NULL")

    def videos(self) -> int:
        """Videos at hand, which are not indexed."""
        return self._count("SELECT count(*) FROM file WHERE kind = 'video' AND missing_since_utc IS NULL")

    def some_videos(self) -> list[str]:
        """Paths of a few videos at hand, those first that belong to no photo."""
        paths = "SELECT path FROM file WHERE kind = 'video' AND missing_since_utc IS NULL"
        ordered = f"{paths} ORDER BY id IN (SELECT file_id FROM moving_half), path LIMIT {_SOME}"
        return [unescape(path) for (path,) in self._connection.execute(ordered)]

    def raw_not_indexed(self) -> int:
        """RAW files at hand that nothing has read."""
        waiting = "kind = 'raw' AND photo_id IS NULL AND error IS NULL"
        return self._count(f"SELECT count(*) FROM file WHERE {waiting} AND missing_since_utc IS NULL")

    def groups(self) -> dict[str, int]:
        """Groups of variants by their kind; "live" are stills with a moving half, in a group or not."""
        query = "SELECT kind, count(DISTINCT group_id) FROM variant GROUP BY kind ORDER BY kind"
        live = self._count("SELECT count(DISTINCT photo_id) FROM moving_half")
        return {**dict(self._connection.execute(query)), **({"live": live} if live else {})}

    def variants_key(self) -> str | None:
        """The key under which variants were found, if nothing changed since."""
        return self._setting(schema.VARIANTS_SETTING)

    def sidecars(self) -> int:
        """Sidecars at hand that speak of a photo or video."""
        paired = "SELECT sidecar_id FROM pairing"
        return self._count(f"SELECT count(*) FROM sidecar WHERE missing_since_utc IS NULL AND id IN ({paired})")

    def trashed(self) -> int:
        """Photos at hand that are in the bin of an export."""
        return self._count(f"SELECT count(*) FROM photo WHERE trashed AND id IN ({_AT_HAND})")

    def archived(self) -> int:
        """Photos at hand that are in the archive of an export."""
        return self._count(f"SELECT count(*) FROM photo WHERE archived AND id IN ({_AT_HAND})")

    def photos(self) -> int:
        """Photos at hand."""
        return self._count(f"SELECT count(DISTINCT photo_id) FROM ({_AT_HAND})")

    def duplicates(self) -> int:
        """Files beyond the first of each photo."""
        return self._count(f"SELECT count(*) FROM ({_AT_HAND})") - self.photos()

    def errors(self) -> int:
        """Files and sidecars at hand that could not be read, and files on whose photo a stage failed."""
        failed = "SELECT photo_id FROM stage_run WHERE status = 'error' AND stage NOT LIKE '%:%'"
        wrong = f"error IS NOT NULL OR photo_id IN ({failed})"
        files = self._count(f"SELECT count(*) FROM file WHERE missing_since_utc IS NULL AND ({wrong})")
        return files + self._count("SELECT count(*) FROM sidecar WHERE missing_since_utc IS NULL AND error IS NOT NULL")

    def faces(self) -> int:
        """Faces on photos at hand, without those of which it was answered that they are none."""
        denied = "SELECT face_id FROM face_verdict WHERE NOT is_face"
        return self._count(f"SELECT count(*) FROM face WHERE photo_id IN ({_AT_HAND}) AND id NOT IN ({denied})")

    def people(self) -> int:
        """People with a face on a photo at hand."""
        seen = f"SELECT id FROM face WHERE photo_id IN ({_AT_HAND})"
        answered = "SELECT face_id, person_id FROM face_verdict"
        machine = (
            "SELECT face_id, coalesce(goes_by_id, assignment.person_id) AS person_id FROM assignment "
            "LEFT JOIN person_state ON person_state.person_id = assignment.person_id "
            "WHERE face_id NOT IN (SELECT face_id FROM face_verdict)"
        )
        everyone = f"{answered} UNION ALL {machine}"
        return self._count(f"SELECT count(DISTINCT person_id) FROM ({everyone}) WHERE face_id IN ({seen})")

    def bodies(self) -> dict[str, Any] | None:
        """Bodies on photos at hand, those of them without a face, and by which model; None if nobody asked for any."""
        model = self._setting(schema.BODY_MODEL_SETTING)
        if model is None:
            return None
        here = f"SELECT count(*) FROM body WHERE photo_id IN ({_AT_HAND})"
        looked_at = f"SELECT count(*) FROM stage_run WHERE stage = '{schema.BODIES}' AND photo_id IN ({_AT_HAND})"
        return {
            "bodies": self._count(here),
            "without_face": self._count(f"{here} AND face_id IS NULL"),
            "photos": self._count(looked_at),
            "model": model,
            "full_masks": self._setting(schema.BODY_MASKS_SETTING) == "full",
        }

    def embedder(self) -> str | None:
        """The pinned embedder."""
        return self._setting(schema.EMBEDDER_SETTING)

    def embedder_before(self) -> str | None:
        """The embedder that was pinned before, whose embeddings are kept."""
        return self._setting(schema.EMBEDDER_BEFORE_SETTING)

    def reindex(self) -> tuple[str, int] | None:
        """The embedder to which a reindex is under way, and on how many photos at hand it is done."""
        embedder = self._setting(schema.REINDEX_SETTING)
        if embedder is None:
            return None
        done = f"SELECT count(*) FROM stage_run WHERE stage = ? AND photo_id IN ({_AT_HAND})"
        row = self._connection.execute(done, [f"{schema.EMBED}:{embedder}"]).fetchone()
        return embedder, int(row[0])

    def min_face_share(self) -> float | None:
        """The smallest face that is looked for, where a person has chosen it."""
        value = self._setting(schema.MIN_FACE_SETTING)
        return None if value is None else float(value)

    def _setting(self, name: str) -> str | None:
        query = "SELECT value FROM setting WHERE name = ?"
        row = self._connection.execute(query, [name]).fetchone()
        return row and str(row[0])

    def runs(self) -> dict[str, dict[str, int]]:
        """On how many photos at hand each stage has run under each key: stage → key → count."""
        query = f"SELECT stage, key, count(*) FROM stage_run WHERE photo_id IN ({_AT_HAND}) GROUP BY stage, key"
        counted: dict[str, dict[str, int]] = {}
        for stage, key, count in self._connection.execute(query):
            counted.setdefault(stage, {})[key] = count
        return counted

    def key_made_of(self, key: str) -> dict[str, Any]:
        """What a stage key was made of; empty for one that is not registered."""
        row = self._connection.execute("SELECT made_of FROM stage_key WHERE key = ?", [key]).fetchone()
        made_of: dict[str, Any] = json.loads(row[0]) if row else {}
        return made_of

    def _count(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])


@contextmanager
def counting(path: Path) -> Iterator[Counts]:
    """Count in the store at `path`, as of one moment; an older store is upgraded first.

    Raises:
        UserError: there is no store, or it cannot be opened.
    """
    if not _is_current(path):
        from alignimation_index.store.engine import Store

        Store.open(path, create=False).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN")
        yield Counts(connection)


def _is_current(path: Path) -> bool:
    try:
        return path.exists() and schema.revision(path) == schema.HEAD
    except sqlite3.Error:
        return False
