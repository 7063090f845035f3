"""The one run behind `update` (and whatever else wants the index brought up to date)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeVar

from alignimation_index.datatypes import FoundFile
from alignimation_index.errors import in_words
from alignimation_index.library.scan import content_hash, read_unchanged
from alignimation_index.models.faces import FaceModels, FaceModelSource
from alignimation_index.pipeline.people import assign_people
from alignimation_index.pipeline.photos import Work, analyse, known_results, needs_bytes, store_results
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.scan import scan
from alignimation_index.pipeline.stages import DETECT, PHOTO_STAGES, stage_keys
from alignimation_index.stages.stage import Key
from alignimation_index.store import faces, files, runs
from alignimation_index.store.engine import Store

# Few enough that their bytes and pixels fit into memory, and that an interruption costs little.
PHOTOS_PER_BATCH = 8
# Stages that read only rows go through many photos at a time.
ROWS_PER_BATCH = 1000

T = TypeVar("T")


def update(
    store: Store,
    models: FaceModelSource,
    progress: Progress,
    on_wait: Callable[[], None] = lambda: None,
    workers: int | None = None,
) -> UpdateReport:
    """Bring the index up to date with the roots: scan them, then run every stale stage.

    Each batch of photos commits by itself, results and done-records together: whenever the run ends, what was
    committed is never computed again, and the next run goes on from there.

    Args:
        store: the open store.
        models: the networks; loaded only if a stage needs them.
        progress: told what is going on.
        on_wait: called if another process is updating the store, before waiting for it.
        workers: photos computed side by side; None for one per processor.

    Returns:
        What was done.
    """
    with store.updating(on_wait):
        report = UpdateReport()
        scan(store, report, progress)
        with ThreadPoolExecutor(workers or processor_count()) as executor:
            _Run(store, models, report, progress, executor).compute()
        return report


def processor_count() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Run:
    store: Store
    source: FaceModelSource
    report: UpdateReport
    progress: Progress
    executor: Executor

    @cached_property
    def models(self) -> FaceModels:
        return self.source.load()

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        return stage_keys(self.source.ids)

    @cached_property
    def photo_keys(self) -> dict[str, str]:
        return {stage: self.keys[stage].key for stage in PHOTO_STAGES}

    def compute(self) -> None:
        with self.store.reading() as session:
            pending = files.pending_files(session)
            stale = runs.stale_photo_ids(session, self.photo_keys.values())
        if pending or stale:
            with self.store.writing() as session:
                for stage, key in self.keys.items():
                    runs.register_key(session, key.key, stage, key.made_of)
        done, total = 0, len(pending) + len(stale)
        # Those left over by an interrupted run come first, so that its end is that of a run in one piece.
        for works in self._stale_batches(stale):
            self._compute(works)
            done += len(works)
            self.progress("photos", done, total)
        for batch in _batches(pending, PHOTOS_PER_BATCH):
            self._compute(self._read_new(batch))
            done += len(batch)
            self.progress("photos", done, total)
        self.progress("people", 0, None)
        assign_people(self.store, self.source.ids.embedder, self.keys)

    def _read_new(self, batch: Sequence[tuple[int, FoundFile]]) -> list[Work]:
        """Read files whose content is not known and link them to their photos; those photos that need work."""
        contents = {file_id: self._read(file_id, found) for file_id, found in batch}
        photos: dict[int, bytes] = {}
        with self.store.writing() as session:
            for file_id, data in contents.items():
                if data is not None:
                    photos[files.link_photo(session, file_id, content_hash(data))] = data
        return self._stale_works(photos)

    def _stale_batches(self, photo_ids: Sequence[int]) -> Iterator[list[Work]]:
        """Photos known before, in batches that suit what their stale stages read."""
        for ids in _batches(photo_ids, ROWS_PER_BATCH):
            with self.store.reading() as session:
                stale = runs.stale_stages(session, ids, self.photo_keys)
            reading = [photo_id for photo_id in ids if needs_bytes(stale[photo_id])]
            yield self._stale_works(dict.fromkeys(set(ids).difference(reading)))
            for some in _batches(reading, PHOTOS_PER_BATCH):
                yield self._stale_works(self._read_again(some))

    def _read_again(self, photo_ids: Sequence[int]) -> dict[int, bytes]:
        """The bytes of each photo, from the first of its files that can be read."""
        with self.store.reading() as session:
            paths = files.present_files(session, photo_ids)
        photos: dict[int, bytes] = {}
        for photo_id in photo_ids:
            contents = (self._read(file_id, found) for file_id, found in paths.get(photo_id, []))
            data = next((data for data in contents if data is not None), None)
            if data is not None:
                photos[photo_id] = data
        return photos

    def _read(self, file_id: int, found: FoundFile) -> bytes | None:
        """A file's bytes; None, with the reason noted, where it cannot be read."""
        try:
            return read_unchanged(found)
        except OSError as error:
            with self.store.writing() as session:
                files.fail_file(session, file_id, in_words(error))
            return None

    def _stale_works(self, photos: Mapping[int, bytes | None] | Mapping[int, bytes]) -> list[Work]:
        """What is to be done about photos: work for those with stale stages."""
        with self.store.reading() as session:
            stale = runs.stale_stages(session, photos.keys(), self.photo_keys)
            unfinished = runs.unfinished_stages(session, photos.keys(), self.photo_keys)
            known = faces.faces_of(session, photos.keys())
            return [
                Work(
                    photo_id,
                    stale[photo_id],
                    data,
                    known_results(known[photo_id]),
                    dict.fromkeys(unfinished[photo_id], ""),
                )
                for photo_id, data in photos.items()
                if stale[photo_id]
            ]

    def _compute(self, works: Sequence[Work]) -> None:
        if not works:
            return
        if any(work.data is not None for work in works):
            _ = self.models  # loaded here, where a failure ends the run instead of counting against a photo
            # One photo to a thread: decoding and networks release the interpreter, and no result depends on the rest.
            list(self.executor.map(lambda work: analyse([work], lambda: self.models, self.keys), works))
        else:
            analyse(works, lambda: self.models, self.keys)
        with self.store.writing() as session:
            rows = faces.faces_of(session, [work.photo_id for work in works])
            for work in works:
                store_results(session, work, rows[work.photo_id], self.keys)
        self.report.photos_computed += len(works)
        self.report.photos_failed += sum(any(work.failures.values()) for work in works)
        self.report.faces_found += sum(len(w.results[DETECT]) for w in works if w.stale - w.failures.keys() >= {DETECT})


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
