"""Running the stages over photos in child processes, each with networks of its own.

On a CPU this is somewhat faster than threads. Those that share a GPU keep it busy, which takes more of an interpreter
than is left of the one that writes. And the process that writes needs neither networks nor their memory.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

from alignimation_index.children import ChildDiedError, Children, by_itself, limit_time, loading, unlimit_memory
from alignimation_index.library.decoding.decode import TooLargeToShareError
from alignimation_index.library.decoding.process import time_limit_s
from alignimation_index.models.faces import FaceModels, FaceModelSource
from alignimation_index.pipeline.analysis import Analysis, BatchSize, LostGpuError
from alignimation_index.pipeline.memory import release_memory
from alignimation_index.pipeline.profile import Profile
from alignimation_index.pipeline.stages import PHOTO_STAGES
from alignimation_index.pipeline.work import ReadHere, Tools, Work
from alignimation_index.stages.stage import Key

log = logging.getLogger(__name__)

_MODULES = ("mtcnn", "onet_refiner", "embedders", "facenet", "dlib_resnet")

LOAD_LIMIT_S = 600.0
GPU_LOST = 3  # the exit code of a child


def children_for(source: FaceModelSource) -> Children:
    """Child processes that compute photos, or only read them where the networks run in this process."""
    return Children(lambda: [f"alignimation_index.models.{name}" for name in _MODULES] if source.in_children else [])


class Analysed(NamedTuple):
    """What a child found: results and failures of each photo, and seconds by step."""

    found: list[tuple[dict[str, Any], dict[str, str]]]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class AnalysisInChildren:
    """Runs stale stages; safe to call from many threads, each of which keeps a child busy.

    Attributes:
        children: the processes.
        keys: the key of each stage.
        source: the networks, which the children load.
        profile: where the time went.
        decoded_at_once: how many pictures each child may decode side by side, where a GPU does not.
        large_one: held while a picture is read that takes much memory.
    """

    children: Children
    keys: Mapping[str, Key]
    source: FaceModelSource
    profile: Profile
    decoded_at_once: int = 1
    large_one: Lock = field(default_factory=Lock)

    def run(self, works: Sequence[Work]) -> None:
        """Run the stale stages of each photo in order; results and failures are added to the works."""
        if works and not self._survives(works):
            for work in works:
                if len(works) == 1 or not self._survives([work]):
                    self._find_fault(work)
        for work in works:
            work.data = None

    def _survives(self, works: Sequence[Work]) -> bool:
        """Run the stale stages of photos; whether the child did not die of them."""
        try:
            self._run(works)
        except ChildDiedError:
            return False
        return True

    def _find_fault(self, work: Work) -> None:
        """Run each stage in a child of its own call, so that the one that is fatal is a failure, and no other."""
        for stage in PHOTO_STAGES:
            if stage in work.stale:
                try:
                    self._run([work], {stage})
                except ChildDiedError as error:
                    work.failures[stage] = str(error)

    def _run(self, works: Sequence[Work], stages: set[str] | None = None) -> None:
        """Run these stages, or those that are stale of each photo."""
        parts = [replace(work, stale=stages or work.stale, data=work.data and by_itself(work.data)) for work in works]
        try:
            analysed = self._ask(parts, ReadHere(is_alone=False, at_once=self.decoded_at_once))
        except TooLargeToShareError:
            with self.large_one:
                analysed = self._ask(parts, ReadHere())
        for work, (results, failures) in zip(works, analysed.found, strict=True):
            work.results, work.failures = results, failures
        self.profile.add(analysed.seconds)

    def _ask(self, parts: list[Work], reader: ReadHere) -> Analysed:
        load = pickle.dumps(self.source.load)
        return self.children.call(LOAD_LIMIT_S, analyse, load, self.keys, reader, parts)


def analyse(load: bytes, keys: Mapping[str, Key], reader: ReadHere, works: list[Work]) -> Analysed:
    """Run the stale stages of photos in this process: what a child is asked to do.

    Args:
        load: how to load the networks, pickled.
        keys: the key of each stage.
        reader: reads pictures.
        works: the photos.
    """
    profile = Profile()
    # Here, where a failure ends the run instead of counting against a photo.
    with profile.measure("load networks"):
        models, batch_size = _loaded(load)
    limit_time(sum(time_limit_s(work.data or b"") for work in works))
    try:
        Analysis(keys, Tools.of_faces(lambda: models, reader), profile, batch_size).run(works)
    except LostGpuError:
        log.exception("another process takes the place of this one")
        os._exit(GPU_LOST)
    release_memory()
    return Analysed([(work.results, work.failures) for work in works], profile.seconds)


@lru_cache(maxsize=1)
def _loaded(load: bytes) -> tuple[FaceModels, BatchSize]:
    """The networks, and how many photos they have turned out to have room for."""
    with loading():
        models: FaceModels = pickle.loads(load)()
    if models.device != "cpu":
        unlimit_memory()
    return models, BatchSize()
