"""`alignindex render`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from alignimation_index.cli.bodies import BodyOptions, body_options, choose_bodies, cut_out_people
from alignimation_index.cli.choosing import Asked, asked, choosing_film, say_left_out
from alignimation_index.cli.choosing import explain as explain_choice
from alignimation_index.cli.film import FilmOptions, film_options, query_in_words
from alignimation_index.cli.filters import choosing_frames, frame_filter
from alignimation_index.cli.framing import FramingOptions, framing_options, say_what_is_inside
from alignimation_index.cli.output import check_not_indexed, opened_store, progress_bar, say, store_path, warn

if TYPE_CHECKING:
    from alignimation_index.query.choosing.choose import Chosen
    from alignimation_index.query.language.expression import FrameFilter
    from alignimation_index.render.film.film import Film, Look
    from alignimation_index.store.engine import Store


@click.command(short_help="Render frames as an aligned film.")
@choosing_frames
@body_options
@click.option(
    "--frontal/--any-pose", default=None, help="Only faces that look at the camera, or all.  [default: frontal]"
)
@choosing_film
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="A .mp4, .mov, .webm, .gif or .webp; a .jpg or .png for a sheet of the frames; without suffix a folder of PNG "
    "pictures. Needed but for --explain.",
)
@framing_options
@film_options
@click.option("--json", "as_json", is_flag=True, help="With --explain: for programs.")
@click.pass_context
def render(
    context: click.Context,
    /,
    out: Path | None,
    framing: FramingOptions,
    film: FilmOptions,
    record: Path | None,
    explain: bool,
    as_json: bool,
    bodies: BodyOptions,
    **options: Any,  # noqa: ANN401
) -> None:
    """Render the frames that EXPR and the options choose (see query), in the order of time.

    Each photo is warped once, straight from the file; nothing is stretched. With --body the frames are bodies, in any
    pose, registered to a template. OUT.json beside the film lists its frames; --from makes the film again from that.
    """
    if out is None and not explain:
        raise click.MissingParameter(param_type="option", param_hint="'-o' / '--out'")
    if record is not None and out is not None:
        _check_alone(context)
        _render(_recorded(context, record, out), out)
        return
    look = film.look(framing.framing(), framing.background, is_folder=out is not None and not out.suffix)
    with opened_store(context) as store:
        if out is not None:
            _check_place(store, out)
        chosen = [_choose(context, store, film, bodies, side, options) for side in film.sides or ("",)]
        if out is None or explain:
            for one in chosen:
                explain_choice(one, as_json=as_json)
            return
        if framing.replaces_background:
            chosen = [replace(one, frames=cut_out_people(store, one.frames, bodies)) for one in chosen]
    for one in chosen:
        say_what_is_inside(one.frames, look.framing)
    _render(_film(chosen, film, look, query_in_words(options["expression"], _given(context))), out)
    for one in chosen:
        say_left_out(one)


def _choose(
    context: click.Context, store: Store, film: FilmOptions, bodies: BodyOptions, side: str, options: dict[str, Any]
) -> Chosen:
    """Choose the frames of a film, or of one side of it: of a person, or those that an expression narrows down."""
    theirs = dict(options)
    if ":" in side:
        theirs["expression"] = f"({options['expression']}) ({side})" if options["expression"] else side
    elif side:
        theirs["person"] = side
    request = asked(context, store, film.photos_per_second, **theirs)
    wanted = frame_filter(**request.filters)
    if bodies.wanted or wanted.kind == "body":
        chosen = choose_bodies(store, wanted, bodies, request.choice)
    else:
        chosen = _choose_faces(store, wanted, request)
    if chosen.note:
        warn(chosen.note)
    return chosen


def _choose_faces(store: Store, wanted: FrameFilter, request: Asked) -> Chosen:
    """Those that look at the camera, unless something else is said of that."""
    from alignimation_index.query.choosing.choose import choose_frames
    from alignimation_index.query.language.expression import term
    from alignimation_index.query.language.tree import mentions

    if not (request.any_pose or mentions(wanted.condition, "frontal")):
        wanted = wanted.narrowed(term("frontal", "yes"))
    with store.reading() as session:
        return choose_frames(session, wanted, request.choice)


def _film(chosen: Sequence[Chosen], options: FilmOptions, look: Look, query: str) -> Film:
    from alignimation_index.render.film.film import Film, not_cut_out
    from alignimation_index.render.film.tracks import Track, compared, day_of, on_one_clock

    sides = options.sides or ("",)
    tracks = [
        Track(one.frames, one.starts_s, one.seconds, _title(one, side)) for one, side in zip(chosen, sides, strict=True)
    ]
    if options.compare:
        tracks = compared(tracks)
    if options.grid:
        tracks = on_one_clock(tracks, day_of)
    undated = sum(len(one.frames) for one in chosen) - sum(len(track.frames) for track in tracks)
    if undated:
        say(f"Left out {undated} photos: without a date, or an age, they have no place beside others")
    tracks = [replace(track, missing=not_cut_out(track.frames, look.background)) for track in tracks]
    return Film(tracks, look, query, columns=2 if options.compare else None)


def _title(chosen: Chosen, side: str) -> str:
    return side or next((frame.person for frame in chosen.frames if frame.person), "")


def _render(film: Film, out: Path) -> None:
    from alignimation_index.render.film.record import render_recorded
    from alignimation_index.render.film.sheet import is_sheet, render_sheet

    with progress_bar() as progress:

        def show(done: int, total: int) -> None:
            progress("frames", done, total)

        report = render_sheet(film, out, show) if is_sheet(out) else render_recorded(film, out, show)
    for path, reason in report.left_out:
        warn(f"Left out {path}: {reason}")
    if report.too_close:
        say(f"Left out {report.too_close} photos: closer together than --transition blend can show")
    say(f"{out}: {report.in_words}")


def _recorded(context: click.Context, record: Path, out: Path) -> Film:
    """The film of a record; photos that have moved are looked for in the store, if there is one."""
    from alignimation_index.query.photos import paths_of
    from alignimation_index.render.film.record import read_record, with_paths

    film = read_record(record)
    if not store_path(context).exists():
        return film
    with opened_store(context) as store:
        _check_place(store, out)
        with store.reading() as session:
            return with_paths(film, lambda hashes: paths_of(session, hashes))


def _check_place(store: Store, out: Path) -> None:
    with store.reading() as session:
        check_not_indexed(session, out)


def _check_alone(context: click.Context) -> None:
    """Refuse options that a record would silently overrule."""
    others = [name for name in _given(context) if name not in ("out", "record")]
    if others:
        raise click.UsageError(
            f"--from has all that the film is made of: edit that file instead of giving {', '.join(others)}."
        )


def _given(context: click.Context) -> dict[str, Any]:
    """What the command line says itself."""
    source = context.get_parameter_source
    return {name: value for name, value in context.params.items() if source(name) is ParameterSource.COMMANDLINE}
