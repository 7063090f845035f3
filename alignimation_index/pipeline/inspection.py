"""Looking at one photo for `inspect`: from the index where it is there, else with the same stages on the spot.

Nothing is written to the store.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from alignimation_index.datatypes import Float, Pixels
from alignimation_index.errors import DecodeError, UserError, in_words
from alignimation_index.library.dates.resolve import PhotoDate
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.describe import PhotoFile, describe
from alignimation_index.library.scan import content_hash, read_file
from alignimation_index.models.faces import FaceModelSource
from alignimation_index.pipeline.analysis import Analysis
from alignimation_index.pipeline.profile import Profile
from alignimation_index.pipeline.stages import DETECT, LANDMARKS, METADATA, POSE, QUALITY, REGISTER, stage_keys
from alignimation_index.pipeline.work import ReadHere, Tools, Work
from alignimation_index.query.frames import Frame
from alignimation_index.query.inspected import IndexedFaces, indexed_faces
from alignimation_index.registration.faces import FACE_TEMPLATE_NAME
from alignimation_index.render.inspect.faces import draw_pair, draw_photo
from alignimation_index.render.inspect.seen import SeenPhoto, choose_face, decoded_side_for
from alignimation_index.store import tombstones
from alignimation_index.store.engine import Store

# Whose face it is cannot be told from one photo, so nothing is embedded.
_STAGES = (METADATA, DETECT, LANDMARKS, POSE, QUALITY, REGISTER)


def inspect_faces(
    paths: Sequence[str], store: Store | None, models: FaceModelSource, numbers: Sequence[int] = ()
) -> Pixels:
    """Draw what the index sees on a photo, or how a second one is registered to the first.

    Args:
        paths: one or two, of files or of archives' members.
        store: the index, or None where there is none.
        models: the networks; loaded only for a photo that is not in the index.
        numbers: of the face on each photo; those that are not given are chosen, see `choose_face`.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UserError: a photo cannot be read, has no face of this number, or, of a pair, none that is registered.
    """
    seen = [look_at(path, store, models) for path in paths]
    wanted = [*numbers, None, None]
    first = choose_face(seen[0], wanted[0])
    if len(seen) == 1:
        return draw_photo(seen[0], first)
    second = choose_face(seen[1], wanted[1], like=first)
    return draw_pair(seen[0], _registered(seen[0], first), seen[1], _registered(seen[1], second))


def look_at(path: str, store: Store | None, models: FaceModelSource) -> SeenPhoto:
    """Look at a photo.

    Raises:
        UserError: it cannot be read.
    """
    try:
        data = read_file(path)
        indexed, forgotten = _from_index(store, content_hash(data)) if store else (None, None)
        found = indexed or _on_the_spot(path, data, models, forgotten)
        size = decode(data, 1)
        side = decoded_side_for(size.width_px, size.height_px, min((f.size_px for f in found.faces), default=1e9))
        return SeenPhoto(path, decode(data, side), *found, is_indexed=indexed is not None)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {in_words(error)}; check the path") from error
    except DecodeError as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def _registered(seen: SeenPhoto, face: Frame | None) -> Frame:
    if face is None or face.template_from_photo is None:
        raise UserError(f"{seen.path}: there is no face to register; choose another photo")
    return face


def _from_index(store: Store, photo: str) -> tuple[IndexedFaces | None, Float | None]:
    """What the index holds of a photo, and (K, 4) boxes of faces on it that are forgotten."""
    with store.reading() as session:
        return indexed_faces(session, photo, REGISTER), tombstones.boxes_on(session, [photo]).get(photo)


def _on_the_spot(path: str, data: bytes, models: FaceModelSource, forgotten: Float | None) -> IndexedFaces:
    work = Work(path, set(_STAGES), data, forgotten=forgotten)
    Analysis(stage_keys(models.ids), Tools.of_faces(cache(models.load), ReadHere()), Profile()).run([work])
    for reason in work.failures.values():
        raise DecodeError(reason)
    faces = [_frame(path, data, work, row) for row in range(len(work.detections))]
    date = _date(path, work)
    return IndexedFaces(faces, date.taken_at, date.source) if date else IndexedFaces(faces, None, None)


def _date(path: str, work: Work) -> PhotoDate | None:
    absolute = os.path.abspath(path)  # noqa: PTH100 - keeps links as they are
    mtime_ns = Path(path).stat().st_mtime_ns if Path(path).exists() else -1
    return describe(work.results[METADATA], [PhotoFile(absolute, mtime_ns, False, ())], None).date


def _frame(path: str, data: bytes, work: Work, row: int) -> Frame:
    """A face that was found on the spot, as the index would return it; its number is its place."""
    found, pose, quality = work.detections, work.results[POSE], work.results[QUALITY]
    registered, size = work.results[REGISTER], work.results[METADATA].metadata
    fits = bool(np.isfinite(registered.template_from_photo[row]).all())
    return Frame(
        path=path,
        content_hash=content_hash(data),
        width_px=size.width_px,
        height_px=size.height_px,
        taken_at=None,
        face_id=row + 1,
        box=found.boxes[row],
        score=float(found.scores[row]),
        landmarks=work.results[LANDMARKS][row],
        yaw_deg=float(pose.yaw_deg[row]),
        pitch_deg=float(pose.pitch_deg[row]),
        roll_deg=float(pose.roll_deg[row]),
        frontal=bool(pose.frontal[row]),
        size_px=float(quality.size_px[row]),
        quality=float(quality.quality[row]),
        person_id=None,
        person=None,
        template=FACE_TEMPLATE_NAME if fits else None,
        template_from_photo=registered.template_from_photo[row] if fits else None,
        residual=float(registered.residual[row]) if fits else None,
        sharpness=float(quality.sharpness[row]),
        brightness=float(quality.brightness[row]),
    )
