import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alignimation_index.stages.detect import smallest_face_px
from alignimation_index.stages.pose import CANONICAL_FACE_MM, estimate_pose, face_poses

POSE_PHOTOS = Path(__file__).parents[2] / "../shared/data/pose"

angles = st.floats(-40, 40)


def rotation(yaw_deg, pitch_deg, roll_deg):
    """Rz(roll) Ry(yaw) Rx(pitch) with x right, y down, z away, in the signs of the terms' definition."""
    (sy, sp, sr), (cy, cp, cr) = (f(np.deg2rad([yaw_deg, pitch_deg, roll_deg])) for f in (np.sin, np.cos))
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def landmarks(yaw_deg=0.0, pitch_deg=0.0, roll_deg=0.0, scale=2.0, shift=(300.0, 200.0)):
    """A canonical face seen under weak perspective, (5, 2)."""
    return scale * (CANONICAL_FACE_MM @ rotation(yaw_deg, pitch_deg, roll_deg).T)[:, :2] + shift


def angles_of(points):
    pose = estimate_pose(points[None])
    return np.array([pose.yaw_deg[0], pose.pitch_deg[0], pose.roll_deg[0]])


def test_a_face_that_looks_straight_at_the_camera_has_no_angle_and_is_frontal():
    np.testing.assert_allclose(angles_of(landmarks()), 0, atol=1e-4)
    assert estimate_pose(landmarks()[None]).frontal.tolist() == [True]


def test_a_nose_moved_to_the_images_right_is_positive_yaw():
    face = landmarks()
    face[2, 0] += 12
    assert angles_of(face)[0] > 10


def test_a_nose_moved_up_towards_the_eyes_is_looking_up_and_positive_pitch():
    face = landmarks()
    face[2, 1] -= 12
    assert angles_of(face)[1] > 10


def test_a_head_leaning_clockwise_as_seen_is_positive_roll():
    face = landmarks()
    middle = face.mean(0)
    # Clockwise on a screen, where y points down: what was to the right goes down, what was on top goes to the right.
    turn = np.deg2rad(10)
    leaning = (face - middle) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + middle
    assert leaning[1, 1] > leaning[0, 1]
    assert angles_of(leaning)[2] == pytest.approx(10, abs=1e-3)


@pytest.mark.parametrize("yaw", [-40, -15, 0, 25, 40])
@pytest.mark.parametrize("pitch", [-40, -10, 0, 20, 40])
@pytest.mark.parametrize("roll", [-40, 0, 30])
def test_the_angles_of_a_projected_head_are_recovered(yaw, pitch, roll):
    np.testing.assert_allclose(angles_of(landmarks(yaw, pitch, roll)), [yaw, pitch, roll], atol=1e-3)


@given(angles, angles, angles, st.floats(0.05, 50), st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_size_and_place_do_not_change_the_pose(yaw, pitch, roll, scale, x, y):
    moved = angles_of(landmarks(yaw, pitch, roll, scale, (x, y)))
    np.testing.assert_allclose(moved, angles_of(landmarks(yaw, pitch, roll)), atol=1e-2)


@given(st.integers(0, 2**32 - 1))
def test_a_mirrored_face_has_the_opposite_yaw_and_roll(seed):
    face = landmarks(20, 10, -15) + np.random.default_rng(seed).normal(0, 2, (5, 2))
    mirrored = face[[1, 0, 2, 4, 3]] * [-1, 1]
    np.testing.assert_allclose(angles_of(mirrored), angles_of(face) * [-1, 1, -1], atol=1e-3)


@pytest.mark.parametrize("turned", [{"yaw_deg": 35}, {"yaw_deg": -35}, {"pitch_deg": 30}, {"pitch_deg": -30}])
def test_a_face_that_looks_away_is_not_frontal(turned):
    assert estimate_pose(landmarks(**turned)[None]).frontal.tolist() == [False]


def test_a_lopsided_face_is_not_frontal_however_small_its_angles():
    face = landmarks()
    face[3] += [20, -20]
    pose = estimate_pose(face[None])
    assert abs(pose.yaw_deg[0]) < 20
    assert abs(pose.pitch_deg[0]) < 20
    assert pose.frontal.tolist() == [False]


def test_a_leaning_face_is_still_frontal():
    assert estimate_pose(landmarks(5, -5, 40)[None]).frontal.tolist() == [True]


def test_many_faces_at_once_are_as_one_by_one():
    faces = np.stack([landmarks(yaw, yaw / 2, -yaw) for yaw in range(-30, 31, 10)])
    together = estimate_pose(faces)
    for row, face in enumerate(faces):
        alone = estimate_pose(face[None])
        assert together.yaw_deg[row] == pytest.approx(alone.yaw_deg[0], abs=1e-4)
        assert together.frontal[row] == alone.frontal[0]


def test_no_face_is_a_result_like_any_other():
    pose = face_poses(np.zeros((0, 5, 2), np.float32), np.zeros((0, 5, 2), np.float32))
    assert (len(pose.yaw_deg), len(pose.pitch_deg), len(pose.roll_deg), len(pose.frontal)) == (0, 0, 0, 0)


def test_the_pose_is_that_of_the_mean_of_detected_and_refined_landmarks():
    detected, refined = landmarks(20)[None].astype(np.float32), landmarks(10)[None].astype(np.float32)
    assert 10 < face_poses(detected, refined).yaw_deg[0] < 20


@pytest.mark.skipif(not POSE_PHOTOS.is_dir(), reason="needs the photos with known pose in ../shared/data/pose")
def test_on_photos_with_known_pose_the_side_is_right_and_turned_faces_are_not_frontal():
    with (POSE_PHOTOS / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, pose in zip(rows, poses_on_photos([POSE_PHOTOS / row["path"] for row in rows]), strict=True):
        known_yaw_deg = -float(row["yaw"])  # this data set counts yaw the other way round
        if abs(known_yaw_deg) > 15:
            assert np.sign(pose.yaw_deg[0]) == np.sign(known_yaw_deg), row["path"]
        if abs(known_yaw_deg) > 30:
            assert not pose.frontal[0], row["path"]


def poses_on_photos(paths):
    """The pose of the surest face of each photo."""
    from alignimation_index.models.mtcnn import MtcnnDetector
    from alignimation_index.models.onet_refiner import OnetRefiner

    images = [np.array(Image.open(path).convert("RGB")) for path in paths]
    found = MtcnnDetector().detect(images, [smallest_face_px(*image.shape[1::-1]) for image in images])
    detected = [faces.landmarks[:1] for faces in found]
    refined = OnetRefiner().refine(images, detected)
    return [face_poses(*pair) for pair in zip(detected, refined, strict=True)]
