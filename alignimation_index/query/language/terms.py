"""The terms of expressions: what each means, how its value is read, and what it asks of the store."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alignimation_index.query.language import conditions, values
from alignimation_index.query.language.conditions import Compile
from alignimation_index.query.language.values import Bounds


def _not_frontal(is_frontal: bool) -> str:
    return "not frontal (--any-pose keeps them)" if is_frontal else "frontal"


def _too_small(bounds: Bounds) -> str | None:
    return f"the face is smaller than {bounds.low:g} pixels" if bounds.low and bounds.high is None else None


def _above(bounds: Bounds) -> str | None:
    return f"the residual is above {bounds.high:g}" if bounds.high is not None and bounds.low is None else None


@dataclass(frozen=True, slots=True)
class TermKind:
    """What there is to know of a term.

    Attributes:
        examples: how it is written.
        meaning: what holds for a frame then.
        parse: from the text after the colon to a value; raises UserError with what would do.
        compile: the condition in SQL.
        of_face: whether it is asked of a face, rather than of a photo, with or without faces.
        measured: whether it is about how the face came out, rather than about who, when and where.
        unmet: why a frame is left out for which it does not hold, given the value; None: "not" and the term.
    """

    examples: str
    meaning: str
    parse: Callable[[str], Any]
    compile: Compile
    of_face: bool = False
    measured: bool = False
    unmet: Callable[[Any], str | None] = lambda _: None

    def written(self) -> str:
        """The examples as code of Markdown, apart."""
        return " ".join(f"`{example}`" for example in re.findall(r'(?:[^\s"]|"[^"]*")+', self.examples))


TERMS: dict[str, TermKind] = {
    "person": TermKind(
        'person:me person:"Ada L" person:3',
        "whose face it is, by name or number",
        values.text,
        conditions.person,
        of_face=True,
    ),
    "with": TermKind("with:Bob", "Bob is on the photo too", values.text, conditions.with_person),
    "without": TermKind("without:Bob", "Bob is not on the photo", values.text, conditions.without_person),
    "alone": TermKind("alone:yes", "the photo has one face", values.yes_or_no, conditions.alone),
    "year": TermKind(
        "year:2012 year:2000..2020 year:2015.. year:<2000", "the year it was taken", values.years, conditions.taken
    ),
    "date": TermKind(
        "date:2015-06 date:2015-06..2016 date:>=2015-06-12",
        "when it was taken; both ends belong to it",
        values.period,
        conditions.taken,
    ),
    "age": TermKind(
        "age:3 age:3..18 age:<1",
        "how old the person is, if you told a birthday",
        values.ages,
        conditions.number("age_years"),
        of_face=True,
    ),
    "frontal": TermKind(
        "frontal:yes",
        "the face looks at the camera",
        values.yes_or_no,
        conditions.frontal,
        of_face=True,
        measured=True,
        unmet=_not_frontal,
    ),
    "yaw": TermKind(
        "yaw:<20",
        "degrees it is turned, to whichever side",
        values.bounds("yaw:<20 or yaw:10..30"),
        conditions.angle("yaw_deg"),
        of_face=True,
        measured=True,
    ),
    "pitch": TermKind(
        "pitch:<15",
        "degrees it looks up or down",
        values.bounds("pitch:<15 or pitch:10..30"),
        conditions.angle("pitch_deg"),
        of_face=True,
        measured=True,
    ),
    "size": TermKind(
        "size:>=120 size:80..200",
        "longer side of the face in pixels of the photo",
        values.bounds("size:>=120, size:<300 or size:120..300"),
        conditions.number("size_px"),
        of_face=True,
        measured=True,
        unmet=_too_small,
    ),
    "quality": TermKind(
        "quality:>0.5",
        "of the face, from 0 to 1",
        values.bounds("quality:>0.5 or quality:0.3..0.6"),
        conditions.number("quality"),
        of_face=True,
        measured=True,
    ),
    "residual": TermKind(
        "residual:<0.05",
        "by how much the face misses the template, in frame sides",
        values.bounds("residual:<0.05 or residual:<=0.05"),
        conditions.number("residual"),
        of_face=True,
        measured=True,
        unmet=_above,
    ),
    "album": TermKind('album:"Summer 15" album:summer*', "an album it is in", values.text, conditions.album),
    "favourite": TermKind("favourite:yes", "it has a star in the export", values.yes_or_no, conditions.favourite),
    "camera": TermKind("camera:pixel camera:nikon*", "part of the camera's name", values.text, conditions.camera),
    "path": TermKind(
        "path:holiday path:*/2015/*.jpg", "part of a path, or a pattern of all of it", values.text, conditions.path
    ),
    "near": TermKind(
        "near:48.85,2.35,20km", "taken within a distance of a place, in km, m or mi", values.circle, conditions.near
    ),
    "kind": TermKind(
        "kind:face kind:body",
        "faces, as long as you do not say, or bodies; once for all",
        values.one_of("face", "body"),
        conditions.everything,
    ),
    "reviewed": TermKind(
        "reviewed:yes",
        "you, or a program in which you named faces, said whose it is",
        values.yes_or_no,
        conditions.reviewed,
        of_face=True,
    ),
}

PEOPLE = ("person", "with", "without")
"""The terms whose values are people."""
