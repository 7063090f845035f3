"""Templates made from bodies, and registering bodies to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from sqlalchemy.orm import Session

from alignimation_index.datatypes import Float
from alignimation_index.pipeline.flow import batches
from alignimation_index.pipeline.progress import Progress
from alignimation_index.registration import bodies as registration
from alignimation_index.registration.bodies import Bodies, BodyRegistrations, register_bodies, template_from_reference
from alignimation_index.registration.cut_masks import frame_cut_masks
from alignimation_index.registration.keypoints import LEAST_KEYPOINTS, choose_side, columns_of
from alignimation_index.registration.masks import FramedMasks
from alignimation_index.registration.medoid import MOST_PAIRED, choose_reference
from alignimation_index.similarity import apply
from alignimation_index.stages.stage import Key, Stage, keys_of
from alignimation_index.store import body_templates as rows
from alignimation_index.store.bodies import BodyToRegister, bodies_to_register, keypoints_of
from alignimation_index.store.body_templates import BodyTemplate
from alignimation_index.store.engine import Store

BODIES_PER_COMMIT = 256
# A keypoint counts as seen, in the choice of a side, from this score on.
SEEN_SCORE = 0.5


def transforms_key(template: BodyTemplate) -> Key:
    """The key of transforms to a template: another for whatever they depend on, and for no other template."""
    params = {
        "template": template.digest,
        "settings": asdict(registration.SETTINGS),
        "deviation": registration.KEYPOINT_DEVIATION,
        "edge": [registration.EDGE_DEVIATION, registration.EDGE_LENGTH],
        "reach": [registration.REACH, registration.FLOOR],
        "sigma": registration.SIGMA_OF_START,
    }
    name = "register bodies"
    return keys_of([Stage(name, 1, params=params)])[name]


def register_stale(
    store: Store, template: BodyTemplate, body_ids: Collection[int], progress: Progress, device: str | None = None
) -> int:
    """Register those of these bodies to a stored template that are not, or by another version of it; how many."""
    key = transforms_key(template).key
    with store.reading() as session:
        current = rows.current_transforms(session, template.name, key, body_ids)
    stale = [body_id for body_id in body_ids if body_id not in current]
    reference = as_reference(template)
    for done, some in enumerate(batches(stale, BODIES_PER_COMMIT)):
        progress("register", done * BODIES_PER_COMMIT, len(stale))
        with store.reading() as session:
            found = bodies_to_register(session, some)
        registered = register_bodies(as_bodies(list(found.values())), reference, template.keypoint_names, device=device)
        with store.writing() as session:
            rows.replace_body_transforms(session, template.name, _rows(list(found), registered, key))
    return len(stale)


def medoid_of(
    session: Session, body_ids: Sequence[int], names: Sequence[str], name: str, device: str | None = None
) -> BodyTemplate:
    """A template made from the medoid of these bodies; of a long series, of bodies spread evenly over it.

    Raises:
        UserError: no body shows two of the keypoints.
    """
    keypoints = keypoints_of(session, body_ids)
    shown = [id_ for id_ in body_ids if (keypoints[id_][columns_of(names), 2] > 0).sum() >= LEAST_KEYPOINTS]
    spread = np.unique(np.linspace(0, max(len(shown) - 1, 0), min(len(shown), MOST_PAIRED)).round().astype(int))
    found = bodies_to_register(session, [shown[row] for row in spread])
    listed = [found[shown[row]] for row in spread]
    chosen = choose_reference(as_bodies(listed), names, device=device)
    return replace(template_of(listed[chosen], names, name), is_medoid=True)


def side_of(session: Session, body_ids: Sequence[int]) -> tuple[str, ...]:
    """Ear, shoulder and hip of the side that most of these bodies show."""
    keypoints = keypoints_of(session, body_ids)
    return choose_side(np.array([keypoints[id_][:, 2] >= SEEN_SCORE for id_ in body_ids]))


def template_of(body: BodyToRegister, names: Sequence[str], name: str) -> BodyTemplate:
    """A template made from one body."""
    framed = as_bodies([body])
    shown = framed.seen[0] > 0
    placed = apply(template_from_reference(framed), np.where(shown[:, None], framed.keypoints[0], 0))
    masks = framed.masks
    return BodyTemplate(
        name,
        tuple(names),
        np.where(shown[:, None], placed, np.nan).astype(np.float32),
        np.asarray(framed.seen[0], np.float32),
        np.rint(255 * masks.pixels[0, 0]).astype(np.uint8),
        np.rint(255 * masks.known[0, 0]).astype(np.uint8),
        body.content_hash,
        body.box,
    )


def as_reference(template: BodyTemplate) -> Bodies:
    """A template as the reference body of its own unit square."""
    side = template.mask.shape[-1]
    frame_from_unit = np.array([[[side, 0, -0.5], [0, side, -0.5]]], np.float64)
    layers = np.stack([template.mask, template.known])[:, None, None].astype(np.float32)
    pixels, known = layers / np.float32(255)
    masks = FramedMasks(pixels, known, frame_from_unit)
    return Bodies(masks, template.keypoints[None], template.keypoint_scores[None])


def as_bodies(found: Sequence[BodyToRegister]) -> Bodies:
    """Stored bodies as the engine takes them."""
    framed = frame_cut_masks([body.mask for body in found], [body.photo_size for body in found])
    keypoints: Float = np.array([body.keypoints for body in found], np.float32).reshape(-1, 17, 3)
    return Bodies(framed, keypoints[..., :2], keypoints[..., 2])


def _rows(body_ids: Sequence[int], found: BodyRegistrations, key: str) -> list[Mapping[str, object]]:
    fits = [bool(np.isfinite(matrix).all()) for matrix in found.template_from_photo]
    numbers = ("residual", "loss_before", "loss_after")
    return [
        {
            "body_id": body_id,
            "key": key,
            "method": registration.METHOD,
            "matrix": found.template_from_photo[i] if fits[i] else None,
            **{name: float(getattr(found, name)[i]) if fits[i] else None for name in numbers},
        }
        for i, body_id in enumerate(body_ids)
    ]
