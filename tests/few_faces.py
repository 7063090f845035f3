"""A few photos and faces in a store, put there row by row."""

from datetime import datetime

import numpy as np

from alignimation_index.pipeline.identity import refresh
from alignimation_index.query.frames import select_frames
from alignimation_index.query.language.expression import parse_expression
from alignimation_index.store.answer_log import record
from alignimation_index.store.face_tables import Assignment, Face, Transform
from alignimation_index.store.tables import File, Photo, utc_now

ADA, BOB = 1, 2
MATRIX = np.array([[0.002, 0, 0.1], [0, 0.002, 0.2]], np.float32)


def add_photo(session, *paths, taken_at=None):
    """A photo held by these files; a path that begins with '-' is missing. Returns the photo's id."""
    photo = Photo(content_hash=f"hash of {paths[0]}", width_px=800, height_px=600, taken_at=taken_at)
    session.add(photo)
    session.flush()
    for path in paths:
        missing = utc_now() if path.startswith("-") else None
        file = File(root_id=1, path=path, size=1, mtime_ns=1, inode=1, photo_id=photo.id, missing_since_utc=missing)
        session.add(file)
    session.flush()
    return photo.id


def add_face(session, photo_id, person_id=None, frontal=True, size_px=200.0, residual=0.01):
    """A face whose stages are all done; without `residual` it is not registered."""
    face = Face(photo_id=photo_id, box=np.array([1, 2, 3, 4]), score=0.9, detected_landmarks=np.zeros((5, 2)))
    face.landmarks, face.frontal, face.size_px, face.quality = np.ones((5, 2)), frontal, size_px, 0.5
    face.yaw_deg, face.pitch_deg, face.roll_deg = 1.0, 2.0, 3.0
    session.add(face)
    session.flush()
    if person_id is not None:
        session.add(Assignment(face_id=face.id, person_id=person_id, score=3))
    if residual is not None:
        session.add(Transform(face_id=face.id, template_id=1, matrix=MATRIX, residual=residual, method="closed"))
    session.flush()
    return face.id


def add_portrait(session, path, year=None, person_id=ADA, **face):
    add_face(session, add_photo(session, path, taken_at=year and datetime(year, 6, 1)), person_id, **face)


def name_person(session, person_id, name):
    record(session, "name", person_id, value=name)
    refresh(session)


def paths(session, expression=""):
    return [frame.path for frame in select_frames(session, parse_expression(expression))]
