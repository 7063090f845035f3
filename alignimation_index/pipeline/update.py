"""The one run behind `update` (and whatever else wants the index brought up to date).

Files are read ahead, photos are computed side by side, and this thread writes what is done, in the order of the files:
    files ─► read, hash ─► look up ─► decode, networks, stages ─► write
            (threads)   (this thread)       (threads)          (this thread)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from sqlalchemy.orm import Session

from alignimation_index.children import Children
from alignimation_index.library.decoding.process import Decoders
from alignimation_index.library.formats import readable_kinds
from alignimation_index.models.device import gpu_memory_bytes
from alignimation_index.models.faces import FaceModels, FaceModelSource
from alignimation_index.pipeline import in_children
from alignimation_index.pipeline.analysis import Analysis
from alignimation_index.pipeline.describe import describe_photos
from alignimation_index.pipeline.flow import (
    MAX_READERS,
    Capacity,
    batches,
    gpu_computers,
    ordered_map,
    pool,
    processor_count,
)
from alignimation_index.pipeline.listing import list_files
from alignimation_index.pipeline.memory import release_memory
from alignimation_index.pipeline.names import suggest_names
from alignimation_index.pipeline.people import assign_people
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.reading import Item, Reading
from alignimation_index.pipeline.results import store_results
from alignimation_index.pipeline.scope import EVERYTHING, Scope
from alignimation_index.pipeline.stages import (
    ASSIGN,
    DESCRIBE,
    DETECT,
    EMBED,
    PHOTO_STAGES,
    STAGES,
    VARIANTS,
    stage_keys,
    uses_networks,
    with_upstream,
)
from alignimation_index.pipeline.variants import group_variants
from alignimation_index.pipeline.work import Tools, Work, needs_bytes
from alignimation_index.stages.stage import Key
from alignimation_index.store import files, runs, switch
from alignimation_index.store.engine import Store

# Few enough that an interruption costs little.
PHOTOS_PER_COMMIT = 32
SECONDS_PER_COMMIT = 2.0
# Stages that read only rows go through many photos at a time.
ROWS_PER_BATCH = 1000
# After more photos than this, children are worth less than their memory, though a later run has to start others.
PHOTOS_OF_KEPT_CHILDREN = 200


def update(
    store: Store,
    models: FaceModelSource,
    progress: Progress,
    on_wait: Callable[[], None] = lambda: None,
    workers: int | None = None,
    scope: Scope = EVERYTHING,
    stop: Callable[[], bool] = lambda: False,
    stages: Collection[str] = STAGES,
    children: Children | None = None,
) -> UpdateReport:
    """Bring the index up to date with the roots: scan them, read and pair sidecars, then run every stale stage.

    Some photos at a time commit together, results and done-records: whenever the run ends, what was committed is never
    computed again, and the next run goes on from there.

    Args:
        store: the open store.
        models: the networks; loaded only if a stage needs them.
        progress: told what is going on.
        on_wait: called if another process is updating the store, before waiting for it.
        workers: threads that read, and on a CPU processes that compute; None for one per processor.
        scope: what to scan; if that is not everything and nothing changed there, no stage runs either.
        stop: asked after every photo whether to end here, with what is done committed.
        stages: those to run, and all that they read; for none at all, see `listing.update_listing`.
        children: the processes that read photos, kept for a later run unless there were many; None for some of its own.

    Returns:
        What was done.

    Raises:
        SwitchedError: the store was switched to another embedder meanwhile.
    """
    with store.updating(on_wait):
        with store.reading() as session:
            switch.check_in_use(session, models.ids.embedder)
        started = time.perf_counter()
        report = UpdateReport()
        list_files(store, report, progress, workers, scope)
        if scope.is_everything or report.found_changes:
            # What looks at all faces takes memory, too: not beside children that are through.
            with nullcontext(children) if children else closing(in_children.children_for(models)) as processes:
                run = _Run(store, models, report, progress, workers or processor_count(), stages, stop, processes)
                run.compute_photos()
            if not stop():
                run.compute_library()
        report.seconds = time.perf_counter() - started
        return report


def embed_beside(
    store: Store,
    models: FaceModelSource,
    progress: Progress,
    workers: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> UpdateReport:
    """Embed known faces with another embedder; whoever calls holds the right to run stages.

    Nothing that the store shows changes. Photos whose faces are out of date are left to the next update.
    """
    report, chosen = UpdateReport(), models.ids.embedder
    with closing(in_children.children_for(models)) as processes:
        parts = (workers or processor_count(), (EMBED,), stop, processes)
        _Run(store, models, report, progress, *parts, recorded_as={EMBED: switch.aside(EMBED, chosen)}).embed_beside()
    return report


@dataclass
class _Run:
    store: Store
    source: FaceModelSource
    report: UpdateReport
    progress: Progress
    workers: int
    chosen: Collection[str]
    stop: Callable[[], bool]
    children: Children
    recorded_as: Mapping[str, str] = field(default_factory=dict)
    done: int = 0
    total: int = 0

    @cached_property
    def models(self) -> FaceModels:
        with self.report.profile.measure("load networks"):
            return self.source.load()

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        return stage_keys(self.source.ids)

    @cached_property
    def stages(self) -> set[str]:
        return with_upstream(self.chosen, self.keys)

    @cached_property
    def photo_keys(self) -> dict[str, str]:
        return {stage: self.keys[stage].key for stage in PHOTO_STAGES if stage in self.stages}

    @cached_property
    def analysis(self) -> Analysis:
        """In this process, but for reading pictures."""
        return Analysis(self.keys, Tools.of_faces(lambda: self.models, Decoders(self.children)), self.report.profile)

    def compute_photos(self) -> None:
        """Run the stages of each photo."""
        with self.store.reading() as session:
            pending = files.pending_files(session, readable_kinds())
            stale = runs.stale_photo_ids(session, self.photo_keys.values())
        if pending or stale:
            with self.store.writing() as session:
                for stage, key in self.keys.items():
                    runs.register_key(session, key.key, stage, key.made_of)
        self.total = len(pending) + len(stale)
        with pool(min(self.workers, MAX_READERS), "read") as executor:
            reading = Reading(self.store, self.photo_keys, self.report.profile, executor)
            for photo_ids in batches(stale, ROWS_PER_BATCH):
                if not self.stop():
                    self._recompute(photo_ids, reading)
            self._compute(reading.new_files(pending))
        if self.done > PHOTOS_OF_KEPT_CHILDREN:
            self.children.close()

    def compute_library(self) -> None:
        """Run the stages that look at all photos at once."""
        if DESCRIBE in self.stages:
            with self.report.profile.measure("describe"):
                describe_photos(self.store, self.keys[DESCRIBE], self.progress)
        if VARIANTS in self.stages:
            with self.report.profile.measure("variants"):
                group_variants(self.store, self.keys[VARIANTS])
        if ASSIGN in self.stages:
            self.progress("people", 0, None)
            with self.report.profile.measure("people"):
                assign_people(self.store, self.source.ids.embedder, self.keys)
                suggest_names(self.store)

    def embed_beside(self) -> None:
        """Run the stages under other names of those photos on which all that they build on is up to date."""
        with self.store.reading() as session:
            stale = photos_to_embed(session, self.keys)
        with self.store.writing() as session:
            for stage, key in self.keys.items():
                runs.register_key(session, key.key, stage, key.made_of)
        self.total = len(stale)
        with pool(min(self.workers, MAX_READERS), "read") as executor:
            reading = Reading(self.store, self.photo_keys, self.report.profile, executor)
            for photo_ids in batches(stale, ROWS_PER_BATCH):
                if not self.stop():
                    self._recompute(photo_ids, reading)

    def _recompute(self, photo_ids: list[int], reading: Reading) -> None:
        """Run the stale stages of photos known before; those that read only rows need neither files nor networks."""
        with self.store.reading() as session:
            stale = runs.stale_stages(session, photo_ids, self.photo_keys)
        reads = [photo_id for photo_id in photo_ids if needs_bytes(stale[photo_id])]
        rows = reading.rows([photo_id for photo_id in photo_ids if not needs_bytes(stale[photo_id])])
        if rows:
            self.analysis.run(_works(rows))
            self._commit(rows)
        self._compute(reading.known_photos(reads))

    def _compute(self, items: Iterator[Item]) -> None:
        """Compute items, and commit some at a time as they come."""
        with closing(self._computed(items)) as computed:
            for batch in batches(computed, PHOTOS_PER_COMMIT, SECONDS_PER_COMMIT):
                self._commit(batch)

    def _computed(self, items: Iterator[Item]) -> Generator[Item, None, None]:
        """Items with their work done, in order; the networks are loaded once there is work."""
        for item in items:
            if self.stop():
                return
            if item.work:
                yield from self._computed_side_by_side(chain([item], items))
            else:
                yield item

    def _computed_side_by_side(self, items: Iterable[Item]) -> Iterator[Item]:
        analysis, capacity = self._analysis_of_photos()

        def analysed(task: list[Item]) -> list[Item]:
            analysis.run(_works(task))
            return task

        with pool(capacity.computers, "compute") as executor:
            tasks = batches(items, capacity.photos_per_task)
            for task in ordered_map(executor, analysed, tasks, capacity.tasks_ahead):
                yield from task
                if self.stop():
                    return

    def _analysis_of_photos(self) -> tuple[Analysis | in_children.AnalysisInChildren, Capacity]:
        """What computes photos, and how many at a time."""
        on_processors = Capacity.of_processors(self.workers)
        if not uses_networks(self.photo_keys, self.keys):
            return self.analysis, on_processors
        if not self.source.in_children:
            # This loads them, here where a failure ends the run instead of counting against a photo.
            return self.analysis, on_processors if self.models.device == "cpu" else Capacity.of_gpu(1)
        parts = (self.children, self.keys, self.source, self.report.profile)
        device = self.source.device()
        if device == "cpu":
            return in_children.AnalysisInChildren(*parts), on_processors
        computers = gpu_computers(self.workers, gpu_memory_bytes(device))
        # HEIC, which phones write, no GPU decodes.
        analysis = in_children.AnalysisInChildren(*parts, decoded_at_once=self.workers // computers)
        return analysis, Capacity.of_gpu(computers)

    def _commit(self, items: list[Item]) -> None:
        with self.report.profile.measure("write"), self.store.writing() as session:
            self._write(session, items)
        release_memory()
        works = _works(items)
        self.report.photos_computed += len(works)
        self.report.photos_failed += sum(any(work.failures.values()) for work in works)
        self.report.faces_found += sum(len(w.detections) for w in works if w.stale - w.failures.keys() >= {DETECT})
        self.done += len(items)
        self.progress("photos", self.done, self.total)

    def _write(self, session: Session, items: list[Item]) -> None:
        for item in items:
            for file_id, reason in item.unreadable.items():
                files.fail_file(session, file_id, reason)
        read = [(item, item.content) for item in items if item.content]
        photo_ids = files.link_photos(session, [content for _, content in read])
        for (item, _), photo_id in zip(read, photo_ids, strict=True):
            item.photo_id = photo_id
        works = {item.photo_id: item.work for item in items if item.work and item.photo_id is not None}
        store_results(session, works, self.keys, self.recorded_as)


def photos_to_embed(session: Session, keys: Mapping[str, Key]) -> list[int]:
    """Photos with up-to-date faces that are not embedded under these keys."""
    above = [keys[stage].key for stage in with_upstream([EMBED], keys) - {EMBED}]
    waiting = set(runs.stale_photo_ids(session, above))
    return [id_ for id_ in runs.stale_photo_ids(session, [keys[EMBED].key]) if id_ not in waiting]


def _works(items: list[Item]) -> list[Work]:
    return [item.work for item in items if item.work]
