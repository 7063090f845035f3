"""The stage that resolves what is known of each photo from all that speaks of it."""

from __future__ import annotations

from datetime import datetime

from alignimation_index.library.describe import Description, PhotoFile, describe
from alignimation_index.library.sidecars.files import facts_from_json, sidecar_from_json
from alignimation_index.pipeline.flow import batches
from alignimation_index.pipeline.progress import Progress
from alignimation_index.pipeline.stages import DESCRIBE
from alignimation_index.stages.stage import Key
from alignimation_index.store import descriptions, runs
from alignimation_index.store.descriptions import DescriptionRows, Sources
from alignimation_index.store.engine import Store

PHOTOS_PER_COMMIT = 500


def describe_photos(store: Store, key: Key, progress: Progress = lambda *_: None) -> int:
    """Describe the photos of which something changed; how many these were.

    What is read and what is written of a photo is one transaction, so that no change goes unnoticed between the two.
    """
    with store.reading() as session:
        stale = runs.stale_photo_ids(session, [key.key])
    done = 0
    for batch in batches(stale, PHOTOS_PER_COMMIT):
        with store.writing() as session:
            sources = descriptions.sources(session, batch)
            found = {id_: _rows(describe_sources(about)) for id_, about in sources.items() if about.files}
            descriptions.store_descriptions(session, found)
            runs.register_key(session, key.key, DESCRIBE, key.made_of)
            runs.record_runs(session, [runs.Run(id_, DESCRIBE, key.key) for id_ in found])
        done += len(batch)
        progress("describe", done, len(stale))
    return done


def describe_sources(sources: Sources) -> Description:
    """Resolve what is known of a photo from the rows that speak of it."""
    files = [
        PhotoFile(
            file.path,
            file.mtime_ns,
            file.in_export,
            tuple(sidecar_from_json(kind, content) for kind, content in file.sidecars),
        )
        for file in sources.files
    ]
    facts = facts_from_json(sources.facts) if sources.facts else None
    answered = datetime.fromisoformat(sources.answered_date) if sources.answered_date else None
    return describe(facts, files, answered)


def _rows(found: Description) -> DescriptionRows:
    latitude_deg, longitude_deg = found.position or (None, None)
    columns = {
        "taken_at": found.date and found.date.taken_at,
        "taken_at_source": found.date and found.date.source,
        "utc_offset": found.date and found.date.utc_offset,
        "latitude_deg": latitude_deg,
        "longitude_deg": longitude_deg,
        "rating": found.rating,
        "favourite": found.favourite,
        "archived": found.archived,
        "trashed": found.trashed,
    }
    regions = [(region.name, region.box, region.source) for region in found.regions]
    return DescriptionRows(columns, found.albums, found.google_people, regions)
