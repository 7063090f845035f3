"""From a query to registered bodies: find those that it wants, settle the template, register what is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from alignimation_index.errors import UserError
from alignimation_index.models.bodies import BodyModelSource
from alignimation_index.pipeline.answers import contents_of
from alignimation_index.pipeline.bodies.find import find_stale_bodies
from alignimation_index.pipeline.bodies.templates import medoid_of, register_stale, side_of, template_of
from alignimation_index.pipeline.progress import Progress
from alignimation_index.query.language.expression import FrameFilter
from alignimation_index.query.people import called, numbers_of
from alignimation_index.query.wanted_bodies import WantedBodies, body_at, photos_of_bodies, wanted_bodies
from alignimation_index.store import files
from alignimation_index.store.bodies import bodies_to_register
from alignimation_index.store.body_templates import BodyTemplate, body_template, medoids, put_body_template
from alignimation_index.store.engine import Store


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """What bodies are registered to, as the user says it; all None: the medoid, by the side that most photos show.

    Attributes:
        name: of a stored template; with `reference`, of the one that is stored.
        reference: path or content hash of the photo that shows the reference body.
        keypoints: that are to come to rest.
    """

    name: str | None = None
    reference: str | None = None
    keypoints: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RegisteredBodies:
    """Bodies that a query wants, and the name of the template to which all that could be are registered now."""

    wanted: WantedBodies
    template: str


def register(
    store: Store,
    wanted: FrameFilter,
    choice: TemplateChoice,
    *,
    any_body: bool = False,
    model: str | None = None,
    source: Callable[[], BodyModelSource],
    progress: Progress = lambda *_: None,
    on_wait: Callable[[], None] = lambda: None,
    device: str | None = None,
) -> RegisteredBodies:
    """Find and register the bodies that a query wants; only what is stale is computed.

    Args:
        store: the open store.
        wanted: which frames; see `query.wanted_bodies`.
        choice: of the template.
        any_body: whether to take bodies without a face as well.
        model: the body detector that the user names; None for the one used last.
        source: chooses the network; called only if it is needed.
        progress: told what is going on.
        on_wait: called if another process is updating the store, before waiting for it.
        device: where to register; None for the CPU.

    Raises:
        UserError: there is no such person, photo or template; or no body to make one of.
    """
    with store.updating(on_wait):
        with store.reading() as session:
            photos = photos_of_bodies(session, wanted, any_body)
            reference = contents_of(session, [choice.reference])[0] if choice.reference else None
            photos += files.photo_ids(session, [reference]).values() if reference else []
        find_stale_bodies(store, model, source, progress, photo_ids=photos)
        with store.reading() as session:
            found = wanted_bodies(session, wanted, any_body)
            template = _template(session, found, choice, reference, device)
            stored = body_template(session, template.name)
        if stored is None or _differs(stored, template):
            with store.writing() as session:
                put_body_template(session, template)
        bodies = [frame.body_id for frame in found.frames if frame.body_id is not None]
        register_stale(store, template, bodies, progress, device)
        return RegisteredBodies(found, template.name)


def _template(
    session: Session, found: WantedBodies, choice: TemplateChoice, reference: str | None, device: str | None
) -> BodyTemplate:
    """What to register to: stored already, or new."""
    if choice.name and reference is None:
        return _named(session, choice.name, choice.keypoints)
    bodies = [frame.body_id for frame in found.frames if frame.body_id is not None]
    if reference is not None:
        names = choice.keypoints or side_of(session, bodies)
        return _of_reference(session, found, choice, reference, names)
    if not bodies:
        raise UserError(
            "No body was found that is wanted. Widen the query, or, where faces are not seen, take bodies without: "
            "--any-body"
        )
    names = choice.keypoints or side_of(session, bodies)
    return _stored_medoid(session, found, names) or replace(
        medoid_of(session, bodies, names, _free_name(session, found, names), device), person_id=found.person_id
    )


def _named(session: Session, name: str, keypoints: tuple[str, ...] | None) -> BodyTemplate:
    template = body_template(session, name)
    if template is None:
        raise UserError(f"{name}: there is no template of bodies of that name. See: alignindex templates list")
    if keypoints and keypoints != template.keypoint_names:
        raise UserError(
            f"{name}: this template is of {', '.join(template.keypoint_names)}; leave --keypoints out, or name a photo "
            "to make another template: --reference PHOTO"
        )
    return template


def _of_reference(
    session: Session, found: WantedBodies, choice: TemplateChoice, content_hash: str, names: Sequence[str]
) -> BodyTemplate:
    body_id = body_at(session, content_hash, found.person_id)
    if body_id is None:
        raise UserError(f"{choice.reference}: no body was found on this photo. Name another as --reference.")
    body = bodies_to_register(session, [body_id])[body_id]
    name = choice.name or "-".join((Path(choice.reference or "").stem[:40], *names))
    return replace(template_of(body, names, name), person_id=found.person_id)


def _stored_medoid(session: Session, found: WantedBodies, names: Sequence[str]) -> BodyTemplate | None:
    """The medoid that was chosen before for the same: a person and keypoints, or, for anybody, one of these photos."""
    if found.person_id is not None:
        return next(iter(medoids(session, numbers_of(session, found.person_id), names)), None)
    photos = {frame.content_hash for frame in found.frames}
    return next((one for one in medoids(session, None, names) if one.content_hash in photos), None)


def _free_name(session: Session, found: WantedBodies, names: Sequence[str]) -> str:
    """As in `body-me-left_ear-left_shoulder-left_hip`."""
    who = "" if found.person_id is None else called(session, found.person_id).removeprefix("person ")
    name = "-".join(filter(None, ("body", re.sub(r"\s+", "_", who), *names)))
    number, free = 1, name
    while body_template(session, free) is not None:
        number += 1
        free = f"{name}-{number}"
    return free


def _differs(stored: BodyTemplate, template: BodyTemplate) -> bool:
    before, now = (
        (one.digest, one.content_hash, one.box.tolist(), one.is_medoid, one.person_id) for one in (stored, template)
    )
    return before != now
