"""`alignindex photos`: list them, and say when they were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli.completion import complete_photo
from alignimation_index.cli.default_command import GroupWithDefault
from alignimation_index.cli.filters import choosing_output, expression_argument, including_hidden
from alignimation_index.cli.output import (
    opened_store,
    say,
    say_csv,
    say_json_array,
    say_lines,
    say_table,
    warn,
)
from alignimation_index.library.dates.sources import SOURCES

if TYPE_CHECKING:
    from alignimation_index.query.photos import IndexedPhoto

_CSV_COLUMNS = (
    *("path", "content_hash", "taken_at", "taken_at_source", "utc_offset", "albums", "google_people", "latitude"),
    *("longitude", "rating", "favourite", "archived", "trashed", "camera", "width", "height", "status"),
)


@click.group(
    cls=GroupWithDefault,
    default="list",
    short_help="List the photos; say when they were taken.",
    options_metavar="",
    subcommand_metavar="[[list] [OPTIONS] [EXPR] | COMMAND [ARGS]...]",
)
def photos() -> None:
    """List the photos, as `photos list` does, or say when they were taken."""


@photos.command("list", short_help="List the photos.")
@expression_argument
@click.option("--date-source", type=click.Choice(SOURCES), help="Only those whose date comes from there.")
@click.option(
    "--videos", is_flag=True, help="The videos instead, which are not indexed, and whose stills they go with."
)
@including_hidden
@choosing_output
@click.pass_context
def list_photos(
    context: click.Context,
    /,
    expression: str,
    date_source: str | None,
    videos: bool,
    output: str | None,
    **hidden: bool,
) -> None:
    """List the photos; with EXPR those that are as it says (see query).

    Where EXPR asks of faces (person, age, frontal, size, ...), those with a face of which all of it holds.
    """
    from alignimation_index.query.language.expression import parse_expression
    from alignimation_index.query.language.photo_selection import PhotoFilter, count_photos, stream_photo_paths
    from alignimation_index.query.language.selection import remarks
    from alignimation_index.query.photos import select_photos

    if videos:
        _list_videos(context, output)
        return
    wanted = parse_expression(expression)
    photos = PhotoFilter(wanted.condition, date_source, **hidden)
    with opened_store(context) as store, store.reading() as session:
        for remark in remarks(session, wanted):
            warn(remark)
        if output == "count":
            say(str(count_photos(session, photos)))
        elif output == "paths":
            say_lines(stream_photo_paths(session, photos))
        elif output == "json":
            say_json_array(map(_photo_json, select_photos(session, photos)))
        elif output == "csv":
            say_csv(_CSV_COLUMNS, map(_photo_json, select_photos(session, photos)))
        else:
            listed = select_photos(session, photos)
            rows = ((photo.taken_at, photo.taken_at_source, photo.status, photo.paths[0]) for photo in listed)
            say_table(("taken", "source", "status", "path"), rows)


def _list_videos(context: click.Context, output: str | None) -> None:
    from alignimation_index.query.photos import select_videos

    with opened_store(context) as store, store.reading() as session:
        listed = select_videos(session)
        if output == "json":
            say_json_array({"path": path, "still": still} for path, still in listed)
        elif output == "csv":
            say_csv(("path", "still"), ({"path": path, "still": still} for path, still in listed))
        elif output == "paths":
            say_lines(path for path, _ in listed)
        elif output == "count":
            say(str(sum(1 for _ in listed)))
        else:
            say_table(("video", "still"), listed)


@photos.command(short_help="Say when photos were taken.")
@click.argument("date")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, shell_complete=complete_photo)
@click.option("--offset", metavar="+HH:MM", help="What the clock was ahead of UTC.")
@click.pass_context
def set_date(context: click.Context, date: str, photos: tuple[str, ...], offset: str | None) -> None:
    """Say that each PHOTO (a path or content hash) was taken on DATE, by the clock on the spot.

    DATE is like 2004-05-06, "2004-05-06 07:08" or 2004. It stands, whatever the photo or its sidecars say.
    """
    from alignimation_index.library.dates.resolve import parse_answer
    from alignimation_index.pipeline.answers import set_dates

    taken_at = parse_answer(date, offset)
    with opened_store(context) as store:
        count = set_dates(store, photos, taken_at)
    say(f"{_counted(count)} taken {taken_at.isoformat(' ')}")


@photos.command(short_help="Take back when photos were taken.")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, shell_complete=complete_photo)
@click.pass_context
def unset_date(context: click.Context, photos: tuple[str, ...]) -> None:
    """Take back what `set-date` said of each PHOTO (a path or content hash)."""
    from alignimation_index.pipeline.answers import unset_dates

    with opened_store(context) as store:
        count = unset_dates(store, photos)
    say(f"{_counted(count)} dated by what speaks of them")


def _counted(photos: int) -> str:
    return "1 photo" if photos == 1 else f"{photos} photos"


def _photo_json(photo: IndexedPhoto) -> dict[str, Any]:
    return {
        "path": photo.paths[0],
        "paths": photo.paths,
        "content_hash": photo.content_hash,
        "taken_at": photo.taken_at and photo.taken_at.isoformat(),
        "taken_at_source": photo.taken_at_source,
        "utc_offset": photo.utc_offset,
        "albums": photo.albums,
        "google_people": photo.google_people,
        "latitude": photo.latitude_deg,
        "longitude": photo.longitude_deg,
        "rating": photo.rating,
        "favourite": photo.favourite,
        "archived": photo.archived,
        "trashed": photo.trashed,
        "camera": photo.camera,
        "width": photo.width_px,
        "height": photo.height_px,
        "status": photo.status,
        "group": photo.group and photo.group._asdict(),
        "videos": photo.videos,
        "sidecars": [sidecar._asdict() for sidecar in photo.sidecars],
        "regions": [
            {"name": region.name, "box": region.box.astype(float).round(2).tolist()} for region in photo.regions
        ],
    }
