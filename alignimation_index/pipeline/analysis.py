"""Running the stages over photos in this process, whatever goes wrong with one of them.

A stage that fails on a batch is tried photo by photo, so that one bad photo is one error. A batch that does not fit
into a GPU's memory is halved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from alignimation_index.errors import DecodeError, UserError
from alignimation_index.library.decoding.batch import decode_batch
from alignimation_index.library.decoding.decode import TooLargeToShareError
from alignimation_index.pipeline.profile import Profile
from alignimation_index.pipeline.work import STEPS, Tools, Work
from alignimation_index.stages.stage import Key

log = logging.getLogger(__name__)

Side = Callable[[Work, Tools], int]
"""The shorter side to which a photo has to be decoded."""


class LostGpuError(Exception):
    """Nothing more can be computed on the GPU in this process."""


@dataclass
class BatchSize:
    """The largest batch, in photos; halved where one does not fit into a GPU's memory."""

    photos: int = 1000


@dataclass
class Analysis:
    """Runs stale stages; safe to call from many threads.

    Attributes:
        keys: the key of each stage.
        tools: the networks, and what reads pictures.
        profile: where the time went.
        at_once: the largest batch.
    """

    keys: Mapping[str, Key]
    tools: Tools
    profile: Profile
    at_once: BatchSize = field(default_factory=BatchSize)

    def run(self, works: Sequence[Work]) -> None:
        """Run the stale stages of each photo in order; results and failures are added to the works."""
        done = 0
        while done < len(works):
            batch = works[done : done + self.at_once.photos]
            if self._fits(batch):
                done += len(batch)
            else:
                self.at_once.photos = min(self.at_once.photos, len(batch) // 2)
                _release_gpu_memory()
                log.warning("%d photos do not fit into the GPU's memory; going on with fewer at once", len(batch))

    def _fits(self, works: Sequence[Work]) -> bool:
        """Run all stages over one batch, unless its memory does not suffice; no pixels are kept either way."""
        try:
            for stage in filter(self.keys.__contains__, STEPS):
                self._run_unblocked(stage, [work for work in works if stage in work.stale])
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
        else:
            for work in works:
                work.data = work.pixels = None
            return True
        for work in works:
            work.pixels = None
            work.failures = {stage: reason for stage, reason in work.failures.items() if stage not in work.stale}
        return False

    def _run_unblocked(self, stage: str, works: Sequence[Work]) -> None:
        """Run a stage over those photos on which the stages above it succeeded."""
        above = self.keys[stage].made_of["upstream"].keys()
        for work in works:
            if above & work.failures.keys():
                work.failures[stage] = ""
        ready = [work for work in works if stage not in work.failures]
        if ready:
            self._run(stage, ready)

    def _run(self, stage: str, works: Sequence[Work]) -> None:
        try:
            for view, side_px in STEPS[stage].views.items():
                works = self._decoded(works, stage, view, side_px)
            with self.profile.measure(stage):
                results = STEPS[stage].compute(works, self.tools) if works else []
        except Exception as error:
            if _is_lost_gpu(error):
                raise LostGpuError(str(error)) from error
            if _ends_the_run(error) or (len(works) > 1 and _is_out_of_memory(error)):
                raise
            log.debug("%s, stage %s", ", ".join(work.name for work in works), stage, exc_info=True)
            self._run_each(stage, works, error)
        else:
            for work, result in zip(works, results, strict=True):
                if isinstance(result, DecodeError):
                    work.failures[stage] = str(result)
                else:
                    work.results[stage] = result

    def _run_each(self, stage: str, works: Sequence[Work], error: Exception) -> None:
        """After a failure: that of a single photo is noted, that of a batch is looked for photo by photo."""
        if len(works) == 1:
            works[0].failures[stage] = _reason(error)
            return
        for work in works:
            self._run(stage, [work])

    def _decoded(self, works: Sequence[Work], stage: str, view: str, side_px: Side) -> Sequence[Work]:
        """Those photos that could be decoded to the side that each needs; failures are noted of the others."""
        wanted: dict[int, list[Work]] = {}
        for work in works:
            if not work.is_decoded(side := side_px(work, self.tools)):
                wanted.setdefault(side, []).append(work)
        with self.profile.measure(view):
            for side, undecoded in wanted.items():
                photos, reader = [work.bytes for work in undecoded], self.tools.reader
                pixels = decode_batch(photos, side, self.tools.device(), reader.decode, reader.at_once)
                for work, decoded in zip(undecoded, pixels, strict=True):
                    work.pixels = decoded
        for work in works:
            if isinstance(work.pixels, DecodeError):
                work.failures[stage] = str(work.pixels)
        return [work for work in works if stage not in work.failures]


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, DecodeError) else f"{type(error).__name__}: {error}"


def _ends_the_run(error: Exception) -> bool:
    """Whether the fault lies with the machine or the moment, and not with a photo."""
    return isinstance(error, (UserError, TooLargeToShareError)) and not isinstance(error, DecodeError)


def _is_lost_gpu(error: Exception) -> bool:
    """Whether a CUDA kernel failed, after which every call in its process fails, whatever the photo."""
    return isinstance(error, RuntimeError) and "CUDA error" in str(error) and not _is_out_of_memory(error)


def _is_out_of_memory(error: Exception) -> bool:
    # torch's OutOfMemoryError of CUDA, and the plain RuntimeError of Apple's GPUs.
    return isinstance(error, RuntimeError) and "out of memory" in str(error)


def _release_gpu_memory() -> None:
    """Hand back what torch keeps for later, so that another batch shape finds room."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
