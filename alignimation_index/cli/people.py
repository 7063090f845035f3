"""`alignindex people`: who there is, and what there is to review."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alignimation_index.cli import forget, person_answers
from alignimation_index.cli.completion import complete_person
from alignimation_index.cli.filters import including_hidden
from alignimation_index.cli.listings import as_json_option
from alignimation_index.cli.output import check_not_indexed, opened_store, say, say_json, say_table, warn

if TYPE_CHECKING:
    from alignimation_index.query.history import Entry
    from alignimation_index.query.people import FaceSuggestion, NameOffer, PersonSummary


@click.group(short_help="Who is on the photos: list, name, correct.")
def people() -> None:
    """Who is on the photos.

    A PERSON is a name or a number (see people list), a FACE a number (see people show, or faces). What you say holds
    for good, whatever is detected or grouped anew; people undo takes it back.
    """


for command in person_answers.COMMANDS:
    people.add_command(command)
people.add_command(forget.forget)


@people.command("list", short_help="List everyone, most photos first.")
@including_hidden
@click.option("--include-hidden", is_flag=True, help="Also people that were hidden.")
@as_json_option
@click.pass_context
def list_people(context: click.Context, /, as_json: bool, **hidden: bool) -> None:
    """List everyone, most photos first, with how many faces wait for you to confirm or reject them."""
    from alignimation_index.query.people import name_offers, summaries

    with opened_store(context) as store, store.reading() as session:
        everyone = summaries(session, **hidden)
        offers = {offer.person_id: offer for offer in name_offers(session)}
    if as_json:
        say_json([_person_json(person) for person in everyone])
        return
    rows = (
        (p.id, _name(p, offers), p.photo_count, p.first_year, p.last_year, p.to_review or None, p.born)
        for p in everyone
    )
    say_table(("number", "name", "photos", "first", "last", "to review", "born"), rows)


def _name(person: PersonSummary, offers: Mapping[int, NameOffer]) -> str | None:
    """The name, or in brackets what it probably is."""
    offer = offers.get(person.id)
    return person.name or (f"({offer.name}?)" if offer else None)


def _person_json(person: PersonSummary) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "name_source": person.name_source or ("answer" if person.name else None),
        "photo_count": person.photo_count,
        "first_year": person.first_year,
        "last_year": person.last_year,
        "to_review": person.to_review,
        "hidden": person.hidden,
        "birthday": person.born and person.born.isoformat(),
        "cover_face_id": person.cover_face_id,
    }


_out = click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A .jpg, .png, .webp."
)
_limit = click.option(
    "--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many, evenly chosen."
)


@people.command(short_help="Draw a person's faces on a contact sheet.")
@click.argument("person", shell_complete=complete_person)
@_out
@_limit
@including_hidden
@click.pass_context
def show(context: click.Context, /, person: str, out: Path, limit: int, **hidden: Any) -> None:  # noqa: ANN401
    """Draw the faces of PERSON in the order of time: number, date, and age if there is a birthday.

    Doubtful ones have a coloured frame.
    """
    from dataclasses import replace

    from alignimation_index.query.frames import select_frames
    from alignimation_index.query.language.expression import FrameFilter, term
    from alignimation_index.query.people import who_is
    from alignimation_index.render.people import person_sheet
    from alignimation_index.render.sheet import save_picture

    with opened_store(context) as store, store.reading() as session:
        check_not_indexed(session, out)
        number, note = who_is(session, person)
        frames = select_frames(session, replace(FrameFilter(term("person", number)), **hidden))
    if note:
        warn(note)
    sheet, left_out = person_sheet(frames, limit)
    save_picture(sheet, out)
    for path, reason in left_out:
        warn(f"Left out {path}: {reason}")
    doubtful = sum(frame.is_doubtful for frame in frames)
    say(
        f"{out}: {min(len(frames), limit) - len(left_out)} of {len(frames)} faces"
        + (f", {doubtful} of them doubtful" if doubtful else "")
    )


@people.command(short_help="List faces that may be somebody, and probable names.")
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Draw the faces: a .jpg, .png, .webp."
)
@_limit
@including_hidden
@as_json_option
@click.pass_context
def suggestions(context: click.Context, /, out: Path | None, limit: int, as_json: bool, **hidden: bool) -> None:
    """List faces that may be somebody, the likeliest first, and what people are probably called.

    Nothing of it holds before you say so: people confirm FACE..., people reject FACE..., people name.
    """
    from alignimation_index.query.people import name_offers
    from alignimation_index.query.people import suggestions as suggested_faces

    with opened_store(context) as store, store.reading() as session:
        offers, faces = name_offers(session), suggested_faces(session, **hidden)
        if out is not None:
            check_not_indexed(session, out)
            _draw_suggestions(context, faces[:limit], out)
    if as_json:
        say_json({"names": [offer._asdict() for offer in offers], "faces": [face._asdict() for face in faces]})
        return
    for offer in offers:
        say(
            f"Person {offer.person_id} is probably {offer.name}: {offer.shared} of {offer.named} photos that name "
            f'{offer.name} show them. Confirm with: alignindex people name {offer.person_id} "{offer.name}"'
        )
    rows = ((f.face_id, f.person or f"person {f.person_id}", _certainty(f), f"{f.score:.1f}") for f in faces)
    say_table(("face", "person", "is", "log-odds"), rows)
    if out is not None:
        say(f"{out}: {min(limit, len(faces))} of {len(faces)} faces")


def _certainty(face: FaceSuggestion) -> str:
    return "doubtful" if face.is_assigned else "suggested"


def _draw_suggestions(context: click.Context, faces: list[FaceSuggestion], out: Path) -> None:
    from alignimation_index.query.frames import frames_of_faces
    from alignimation_index.render.people import face_sheet
    from alignimation_index.render.sheet import save_picture

    with opened_store(context) as store, store.reading() as session:
        frames = frames_of_faces(session, [face.face_id for face in faces])
    who = {face.face_id: f"{face.person or face.person_id}?" for face in faces}
    sheet, left_out = face_sheet([(frame, who[frame.face_id], False) for frame in frames])
    save_picture(sheet, out)
    for path, reason in left_out:
        warn(f"Left out {path}: {reason}")


@people.command(short_help="List what was answered.")
@click.argument("person", required=False, shell_complete=complete_person)
@as_json_option
@click.pass_context
def history(context: click.Context, person: str | None, as_json: bool) -> None:
    """List what was answered, in order, with the numbers that people undo takes; with PERSON what is about them."""
    from alignimation_index.query.history import history as answers
    from alignimation_index.query.people import numbers_of, person_at

    with opened_store(context) as store, store.reading() as session:
        entries = answers(session, None if person is None else numbers_of(session, person_at(session, person)))
    if as_json:
        say_json([_entry_json(entry) for entry in entries])
        return
    rows = (
        (entry.number, _local(entry), "undone" if entry.is_undone else None, entry.source, entry.text)
        for entry in entries
    )
    say_table(("number", "when", "undone", "from", "what"), rows)


def _local(entry: Entry) -> str:
    from datetime import timezone

    return entry.answered_at_utc.replace(tzinfo=timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M")


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "when": _local(entry),
        "kind": entry.kind,
        "undone": entry.is_undone,
        "source": entry.source,
        "people": entry.people,
        "other": entry.other,
        "faces": entry.faces,
        "value": entry.value,
        "text": entry.text,
    }
