"""`alignindex inspect`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alignimation_index.cli.bodies import body_model_option, body_source
from alignimation_index.cli.completion import complete_photo, complete_template
from alignimation_index.cli.output import check_not_indexed, data_folder, opened_store, progress_bar, say, store_path
from alignimation_index.cli.update import device_option
from alignimation_index.errors import UserError

if TYPE_CHECKING:
    from alignimation_index.datatypes import Pixels
    from alignimation_index.store.engine import Store


@click.command(short_help="See what the index sees on a photo.")
@click.argument("photo", shell_complete=complete_photo)
@click.argument("photo2", required=False, shell_complete=complete_photo)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A .png, .jpg or .webp."
)
@click.option(
    "--face",
    "numbers",
    metavar="NUMBER",
    type=int,
    multiple=True,
    help="Which face, by its number on the picture, or which body; twice for two photos.  [default: the largest]",
)
@click.option("--body", is_flag=True, help="A body instead of a face: its mask and keypoints.")
@click.option(
    "--template",
    metavar="NAME",
    help="Register the body to this one, see templates list.",
    shell_complete=complete_template,
)
@body_model_option
@device_option
@click.pass_context
def inspect(
    context: click.Context,
    photo: str,
    photo2: str | None,
    out: Path,
    numbers: tuple[int, ...],
    body: bool,
    template: str | None,
    body_model: str | None,
    device: str,
) -> None:
    """Draw what the index sees on PHOTO: faces, landmarks, pose, and how it is registered, step by step.

    With PHOTO2, that one is registered to the first. A photo that is not in the index is looked at on the spot, and
    nothing is kept.
    """
    from alignimation_index.render.sheet import save_picture

    paths = [photo, photo2] if photo2 else [photo]
    if len(numbers) > len(paths):
        raise click.UsageError("--face: at most one number for each photo")
    _check_not_a_photo(out, paths)
    with _store_if_any(context, out) as store:
        if body or template or body_model:
            picture = _draw_bodies(paths, store, numbers, template, body_model, device)
        else:
            picture = _draw_faces(paths, store, numbers, device)
    save_picture(picture, out)
    say(f"{out}: what there is to see on {' and '.join(paths)}")


def _draw_faces(paths: Sequence[str], store: Store | None, numbers: Sequence[int], device: str) -> Pixels:
    from alignimation_index.models.faces import EMBEDDED, face_models
    from alignimation_index.models.weights import WeightStore
    from alignimation_index.pipeline.inspection import inspect_faces

    models = face_models(EMBEDDED, WeightStore(data_folder() / "weights"), device)
    return inspect_faces(paths, store, models, numbers)


def _draw_bodies(
    paths: Sequence[str],
    store: Store | None,
    numbers: Sequence[int],
    template: str | None,
    body_model: str | None,
    device: str,
) -> Pixels:
    from alignimation_index.pipeline.bodies.inspected import inspect_bodies

    with progress_bar() as progress:
        source = partial(body_source, store, body_model, device, progress)
        return inspect_bodies(paths, store, source, numbers, template)


def _check_not_a_photo(out: Path, paths: Sequence[str]) -> None:
    for path in paths:
        if out.exists() and Path(path).exists() and out.samefile(path):
            raise UserError(f"{out} is the photo itself, and photos are never written. Choose another file.")


@contextmanager
def _store_if_any(context: click.Context, out: Path) -> Iterator[Store | None]:
    """The store; None where there is none yet."""
    if not store_path(context).exists():
        yield None
        return
    with opened_store(context) as store:
        with store.reading() as session:
            check_not_indexed(session, out)
        yield store
