"""Templates made from bodies, and the transforms that register bodies to them, as rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float, Pixels
from alignimation_index.errors import UserError
from alignimation_index.store.bodies import from_png, some_at_once, to_png
from alignimation_index.store.body_tables import BodyTransform
from alignimation_index.store.bulk import Row, delete_rows, upsert_rows
from alignimation_index.store.face_tables import Template, Transform
from alignimation_index.store.tombstones import Tombstones

BODY = "body"


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """A reference body in the unit square, which stands alone when its photo is gone.

    Attributes:
        name: of the template.
        keypoint_names: by which bodies are registered to it.
        keypoints: (17, 2) float32, in the order of KEYPOINT_NAMES; nan where the reference does not show one.
        keypoint_scores: (17,) float32, how sure each is, 0..1.
        mask: (S, S) uint8 person mask.
        known: (S, S) uint8, 255 inside the reference's photo.
        content_hash: of that photo.
        box: (4,) float32, of the body there, xyxy in pixels of the upright photo.
        is_medoid: whether it was chosen as the photo nearest to all others; else a person named it.
        person_id: for whose bodies it was made, or None.
    """

    name: str
    keypoint_names: tuple[str, ...]
    keypoints: Float
    keypoint_scores: Float
    mask: Pixels
    known: Pixels
    content_hash: str
    box: Float
    is_medoid: bool = False
    person_id: int | None = None

    @property
    def digest(self) -> str:
        """Of all that transforms to it depend on."""
        arrays = (self.keypoints, self.keypoint_scores, self.mask, self.known)
        parts = [",".join(self.keypoint_names).encode(), *(np.ascontiguousarray(array).tobytes() for array in arrays)]
        return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ListedTemplate:
    """A template as a list shows it: what it is made of, and how many faces or bodies are registered to it."""

    name: str
    kind: str
    keypoint_names: tuple[str, ...]
    content_hash: str | None
    is_medoid: bool
    person_id: int | None
    registered: int

    @property
    def chosen_by(self) -> str | None:
        """How the reference was chosen: "medoid", or "reference" where a person named it; None for faces."""
        return None if self.kind != BODY else "medoid" if self.is_medoid else "reference"


def put_body_template(session: Session, template: BodyTemplate) -> None:
    """Store a template under its name, in place of one of that name.

    Raises:
        UserError: faces are registered to the template of that name.
    """
    row = session.scalar(select(Template).where(Template.name == template.name))
    if row is None:
        row = Template(name=template.name)
        session.add(row)
    elif row.kind != BODY:
        raise UserError(f"{template.name}: the template of that name is of faces. Choose another name.")
    row.kind = BODY
    row.landmarks = template.keypoints
    row.keypoint_names, row.keypoint_scores = list(template.keypoint_names), template.keypoint_scores
    row.mask = to_png(np.stack([template.mask, template.known], -1))
    row.content_hash, row.box = template.content_hash, template.box
    row.is_medoid, row.person_id = template.is_medoid, template.person_id
    session.flush()


def body_template(session: Session, name: str) -> BodyTemplate | None:
    """The template of bodies of this name, if there is one."""
    row = session.scalar(select(Template).where(Template.name == name, Template.kind == BODY))
    return None if row is None else _template(row)


def medoids(session: Session, people: Collection[int] | None, names: Sequence[str]) -> list[BodyTemplate]:
    """Templates by these keypoints whose reference was chosen as the medoid, oldest first.

    Args:
        session: to read in.
        people: numbers of the person for whose bodies they were made; None for those made for nobody's.
        names: of the keypoints.
    """
    whose = Template.person_id.is_(None) if people is None else Template.person_id.in_(people)
    statement = select(Template).where(Template.kind == BODY, Template.is_medoid, whose).order_by(Template.id)
    found = [_template(row) for row in session.scalars(statement)]
    return [template for template in found if template.keypoint_names == tuple(names)]


def list_templates(session: Session) -> list[ListedTemplate]:
    """All templates, by name."""
    counts: dict[int, int] = {}
    for table, finite in ((Transform, None), (BodyTransform, BodyTransform.matrix.is_not(None))):
        counted = select(table.template_id, func.count()).group_by(table.template_id)
        found: Iterable[tuple[int, int]] = session.execute(counted if finite is None else counted.where(finite)).all()
        counts |= dict(found)
    return [
        ListedTemplate(
            row.name,
            row.kind,
            tuple(row.keypoint_names or ()),
            row.content_hash,
            row.is_medoid,
            row.person_id,
            counts.get(row.id, 0),
        )
        for row in session.scalars(select(Template).order_by(Template.name))
    ]


def remove_template(session: Session, name: str) -> int:
    """Delete a template with the transforms to it; how many these were.

    Raises:
        UserError: there is none of that name, or it is that of faces.
    """
    id_ = _own(session, name).id
    count = session.scalar(select(func.count()).where(BodyTransform.template_id == id_)) or 0
    session.execute(delete(Template).where(Template.id == id_))
    return count


def rename_template(session: Session, old: str, new: str) -> None:
    """Give a template another name; nothing becomes stale.

    Raises:
        UserError: there is none of the old name, it is that of faces, or the new one is taken or empty.
    """
    id_ = _own(session, old).id
    if not new.strip():
        raise UserError("A template needs a name.")
    if old != new and session.scalar(select(Template.id).where(Template.name == new)) is not None:
        raise UserError(f"{new}: there is a template of that name. Choose another, or remove that one first.")
    session.execute(update(Template).where(Template.id == id_).values(name=new))


def delete_templates_of(session: Session, people: Collection[int], gone: Tombstones) -> None:
    """Delete the templates that were made for these people, or from a body whose face is forgotten."""
    rows = session.execute(select(Template.id, Template.person_id, Template.content_hash, Template.box))
    made = [
        id_
        for id_, person_id, content_hash, box in rows
        if person_id in people or (content_hash is not None and box is not None and _holds_any(box, content_hash, gone))
    ]
    delete_rows(session, Template, made)


def current_transforms(session: Session, template: str, key: str, body_ids: Collection[int]) -> set[int]:
    """Those of these bodies that are registered to a template under this key, or were found not to be possible to."""
    found: set[int] = set()
    for some in some_at_once(body_ids):
        statement = select(BodyTransform.body_id).join(Template, Template.id == BodyTransform.template_id)
        wanted = (Template.name == template, BodyTransform.key == key, BodyTransform.body_id.in_(some))
        found.update(session.scalars(statement.where(*wanted)))
    return found


def body_transforms(session: Session, template: str, body_ids: Collection[int]) -> dict[int, tuple[Float, float]]:
    """(template_from_photo, residual) of those of these bodies that are registered to a template."""
    found: dict[int, tuple[Float, float]] = {}
    for some in some_at_once(body_ids):
        found |= {id_: (matrix, residual) for id_, matrix, residual in _transforms(session, template, some)}
    return found


def replace_body_transforms(session: Session, template: str, rows: Sequence[Row]) -> None:
    """Store the transforms of bodies to a template."""
    template_id = session.scalars(select(Template.id).where(Template.name == template)).one()
    upsert_rows(session, BodyTransform, [{"template_id": template_id, **row} for row in rows])


def _transforms(session: Session, template: str, body_ids: Sequence[int]) -> Iterator[Any]:
    columns = (BodyTransform.body_id, BodyTransform.matrix, BodyTransform.residual)
    statement = select(*columns).join(Template, Template.id == BodyTransform.template_id)
    there = (Template.name == template, BodyTransform.matrix.is_not(None), BodyTransform.body_id.in_(body_ids))
    return iter(session.execute(statement.where(*there)))


def _template(row: Template) -> BodyTemplate:
    layers = from_png(row.mask or b"")
    return BodyTemplate(
        row.name,
        tuple(row.keypoint_names or ()),
        row.landmarks,
        np.asarray(row.keypoint_scores, np.float32),
        layers[..., 0],
        layers[..., 1],
        row.content_hash or "",
        np.asarray(row.box, np.float32),
        row.is_medoid,
        row.person_id,
    )


def _own(session: Session, name: str) -> Template:
    row = session.scalar(select(Template).where(Template.name == name))
    if row is None:
        raise UserError(f"{name}: there is no such template. See which there are: alignindex templates list")
    if row.kind != BODY:
        raise UserError(f"{name}: this is the template of faces, which stays as it is.")
    return row


def _holds_any(box: Float, content_hash: str, gone: Tombstones) -> bool:
    """Whether the middle of a forgotten face lies in the box of a body."""
    faces = [face for content, face in gone.places() if content == content_hash]
    return any(
        bool((box[:2] <= (face[:2] + face[2:]) / 2).all() and ((face[:2] + face[2:]) / 2 <= box[2:]).all())
        for face in faces
    )
