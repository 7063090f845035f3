"""Changing the embedder of a store: embed anew beside the old embeddings, assign people anew, switch at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from alignimation_index.errors import UserError
from alignimation_index.models.faces import MIN_FACE_SHARE, FaceModelIds, FaceModelSource
from alignimation_index.pipeline.identity import refresh
from alignimation_index.pipeline.names import suggest_names
from alignimation_index.pipeline.people import assign_anew, assign_people
from alignimation_index.pipeline.progress import Progress, UpdateReport
from alignimation_index.pipeline.stages import stage_keys
from alignimation_index.pipeline.update import embed_beside, photos_to_embed
from alignimation_index.stages.stage import Key
from alignimation_index.store import switch
from alignimation_index.store.engine import Store
from alignimation_index.store.faces import min_face_share, pinned_embedder


def check_target(store: Store, embedder: str) -> str:
    """Check that there is something to switch to this embedder; the one in use.

    Raises:
        UserError: nothing is embedded yet, or it is with this one.
    """
    with store.reading() as session:
        pinned = pinned_embedder(session)
    if pinned is None:
        raise UserError(f"No face is embedded yet. Choose while indexing: alignindex update --embedder {embedder}")
    if pinned == embedder:
        raise UserError(f"{embedder}: this store's faces are embedded with it already. Nothing is to be done.")
    return pinned


def count_to_embed(store: Store, models: FaceModelIds) -> int:
    """How many photos `reindex` would compute."""
    with store.reading() as session:
        return len(photos_to_embed(session, stage_keys(models)))


def reindex(
    store: Store,
    models: FaceModelSource,
    progress: Progress,
    on_wait: Callable[[], None] = lambda: None,
    workers: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> UpdateReport:
    """Switch to the embedder of `models`; until that is done, the store shows what it showed before.

    Interrupted, it goes on from there the next time. Answers hold, and people keep their numbers where they share faces
    with who they were before.

    Args:
        store: the open store.
        models: the networks; loaded only if a photo is not embedded yet.
        progress: told what is going on.
        on_wait: called if another process is updating the store, before waiting for it.
        workers: as of `update`.
        stop: asked after every photo whether to end here, with what is done committed.

    Raises:
        UserError: as of `check_target`.
    """
    embedder = models.ids.embedder
    with store.updating(on_wait):
        before = check_target(store, embedder)
        with store.writing() as session:
            switch.note_reindex(session, embedder)
        report = embed_beside(store, models, progress, workers, stop)
        if not stop():
            progress("people", 0, None)
            _switch(store, before, embedder, stage_keys(models.ids))
        return report


def go_back(store: Store, on_wait: Callable[[], None] = lambda: None) -> str:
    """Use the embedder that was in use before, and show whom faces were taken for with it; which it is.

    Photos that were indexed since are embedded by the next update.

    Raises:
        UserError: there is none.
    """
    with store.updating(on_wait):
        with store.reading() as session:
            pinned, before = pinned_embedder(session), switch.embedder_before(session)
            share = min_face_share(session) or MIN_FACE_SHARE
        if before is None or pinned is None:
            raise UserError(
                f"There is nothing to go back to: no embeddings are kept but those of {pinned or 'no embedder'}. To "
                "change the embedder: alignindex reindex --embedder NAME"
            )
        _switch(store, pinned, before, stage_keys(FaceModelIds(before, min_face_share=share)))
        return before


def drop_others(store: Store, on_wait: Callable[[], None] = lambda: None) -> list[str]:
    """Delete the embeddings of all embedders but the one in use; which these were.

    A reindex that is under way begins anew after it.
    """
    with store.updating(on_wait), store.writing() as session:
        pinned = pinned_embedder(session)
        return switch.drop_others(session, pinned) if pinned else []


def _switch(store: Store, old: str, new: str, keys: Mapping[str, Key]) -> None:
    with store.reading() as session:
        was_in_use = switch.was_in_use(session, new)
    if was_in_use:
        with store.writing() as session:
            switch.switch_back(session, old, new)
            refresh(session)
        assign_people(store, new, keys)
    else:
        assign_anew(store, new, keys, partial(switch.switch, old=old, new=new))
    suggest_names(store)
