"""A film as a file: every frame with its photo, date and transform, and how they are shown; enough to make it again.

It stands beside the film, as OUT.json. It is made to be read and changed by hand: order, times, labels, photos.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from alignimation_index import __version__
from alignimation_index.datatypes import Cutout
from alignimation_index.errors import UserError, in_words
from alignimation_index.pipeline.flow import batches
from alignimation_index.query.frames import Frame
from alignimation_index.render.files.replacing import failing_as_user_error, replacing_file
from alignimation_index.render.film.film import Film, Look, Progress, RenderReport, render_film
from alignimation_index.render.film.labels import Labels
from alignimation_index.render.film.tracks import Track
from alignimation_index.render.film.transitions.transition import Transition
from alignimation_index.render.stills.framing import Framing

FORMAT = "alignindex-film-1"

Part = TypeVar("Part", Framing, Transition, Labels)

_ARRAYS = ("box", "landmarks", "template_from_photo")
# More parameters than SQLite takes in one statement would be an error.
ASKED_AT_ONCE = 10_000
# Of no use to whoever makes the film again, and nothing that a person reads.
_LEFT_OUT = ("fingerprint",)


def record_path(out: Path) -> Path:
    """Where the record of a film stands: OUT.json."""
    return out.with_name(f"{out.name}.json")


def render_recorded(film: Film, out: Path, progress: Progress = lambda _done, _all: None) -> RenderReport:
    """Render a film as `render_film` does, and put its record beside it.

    Raises:
        UserError: see there; or something else stands where the record belongs.
    """
    path = record_path(out.absolute())
    _check_is_record(path)
    with replacing_file(path) as partial:
        return render_film(
            film, out, progress, lambda report: write_record(replace(film, tracks=report.tracks), partial)
        )


def write_record(film: Film, path: Path) -> None:
    """Write a film's record, readable by its owner alone: it holds faces, and paths of photos.

    Raises:
        UserError: it cannot be written.
    """
    with failing_as_user_error(path):
        with path.open("w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(_as_text(film))
        path.chmod(0o600)


def read_record(path: Path) -> Film:
    """Read a film's record.

    Raises:
        UserError: there is none, or it is not understood; the message says where.
    """
    try:
        written = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {in_words(error)}. Name the .json beside a film.") from error
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}. Mend it, or render the film anew.") from error
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise UserError(f"{path} is no record of a film that this version understands. Render the film anew.")
    try:
        return _film(written)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not understood: {type(error).__name__}: {error}. Mend it there.") from error


def with_paths(film: Film, find: Callable[[Sequence[str]], Mapping[str, str]]) -> Film:
    """The film with the paths that its photos have now.

    Args:
        film: as it was recorded.
        find: from content hashes to paths of files that hold them now, as far as that is known.
    """
    gone = {f.content_hash for track in film.tracks for f in track.frames if not Path(f.path).exists()}
    now: dict[str, str] = {}
    for some in batches(sorted(gone), ASKED_AT_ONCE):
        now |= find(some)
    tracks = [
        replace(track, frames=[replace(f, path=now.get(f.content_hash, f.path)) for f in track.frames])
        for track in film.tracks
    ]
    return replace(film, tracks=tracks)


def _check_is_record(path: Path) -> None:
    """Raise UserError where a file would be overwritten that is no record of a film."""
    if path.exists() and f'"format": "{FORMAT}"' not in path.read_text(errors="replace")[:200]:
        raise UserError(f"{path} is in the way: a film's record goes there, and it is none. Name another film.")


def _as_text(film: Film) -> Iterator[str]:
    """JSON with a frame per line, piece by piece."""
    head: dict[str, Any] = {"format": FORMAT, "version": __version__, "query": film.query, "columns": film.columns}
    head |= {"fps": film.look.fps, "codec": film.look.codec, "background": film.look.background}
    head |= {name: asdict(getattr(film.look, name)) for name in ("framing", "transition", "labels")}
    yield json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "tracks": ['
    for position, track in enumerate(film.tracks):
        yield "," * (position > 0) + "\n"
        yield from _track_text(track)
    yield "\n ]\n}\n"


def _track_text(track: Track) -> Iterator[str]:
    head = json.dumps({"title": track.title, "seconds": track.seconds}, ensure_ascii=False)
    yield f'  {head[:-1]}, "frames": ['
    for index, (frame, start_s) in enumerate(zip(track.frames, track.starts_s, strict=True)):
        row = json.dumps(_row(frame, start_s, track.missing.get(index)), ensure_ascii=False)
        yield f"{',' * (index > 0)}\n   {row}"
    yield "\n  ]}"


def _row(frame: Frame, start_s: float, missing: str | None) -> dict[str, Any]:
    row: dict[str, Any] = {"start_s": start_s} if missing is None else {"start_s": start_s, "missing": missing}
    return row | {one.name: _plain(getattr(frame, one.name)) for one in fields(Frame) if one.name not in _LEFT_OUT}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of a frame
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Cutout):
        return {"png": b64encode(value.png).decode(), "photo_from_mask": value.photo_from_mask.tolist()}
    return value.isoformat() if isinstance(value, datetime) else value


def _film(written: Mapping[str, Any]) -> Film:
    look = Look(
        _part(Framing, written["framing"]),
        _part(Transition, written["transition"]),
        float(written["fps"]),
        _part(Labels, written["labels"]),
        written["codec"],
        str(written["background"]),
    )
    tracks = [_track(one) for one in written["tracks"]]
    if not tracks:
        raise ValueError("there are no tracks")
    return Film(tracks, look, str(written["query"]), written["columns"])


def _part(kind: type[Part], written: Mapping[str, Any]) -> Part:
    return kind(**written)


def _track(written: Mapping[str, Any]) -> Track:
    rows = written["frames"]
    missing = {index: row["missing"] for index, row in enumerate(rows) if "missing" in row}
    starts_s = [float(row["start_s"]) for row in rows]
    if starts_s != sorted(starts_s):
        raise ValueError("start_s has to rise from frame to frame")
    return Track([_frame(row) for row in rows], starts_s, float(written["seconds"]), str(written["title"]), missing)


def _frame(row: Mapping[str, Any]) -> Frame:
    values = {name: value for name, value in row.items() if name not in ("start_s", "missing")}
    for name in _ARRAYS:
        values[name] = np.array(values[name], np.float32)
    values["taken_at"] = values["taken_at"] and datetime.fromisoformat(values["taken_at"])
    if cutout := values["cutout"]:
        values["cutout"] = Cutout(b64decode(cutout["png"]), np.array(cutout["photo_from_mask"], np.float64))
    return Frame(**values)
