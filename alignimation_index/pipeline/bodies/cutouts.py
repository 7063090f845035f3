"""Finding where the people of frames are on their photos, so that something else can be put behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alignimation_index.models.bodies import BodyModelSource
from alignimation_index.pipeline.bodies.find import find_stale_bodies
from alignimation_index.pipeline.progress import Progress
from alignimation_index.query.bodies import with_cutouts
from alignimation_index.query.frames import Frame
from alignimation_index.store import files
from alignimation_index.store.bodies import some_at_once
from alignimation_index.store.engine import Store


def cut_out(
    store: Store,
    frames: Sequence[Frame],
    model: str | None,
    source: Callable[[], BodyModelSource],
    progress: Progress = lambda *_: None,
    on_wait: Callable[[], None] = lambda: None,
) -> list[Frame]:
    """Give frames their cutouts; bodies are looked for on those of their photos where that is stale.

    Args:
        store: the open store.
        frames: of faces or bodies.
        model: the body detector that the user names; None for the one used last.
        source: chooses the network; called only if it is needed.
        progress: told what is going on.
        on_wait: called if another process is updating the store, before waiting for it.

    Returns:
        The frames in the same order; without a cutout where nobody was found.
    """
    hashes = {frame.content_hash for frame in frames}
    with store.updating(on_wait):
        with store.reading() as session:
            photos = [id_ for some in some_at_once(hashes) for id_ in files.photo_ids(session, some).values()]
        find_stale_bodies(store, model, source, progress, photo_ids=photos)
        with store.reading() as session:
            return with_cutouts(session, frames)
