"""`alignindex people`."""

from __future__ import annotations

from pathlib import Path

import click

from alignimation_index.cli.filters import including_hidden
from alignimation_index.cli.output import check_not_indexed, opened_store, say, say_json, say_table, warn


@click.group(short_help="Who is on the photos: list, show, name.")
def people() -> None:
    """Who is on the photos."""


@people.command("list", short_help="List everyone, most photos first.")
@including_hidden
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def list_people(context: click.Context, /, as_json: bool, **hidden: bool) -> None:
    """List everyone, most photos first."""
    from alignimation_index.store.people import summaries

    with opened_store(context) as store, store.reading() as session:
        everyone = summaries(session, **hidden)
    fields = ("id", "name", "photo_count", "first_year", "last_year")
    if as_json:
        say_json([{field: getattr(person, field) for field in fields} for person in everyone])
    else:
        rows = ((getattr(person, field) for field in fields) for person in everyone)
        say_table(("number", "name", "photos", "first", "last"), (tuple(row) for row in rows))


@people.command(short_help="Draw a person's faces on a contact sheet.")
@click.argument("person")
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A .jpg, .png, .webp."
)
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many, evenly chosen.")
@including_hidden
@click.pass_context
def show(context: click.Context, /, person: str, out: Path, limit: int, **hidden: bool) -> None:
    """Draw the faces of PERSON (a name or number) in the order of time, with their dates."""
    from alignimation_index.query.expression import FrameFilter
    from alignimation_index.query.frames import select_frames, who_is
    from alignimation_index.render.people import person_sheet
    from alignimation_index.render.sheet import save_picture

    with opened_store(context) as store, store.reading() as session:
        check_not_indexed(session, out)
        number, note = who_is(session, person)
        frames = select_frames(session, FrameFilter(person=number, **hidden))
    if note:
        warn(note)
    sheet, left_out = person_sheet(frames, limit)
    save_picture(sheet, out)
    for path, reason in left_out:
        warn(f"Left out {path}: {reason}")
    say(f"{out}: {min(len(frames), limit) - len(left_out)} of {len(frames)} faces")


@people.command(short_help="Say what a person is called.")
@click.argument("number", type=int)
@click.argument("name")
@click.pass_context
def name(context: click.Context, number: int, name: str) -> None:
    """Call person NUMBER (see people list) NAME. `me` is who you are."""
    from alignimation_index.store.people import name_person

    with opened_store(context) as store, store.writing() as session:
        name_person(session, number, name)
    say(f"Person {number} is {name}.")
