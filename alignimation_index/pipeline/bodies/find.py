"""Finding bodies on photos: the costliest stage, run over those photos of which somebody wants the bodies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from sqlalchemy.orm import Session

from alignimation_index.children import Children
from alignimation_index.datatypes import BodyDetections, Images, PhotoBodies
from alignimation_index.library.decoding.process import Decoders
from alignimation_index.models.bodies import BodyModelSource
from alignimation_index.models.protocols import BodyDetector
from alignimation_index.pipeline.analysis import Analysis
from alignimation_index.pipeline.bodies.links import link_bodies
from alignimation_index.pipeline.flow import MAX_READERS, batches, ordered_map, pool
from alignimation_index.pipeline.memory import release_memory
from alignimation_index.pipeline.profile import Profile
from alignimation_index.pipeline.progress import Progress
from alignimation_index.pipeline.reading import Item, Reading
from alignimation_index.pipeline.stages import BODIES, bodies_key
from alignimation_index.pipeline.work import Tools
from alignimation_index.stages.bodies import MASK_SIDE_PX, detect_bodies
from alignimation_index.stages.stage import Key
from alignimation_index.store import bodies, files, runs
from alignimation_index.store.engine import Store

# Few enough that an interruption costs little, also where a photo takes seconds.
PHOTOS_PER_COMMIT = 16
SECONDS_PER_COMMIT = 5.0
# While one thread's photos are with the network, the other's are decoded.
THREADS = 2
PHOTOS_PER_TASK = 4
PHOTOS_PER_LISTING = 1000


@dataclass
class BodiesReport:
    """What finding bodies did.

    Attributes:
        photos_computed: photos that were looked at.
        photos_failed: of those, photos that could not be.
        bodies_found: on them.
    """

    photos_computed: int = 0
    photos_failed: int = 0
    bodies_found: int = 0


@dataclass
class FindingBodies:
    """Finds bodies where that is stale; whoever calls holds the right to run stages.

    Attributes:
        store: the open store.
        source: the network; loaded only if a photo is stale.
        full_masks: whether masks keep all decoded pixels.
        progress: told what is going on.
        stop: asked after every few photos whether to end here, with what is done committed.
    """

    store: Store
    source: BodyModelSource
    full_masks: bool
    progress: Progress
    stop: Callable[[], bool] = lambda: False
    report: BodiesReport = field(default_factory=BodiesReport)

    @property
    def key(self) -> Key:
        """Of the stage."""
        return bodies_key(self.source.model_id, self.full_masks)

    def run(self, photo_ids: Collection[int] | None = None) -> BodiesReport:
        """Find the bodies on these photos, or on all; some commit together, with the records that they are done."""
        stale = stale_photos(self.store, self.key, photo_ids)
        if not stale:
            return self.report
        with self.store.writing() as session:
            runs.register_key(session, self.key.key, BODIES, self.key.made_of)
        self.progress("bodies", 0, len(stale))
        with closing(Children()) as children, pool(MAX_READERS, "read") as readers, pool(THREADS, "compute") as pool_:
            reading = Reading(self.store, {BODIES: self.key.key}, Profile(), readers)
            items = (item for some in batches(stale, PHOTOS_PER_LISTING) for item in reading.known_photos(some))
            analysis = self._analysis(children)

            def analysed(task: list[Item]) -> list[Item]:
                analysis.run([item.work for item in task if item.work])
                return task

            computed = ordered_map(pool_, analysed, batches(items, PHOTOS_PER_TASK), THREADS + 1)
            with closing(self._until_stopped(computed)) as found:
                for batch in batches(found, PHOTOS_PER_COMMIT, SECONDS_PER_COMMIT):
                    self._commit(batch, len(stale))
        return self.report

    def _analysis(self, children: Children) -> Analysis:
        find = partial(
            detect_bodies,
            detector=_InTurn(self.source),
            mask_side_px=None if self.full_masks else MASK_SIDE_PX,
        )
        return Analysis({BODIES: self.key}, Tools.of_bodies(find, Decoders(children)), Profile())

    def _until_stopped(self, computed: Iterator[list[Item]]) -> Generator[Item, None, None]:
        for task in computed:
            yield from task
            if self.stop():
                return

    def _commit(self, items: list[Item], total: int) -> None:
        with self.store.writing() as session:
            self._write(session, items)
        release_memory()
        self.progress("bodies", self.report.photos_computed, total)

    def _write(self, session: Session, items: list[Item]) -> None:
        done: list[runs.Run] = []
        found: dict[int, PhotoBodies] = {}
        for item in items:
            for file_id, reason in item.unreadable.items():
                files.fail_file(session, file_id, reason)
            if item.work is None or item.photo_id is None:
                continue
            failure = item.work.failures.get(BODIES)
            status = runs.DONE if failure is None else runs.ERROR
            done.append(runs.Run(item.photo_id, BODIES, self.key.key, status, failure))
            if failure is None:
                found[item.photo_id] = item.work.results[BODIES]
        bodies.replace_bodies(session, found, self.source.model_id)
        link_bodies(session, found.keys())
        bodies.keep_body_model(session, self.source.model_id)
        runs.record_runs(session, done)
        self._count(done, found.values())

    def _count(self, done: list[runs.Run], found: Collection[PhotoBodies]) -> None:
        self.report.photos_computed += len(done)
        self.report.photos_failed += sum(run.status == runs.ERROR for run in done)
        self.report.bodies_found += sum(map(len, found))


def find_bodies(
    store: Store,
    model: str | None,
    source: Callable[[], BodyModelSource],
    progress: Progress,
    on_wait: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> BodiesReport:
    """Find the bodies on all photos at hand where that is stale; see `find_stale_bodies`.

    Args:
        store: the open store.
        model: the detector that the user names; None for the one used last.
        source: chooses the network.
        progress: told what is going on.
        on_wait: called if another process is updating the store, before waiting for it.
        stop: asked after every few photos whether to end here, with what is done committed.
    """
    with store.updating(on_wait):
        return find_stale_bodies(store, model, source, progress, stop)


def find_stale_bodies(
    store: Store,
    model: str | None,
    source: Callable[[], BodyModelSource],
    progress: Progress,
    stop: Callable[[], bool] = lambda: False,
    photo_ids: Collection[int] | None = None,
) -> BodiesReport:
    """Find bodies where that is stale, on these photos or on all; whoever calls holds the right to run stages.

    The network is not even chosen unless a photo is stale.
    """
    with store.reading() as session:
        used, full_masks = model or bodies.body_model(session), bodies.keeps_full_masks(session)
    if used and not stale_photos(store, bodies_key(used, full_masks), photo_ids):
        return BodiesReport()
    return FindingBodies(store, source(), full_masks, progress, stop).run(photo_ids)


def stale_photos(store: Store, key: Key, photo_ids: Collection[int] | None = None) -> list[int]:
    """Those of these photos at hand, or of all, on which bodies were not looked for under this key; by path."""
    with store.reading() as session:
        stale = runs.stale_photo_ids(session, [key.key])
    if photo_ids is None:
        return stale
    wanted = set(photo_ids)
    return [photo_id for photo_id in stale if photo_id in wanted]


class _InTurn:
    """A detector that is loaded at the first call and looks at one batch at a time: none has to be safe to share."""

    def __init__(self, source: BodyModelSource) -> None:
        self._source, self._lock = source, Lock()
        self._detector: BodyDetector | None = None

    @property
    def model_id(self) -> str:
        """As the source says."""
        return self._source.model_id

    def detect(self, images: Images) -> list[BodyDetections]:
        """See BodyDetector."""
        with self._lock:
            if self._detector is None:
                self._detector = self._source.load()
            return self._detector.detect(images)
