"""`alignindex update`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alignimation_index.cli.bodies import body_model_option, find_all_bodies
from alignimation_index.cli.option_groups import Command, as_one
from alignimation_index.cli.output import data_folder, opened_store, progress_bar, say, say_table, say_waiting, warn

if TYPE_CHECKING:
    from alignimation_index.models.faces import FaceModelSource
    from alignimation_index.pipeline.progress import Progress, UpdateReport
    from alignimation_index.store.engine import Store

_SCAN = "scan"

_embedder = click.option(
    "--embedder", help="Face embedder of a new store.  [default: facenet-vggface2, else dlib-resnet]"
)
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where the networks run; auto takes a GPU where there is one.",
)
_min_face = click.option(
    "--min-face",
    metavar="SHARE",
    type=click.FloatRange(0.004, 0.5),
    help="Smallest face, as a share of the photo's shorter side; 0.012 for large groups, at some four times the time."
    " Kept for later updates, and done again for all photos.  [default: 0.025]",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1), help="Photos worked on side by side.  [default: one per processor]"
)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How photos are computed, as the user says it; see the options of the same names."""

    embedder: str | None
    device: str
    min_face: float | None
    workers: int | None


def model_options(command: Command) -> Command:
    """Add the options that say how photos are computed; the command is given them as one, `computing`."""
    return as_one(command, "computing", ModelOptions, (_embedder, device_option, _min_face, workers_option))


def _chosen_stages(_context: click.Context, _option: click.Parameter, names: str | None) -> list[str]:
    """The stages named, or all; without the scan, which comes first anyway."""
    if names == _SCAN:
        return []
    from alignimation_index.pipeline.stages import STAGES

    known = (_SCAN, *STAGES)
    chosen = known if names is None else [name.strip() for name in names.split(",")]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(known)}")
    return [name for name in chosen if name != _SCAN]


@click.command(short_help="Index new and changed photos.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@model_options
@click.option(
    "--stages",
    metavar="NAMES",
    callback=_chosen_stages,
    help="Only these, and what they build on: a list like metadata,describe. With scan alone, files are listed and "
    "sidecars read, and no photo is opened.  [default: all]",
)
@click.option("--bodies", is_flag=True, help="Also find the bodies on all photos: the costliest step.")
@body_model_option
@click.option(
    "--full-masks/--reduced-masks",
    default=None,
    help="Keep masks of bodies at full size; kept for later, and done again for all photos.  [default: reduced]",
)
@click.option("--profile", is_flag=True, help="Print where the time went.")
@click.pass_context
def update(
    context: click.Context,
    paths: tuple[Path, ...],
    computing: ModelOptions,
    stages: list[str],
    bodies: bool,
    body_model: str | None,
    full_masks: bool | None,
    profile: bool,
) -> None:
    """Index new and changed photos in all folders added so far, after adding PATHS to them.

    Each photo is computed once. Stopping at any time loses nothing: the next run goes on from there.
    """
    from alignimation_index.pipeline.scan import add_roots

    with opened_store(context, create=True) as store, progress_bar() as progress:
        add_roots(store, paths)
        keep_min_face(store, computing.min_face)
        report = _run(store, computing, stages, progress)
        print_report(report)
        if bodies or body_model or full_masks is not None:
            find_all_bodies(store, body_model, full_masks, computing.device, progress)
    if profile:
        print_profile(report)


def _run(store: Store, computing: ModelOptions, stages: list[str], progress: Progress) -> UpdateReport:
    if not stages:
        from alignimation_index.pipeline.listing import update_listing

        return update_listing(store, progress, say_waiting, computing.workers)
    from alignimation_index.pipeline.update import update as run_update

    models = choose_models(store, computing, progress, stages)
    return run_update(store, models, progress, say_waiting, computing.workers, stages=stages)


def keep_min_face(store: Store, share: float | None) -> None:
    """Keep the smallest face that is looked for, if one is given."""
    if share is not None:
        from alignimation_index.store.faces import keep_min_face_share

        with store.writing() as session:
            keep_min_face_share(session, share)


def choose_models(
    store: Store,
    computing: ModelOptions,
    progress: Progress,
    stages: Collection[str] | None = None,
) -> FaceModelSource:
    """The networks for a store, with its embedder pinned or chosen now; says so where it is second choice.

    The smallest face is the one that was kept, or the usual one. Where `stages` run no network, none is fetched.
    """
    from alignimation_index.models.embedders import choose_embedder
    from alignimation_index.models.faces import EMBEDDED, MIN_FACE_SHARE, FaceModelIds, face_models
    from alignimation_index.models.weights import WeightStore
    from alignimation_index.pipeline.stages import stage_keys, uses_networks, with_upstream
    from alignimation_index.store.faces import min_face_share, pinned_embedder

    device = computing.device
    with store.reading() as session:
        pinned, share = pinned_embedder(session), min_face_share(session) or MIN_FACE_SHARE
    weights = WeightStore(data_folder() / "weights")
    keys = stage_keys(FaceModelIds(pinned or EMBEDDED))
    if stages is not None and not uses_networks(with_upstream(stages, keys), keys):
        return face_models(pinned or EMBEDDED, weights, device, share)
    name, note = choose_embedder(
        computing.embedder, pinned, weights, lambda done, total: progress("weights", done, total)
    )
    if note:
        warn(note)
    return face_models(name, weights, device, share)


def print_report(report: UpdateReport) -> None:
    """Say what an update did."""
    for problem in report.problems:
        warn(f"Warning: {problem}")
    moved = f" ({report.files_moved} of them moved)" if report.files_moved else ""
    say(
        f"{report.files_seen} files: {report.files_changed} new or changed{moved}, {report.files_missing} gone. "
        f"{report.photos_computed} photos computed, {report.faces_found} faces found."
    )
    if report.videos_seen:
        say(f"Videos, which are not indexed: {report.videos_seen}.")
    if report.photos_failed:
        warn(f"{report.photos_failed} photos could not be read: see alignindex errors")


def print_profile(report: UpdateReport) -> None:
    """Say where an update's time went, the slowest step first."""
    from alignimation_index.pipeline.profile import peak_memory_mb

    seconds, photos = report.profile.seconds, report.photos_computed
    total = sum(seconds.values())
    rows = [
        (step, f"{spent:.3f}", f"{spent / total:.1%}", f"{1000 * spent / photos:.2f}" if photos else None)
        for step, spent in sorted(seconds.items(), key=lambda step: -step[1])
    ]
    say_table(["step", "seconds, all threads", "share", "ms per photo"], rows)
    memory = peak_memory_mb()
    say(
        f"{report.seconds:.2f} s on the clock, {photos / report.seconds:.1f} photos/s"
        + (f", peak memory {memory} MiB" if memory is not None else "")
    )
