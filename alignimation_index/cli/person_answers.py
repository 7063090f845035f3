"""`alignindex people …`: commands that say something about people, and take it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from alignimation_index.cli.completion import complete_person
from alignimation_index.cli.output import opened_store, say, warn

if TYPE_CHECKING:
    from alignimation_index.pipeline.person_answers import Given

_person = click.argument("person", shell_complete=complete_person)
_perhaps_person_and_faces = click.argument(
    "arguments", metavar="[NAME] FACE...", nargs=-1, required=True, shell_complete=complete_person
)
_faces = click.argument("faces", metavar="FACE...", type=int, nargs=-1, required=True)
_person_option = click.option("--person", metavar="PERSON", help="Of whom you speak.", shell_complete=complete_person)


def _tell(given: Given, line: str) -> None:
    """Say what was answered, and how to take it back."""
    for note in given.notes:
        warn(f"Note: {note}")
    say(f"{line} (answer {given.number}; to take it back: alignindex people undo {given.number})")
    if not given.has_followed:
        say("What follows from it for other faces is worked out by the next update.")


def _counted(faces: Sequence[int]) -> str:
    return f"Face {faces[0]} is" if len(set(faces)) == 1 else f"{len(set(faces))} faces are"


@click.command(short_help="Say what a person is called.")
@_person
@click.argument("name")
@click.option("--merge", is_flag=True, help="If somebody is called that, they are the same person.")
@click.pass_context
def name(context: click.Context, person: str, name: str, merge: bool) -> None:
    """Call PERSON NAME; "" takes the name away. `me` is who you are."""
    from alignimation_index.pipeline.person_answers import name_person

    with opened_store(context) as store:
        given = name_person(store, person, name, merge=merge)
    _tell(given, f"Person {given.person} is {name.strip()}." if name.strip() else f"Person {given.person} has no name.")


@click.command(short_help="Say that faces are somebody.")
@_perhaps_person_and_faces
@_person_option
@click.option("--new", is_flag=True, help="PERSON is somebody new, if nobody is called that.")
@click.pass_context
def confirm(context: click.Context, arguments: tuple[str, ...], person: str | None, new: bool) -> None:
    """Say that each FACE is PERSON, or, without one, whom it is taken for or suggested to be.

    Only --person takes a person's number, since a number before faces is a face too.
    """
    from alignimation_index.pipeline.person_answers import confirm

    person, faces = _person_and_faces(arguments, person)
    if new and person is None:
        raise click.UsageError("--new needs a name: people confirm --new --person NAME FACE...")
    with opened_store(context) as store:
        given = confirm(store, faces, person, create=new)
    _tell(given, f"{_counted(faces)} {given.called or 'whom they were taken for'}.")


@click.command(short_help="Say that faces are not somebody.")
@_perhaps_person_and_faces
@_person_option
@click.pass_context
def reject(context: click.Context, arguments: tuple[str, ...], person: str | None) -> None:
    """Say that no FACE is PERSON, or, without one, whom it is taken for or suggested to be; nor ever will be.

    Only --person takes a person's number, since a number before faces is a face too.
    """
    from alignimation_index.pipeline.person_answers import reject

    person, faces = _person_and_faces(arguments, person)
    with opened_store(context) as store:
        given = reject(store, faces, person)
    _tell(given, f"{_counted(faces)} not {given.called or 'whom they were taken for'}.")


def _person_and_faces(arguments: Sequence[str], person: str | None) -> tuple[str | None, list[int]]:
    if person is None and not arguments[0].isdecimal():
        person, *arguments = arguments
    wrong = [argument for argument in arguments if not argument.isdecimal()]
    if wrong or not arguments:
        raise click.UsageError(f"{wrong[0]!r} is no number of a face." if wrong else "Missing argument 'FACE...'.")
    return person, [int(argument) for argument in arguments]


@click.command("not-a-face", short_help="Say that what was found is no face.")
@_faces
@click.pass_context
def not_a_face(context: click.Context, faces: tuple[int, ...]) -> None:
    """Say that each FACE is none; it is left out everywhere. Confirming it later makes it a face again."""
    from alignimation_index.pipeline.person_answers import deny_faces

    with opened_store(context) as store:
        given = deny_faces(store, faces)
    _tell(given, f"{_counted(faces)} no face.")


@click.command(short_help="Say that two people are one.")
@_person
@click.argument("others", metavar="OTHER...", nargs=-1, required=True, shell_complete=complete_person)
@click.pass_context
def merge(context: click.Context, person: str, others: tuple[str, ...]) -> None:
    """Say that each OTHER is PERSON, whose number and name stay. Taken back, each has their own faces again."""
    from alignimation_index.pipeline.person_answers import merge

    with opened_store(context) as store:
        for other in others:
            given = merge(store, person, other)
            _tell(given, f"{other} is {given.called}.")


@click.command(short_help="Say that some faces of a person are somebody else.")
@_person
@_faces
@click.option("--name", help="What the other person is called.")
@click.pass_context
def split(context: click.Context, person: str, faces: tuple[int, ...], name: str | None) -> None:
    """Say that each FACE of PERSON is somebody else: a new person."""
    from alignimation_index.pipeline.person_answers import split

    with opened_store(context) as store:
        given = split(store, person, faces, name)
    _tell(given, f"{_counted(faces)} {f'{name}, ' if name else ''}person {given.person}.")


@click.command(short_help="Leave a person out of lists.")
@_person
@click.pass_context
def hide(context: click.Context, person: str) -> None:
    """Leave PERSON out of people list and people suggestions."""
    from alignimation_index.pipeline.person_answers import hide

    with opened_store(context) as store:
        given = hide(store, person)
    _tell(given, f"{_begin(given)} is hidden.")


@click.command(short_help="List a hidden person again.")
@_person
@click.pass_context
def unhide(context: click.Context, person: str) -> None:
    """List PERSON again."""
    from alignimation_index.pipeline.person_answers import hide

    with opened_store(context) as store:
        given = hide(store, person, hidden=False)
    _tell(given, f"{_begin(given)} is listed.")


def _day(_context: click.Context, _option: click.Parameter, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(f"{text!r} is no day. Write it like 2004-05-06.") from None


@click.command(short_help="Say when a person was born.")
@_person
@click.argument("day", metavar="DATE", callback=_day)
@click.pass_context
def birthday(context: click.Context, person: str, day: date | None) -> None:
    """Say that PERSON was born on DATE (like 2004-05-06; "" takes it away): no earlier face is theirs.

    Their faces have an age from then on.
    """
    from alignimation_index.pipeline.person_answers import set_birthday

    with opened_store(context) as store:
        given = set_birthday(store, person, day)
    _tell(given, f"{_begin(given)} {f'was born on {day}' if day else 'has no birthday'}.")


@click.command(short_help="Choose the face that stands for a person.")
@_person
@click.argument("face", type=int)
@click.pass_context
def cover(context: click.Context, person: str, face: int) -> None:
    """Let FACE stand for PERSON."""
    from alignimation_index.pipeline.person_answers import set_cover

    with opened_store(context) as store:
        given = set_cover(store, person, face)
    _tell(given, f"Face {face} stands for {given.called}.")


@click.command(short_help="Take an answer back.")
@click.argument("number", type=int, required=False)
@click.pass_context
def undo(context: click.Context, number: int | None) -> None:
    """Take answer NUMBER back (see people history), or the latest; say it again to undo that."""
    from alignimation_index.pipeline.person_answers import undo

    with opened_store(context) as store:
        undone = undo(store, number)
    say(f"Undone: answer {undone}")


def _begin(given: Given) -> str:
    return given.called[0].upper() + given.called[1:]


COMMANDS: tuple[click.Command, ...] = (
    name,
    confirm,
    reject,
    not_a_face,
    merge,
    split,
    hide,
    unhide,
    birthday,
    cover,
    undo,
)
