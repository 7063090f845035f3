"""From a filter to the faces that it wants: their ids in the order of time, their count, and why others are out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.query.language.conditions import Asked, is_among
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.query.language.rows import FaceRow, PhotoRow
from alignimation_index.query.language.rows import Row as AskedRow
from alignimation_index.query.language.terms import PEOPLE, TERMS
from alignimation_index.query.language.tree import Condition, Not, Or, Term, conjuncts, in_words, mentions, terms_of
from alignimation_index.query.people import who_is
from alignimation_index.store.identity_tables import PersonState
from alignimation_index.store.listed_tables import ARCHIVED, TRASHED, ListedFace, ListedPhoto
from alignimation_index.store.tables import Photo

AT_FIRST, AT_ONCE = 100, 1000
"""Rows in memory at a time: few at first, so that something is seen soon."""

FEW_PHOTOS = 1000
"""Photos whose faces are looked up."""

_Conditions = list[ColumnElement[bool]]


def compiled(session: Session, condition: Condition, row: AskedRow) -> ColumnElement[bool]:
    """A condition in SQL, asked of faces or of photos.

    Raises:
        UserError: somebody or something is not known; the message points at the term.
    """
    if isinstance(condition, Term):
        try:
            return TERMS[condition.name].compile(Asked(session, row, condition.value))
        except UserError as error:
            raise condition.value_place.error(str(error)) from None
    if isinstance(condition, Not):
        return ~func.coalesce(compiled(session, condition.part, row), False)
    parts = [compiled(session, part, row) for part in condition.parts]
    return or_(*parts) if isinstance(condition, Or) else and_(true(), *parts)


def count_faces(session: Session, wanted: FrameFilter) -> int:
    """How many frames are wanted.

    Raises:
        UserError: as `compiled` does.
    """
    if is_of_faces(wanted.condition):
        counted = select(func.count()).select_from(ListedFace).where(*_asked(session, wanted, FaceRow()))
    else:
        counted = select(func.sum(ListedPhoto.faces)).where(*_asked(session, wanted, PhotoRow()))
    return (session.scalar(counted) or 0) - count_variants_left_out(session, wanted)


def count_variants_left_out(session: Session, wanted: FrameFilter) -> int:
    """How many frames are wanted but for being on a better variant of their photo as well; 0 with `all_variants`."""
    if wanted.all_variants:
        return 0
    grouped = ListedFace.variant_group.is_not(None)  # an index has all that is asked of those
    conditions = (
        grouped,
        *_asked(session, wanted, FaceRow(found=True)),
        _is_on_a_better(session, wanted),
    )
    return session.scalar(select(func.count()).select_from(ListedFace).where(*conditions)) or 0


def stream_face_ids(session: Session, wanted: FrameFilter) -> Iterator[Sequence[int]]:
    """The faces that are wanted, in the order of time and then of paths, some at a time.

    Raises:
        UserError: as `compiled` does; at the call, not later.
    """
    conditions = [*_on_few_photos(session, wanted), *_wanted(session, wanted, FaceRow())]
    statement = in_order(select(ListedFace.face_id).where(*conditions))
    sizes = [AT_FIRST]
    found = session.scalars(statement, execution_options={"yield_per": AT_ONCE})
    return iter(lambda: found.fetchmany(sizes.pop() if sizes else AT_ONCE), [])


def _on_few_photos(session: Session, wanted: FrameFilter) -> Iterator[ColumnElement[bool]]:
    """That a face is on one of those photos, where few are wanted: otherwise all faces would be looked through."""
    if is_of_faces(wanted.condition):
        return
    some = select(ListedPhoto.photo_id).where(*_asked(session, wanted, PhotoRow())).limit(FEW_PHOTOS + 1)
    few = session.scalars(some).all()
    if len(few) <= FEW_PHOTOS:
        yield is_among(ListedFace.photo_id, few)


def stream_judged(
    session: Session, wanted: FrameFilter, *, of_whole_person: bool = False
) -> Iterator[list[tuple[int, list[str]]]]:
    """(face, why it is left out) of the faces among which frames are chosen, in the order of `stream_face_ids`.

    Those are the faces for which all holds that is about who, when and where, and it is told by which of the other
    conditions they are left out. All of these hold together, so each of them that fails is named. Variants are not
    looked at.

    Args:
        session: to read in.
        wanted: the frames that are wanted.
        of_whole_person: tell it of all faces for which what is said about `person` holds.

    Raises:
        UserError: as `compiled` does; at the call, not later.
    """
    parts = conjuncts(wanted.condition)
    judged = [part for part in parts if (_is_measured(part) if not of_whole_person else not mentions(part, "person"))]
    row = FaceRow()
    candidates = [compiled(session, part, row) for part in parts if part not in judged]
    held = [func.coalesce(compiled(session, part, row), False) for part in judged]
    columns: list[Any] = [ListedFace.face_id, *held]
    statement: Select[Any] = select(*columns).where(*_visible(wanted, row), *candidates)
    reasons = [why_not(part) for part in judged]
    return (
        [(row[0], [why for why, holds in zip(reasons, tuple(row)[1:], strict=True) if not holds]) for row in some]
        for some in _stream(session, in_order(statement))
    )


def why_not(condition: Condition) -> str:
    """Why frames are left out for which a condition does not hold."""
    unmet = TERMS[condition.name].unmet(condition.value) if isinstance(condition, Term) else None
    return unmet or (in_words(condition.part) if isinstance(condition, Not) else f"not {in_words(condition)}")


def remarks(session: Session, wanted: FrameFilter) -> list[str]:
    """What a user should know of what is asked: who was taken for "me", and that no age is known.

    Raises:
        UserError: as `compiled` does.
    """
    people = {term.value: term for term in terms_of(wanted.condition) if term.name in PEOPLE}
    guesses = [_who_is_meant(session, term)[1] for term in people.values()]
    said = [guess for guess in guesses if guess]
    if mentions(wanted.condition, "age") and not session.scalar(select(exists().where(PersonState.born.is_not(None)))):
        said.append("Nobody has a birthday, so that no age is known. Say one: alignindex people birthday NAME DATE")
    return said


def person_meant(session: Session, term: Term) -> int:
    """The number of a person whom a term names.

    Raises:
        UserError: as `compiled` does.
    """
    return int(_who_is_meant(session, term)[0])


def _who_is_meant(session: Session, term: Term) -> tuple[str, str | None]:
    """See `people.who_is`; an error points at the term."""
    try:
        return who_is(session, term.value)
    except UserError as error:
        raise term.value_place.error(str(error)) from None


def in_order(statement: Select[Any]) -> Select[Any]:
    """A statement about listed faces in the order of time, undated ones last, and then of paths."""
    taken_at = select(Photo.taken_at).where(Photo.id == ListedFace.photo_id).scalar_subquery()
    return statement.order_by(ListedFace.moment, taken_at, ListedFace.path, ListedFace.face_id)


def _wanted(session: Session, wanted: FrameFilter, row: FaceRow) -> _Conditions:
    asked = _asked(session, wanted, row)
    return asked if wanted.all_variants else [*asked, ~_is_on_a_better(session, wanted)]


def is_of_faces(condition: Condition) -> bool:
    """Whether what is asked of a photo does not tell whether a condition holds for its faces."""
    return any(TERMS[term.name].of_face or term.name == "with" for term in terms_of(condition))


def _asked(session: Session, wanted: FrameFilter, row: AskedRow) -> _Conditions:
    return [*_visible(wanted, row), compiled(session, wanted.condition, row)]


def _visible(wanted: FrameFilter, row: AskedRow) -> _Conditions:
    if wanted.kind != "face":
        raise UserError("There are no bodies in this store. Ask for kind:face.")
    return [is_visible(row, wanted.include_trashed, wanted.include_archived)]


def is_visible(row: AskedRow, include_trashed: bool, include_archived: bool) -> ColumnElement[bool]:
    """Whether a photo lies in neither bin nor archive of an export, unless that is asked for."""
    left_out = (0 if include_trashed else TRASHED) | (0 if include_archived else ARCHIVED)
    return cast("ColumnElement[bool]", row.photo.hidden.bitwise_and(left_out) == 0)


def _is_on_a_better(session: Session, wanted: FrameFilter) -> ColumnElement[bool]:
    """Whether the same person is on a better variant of the photo, too, or for nobody, anybody is."""
    row = FaceRow(another=True, found=True)
    face, better = ListedFace, row.face
    same = or_(face.person_id.is_(None), better.person_id == face.person_id)
    in_group = better.variant_group == face.variant_group, better.variant_rank < face.variant_rank
    return and_(face.variant_rank > 0, exists().where(*in_group, same, *_asked(session, wanted, row)))


def _is_measured(condition: Condition) -> bool:
    terms = list(terms_of(condition))
    return bool(terms) and all(TERMS[term.name].measured for term in terms)


def _stream(session: Session, statement: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
    return session.execute(statement, execution_options={"yield_per": AT_ONCE}).partitions()
