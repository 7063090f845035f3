"""`alignindex reindex`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alignimation_index.cli.output import data_folder, opened_store, progress_bar, say, say_waiting, warn
from alignimation_index.cli.update import device_option, workers_option

if TYPE_CHECKING:
    from alignimation_index.models.faces import FaceModelSource
    from alignimation_index.pipeline.progress import Progress
    from alignimation_index.store.engine import Store


@click.command(short_help="Change the face embedder.")
@click.option("--embedder", metavar="NAME", help="Embed all faces with this one, then use it. See models list.")
@click.option("--back", is_flag=True, help="Use the one before again; its embeddings are there still.")
@click.option("--drop-old", is_flag=True, help="Delete the embeddings that are not in use.")
@device_option
@workers_option
@click.pass_context
def reindex(
    context: click.Context, embedder: str | None, back: bool, drop_old: bool, device: str, workers: int | None
) -> None:
    """Change the face embedder of the store: one of --embedder, --back, --drop-old.

    Faces are embedded anew beside the old embeddings. Until all are, everything is shown as before; stopping loses
    nothing, the same command goes on. At the end people are found anew, keep their numbers and all that you said of
    them, and the store uses the new embedder.
    """
    if (embedder is not None) + back + drop_old != 1:
        raise click.UsageError("Say one of --embedder NAME, --back, --drop-old.")
    with opened_store(context) as store:
        if embedder is not None:
            _switch(store, embedder, device, workers)
        elif back:
            _go_back(store)
        else:
            _drop(store)


def _switch(store: Store, embedder: str, device: str, workers: int | None) -> None:
    from alignimation_index.pipeline.reindex import check_target
    from alignimation_index.pipeline.reindex import reindex as run_reindex

    with progress_bar() as progress:
        before = check_target(store, embedder)
        models = _models(store, embedder, device, progress)
        report = run_reindex(store, models, progress, say_waiting, workers)
    say(f"{report.photos_computed} photos embedded. The store uses {embedder} now, and keeps what {before} found.")
    say("To go back: alignindex reindex --back. To have the space: alignindex reindex --drop-old")
    if report.photos_failed:
        warn(f"{report.photos_failed} photos could not be read: see alignindex errors")


def _models(store: Store, embedder: str, device: str, progress: Progress) -> FaceModelSource:
    """The networks; weights are fetched only if a photo is not embedded yet."""
    from alignimation_index.models.embedders import check_name, choose_embedder
    from alignimation_index.models.faces import MIN_FACE_SHARE, face_models
    from alignimation_index.models.weights import WeightStore
    from alignimation_index.pipeline.reindex import count_to_embed
    from alignimation_index.store.faces import min_face_share

    check_name(embedder)
    with store.reading() as session:
        share = min_face_share(session) or MIN_FACE_SHARE
    weights = WeightStore(data_folder() / "weights")
    models = face_models(embedder, weights, device, share)
    if count_to_embed(store, models.ids):
        choose_embedder(embedder, None, weights, lambda done, total: progress("weights", done, total))
    return models


def _go_back(store: Store) -> None:
    from alignimation_index.pipeline.reindex import go_back

    say(f"The store uses {go_back(store, say_waiting)} again. Photos indexed since are embedded by the next update.")


def _drop(store: Store) -> None:
    from alignimation_index.pipeline.reindex import drop_others

    dropped = drop_others(store, say_waiting)
    say(f"Deleted the embeddings of {', '.join(dropped)}." if dropped else "No other embeddings were kept.")
    freed = store.compact() if dropped else 0
    if freed:
        say(f"The store is {freed / 2**20:.1f} MiB smaller.")
