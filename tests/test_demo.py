import sys
from datetime import datetime

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from alignimation_index.demo import run_demo
from alignimation_index.demo.comparison import cropped, mean_picture, wander_px
from alignimation_index.demo.folder import DemoFolder
from alignimation_index.demo.photos import HEAD_RADIUS_PX, plan_faceless, plan_photos, write_photos
from alignimation_index.errors import UserError
from alignimation_index.library.decoding.decode import decode
from alignimation_index.library.metadata import read_metadata
from alignimation_index.query.frames import Frame
from alignimation_index.similarity import scale_of

pytest.importorskip("skimage", reason="the demo's pictures come with scikit-image")

PHOTO_COUNT = 5


def silent(phase, done, total):
    pass


def frame_of(width_px, height_px, template_from_photo=None):
    numbers = dict.fromkeys(("score", "yaw_deg", "pitch_deg", "roll_deg", "size_px", "quality"), 1.0)
    return Frame(
        path="photo.jpg",
        content_hash="0" * 64,
        width_px=width_px,
        height_px=height_px,
        taken_at=None,
        face_id=1,
        box=np.zeros(4, np.float32),
        landmarks=np.zeros((5, 2), np.float32),
        frontal=True,
        person_id=None,
        person=None,
        template=None,
        template_from_photo=template_from_photo,
        residual=None,
        **numbers,
    )


def test_the_demo_registers_eyes_to_less_than_a_pixel_and_a_second_one_replaces_it(tmp_path):
    out = tmp_path / "demo"

    first = run_demo(out, silent, PHOTO_COUNT)

    assert first.photo_count == first.frame_count == PHOTO_COUNT
    assert first.people_count == 1
    assert first.wander_before_px > 25
    assert first.wander_after_px < 1.0
    assert iio.imread(first.folder.video).shape == (PHOTO_COUNT, 720, 720, 3)
    assert iio.imread(first.folder.gif).shape[1:3] == (256, 256)
    assert iio.imread(first.folder.before_after).shape[1] > 1024
    assert str(first.folder.store) in first.summary()

    fewer = PHOTO_COUNT - 1
    second = run_demo(out, silent, fewer)

    assert second.frame_count == fewer
    assert len(list(first.folder.photos.rglob("IMG_*.jpg"))) == fewer
    assert len(iio.imread(second.folder.video)) == fewer


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").write_bytes(b"mine")

    with pytest.raises(UserError, match="no demo made"):
        run_demo(tmp_path, silent, 1)

    assert [path.name for path in tmp_path.rglob("*")] == ["photos", "mine.jpg"]


def test_what_a_user_put_into_a_demo_stays(tmp_path):
    folder = DemoFolder(tmp_path / "demo")
    made, mine = folder.photos / "2000" / "IMG_0001.jpg", folder.photos / "2000" / "mine.jpg"
    folder.prepare([made])
    made.parent.mkdir(parents=True)
    for path in (made, mine, folder.store, folder.video):
        path.write_bytes(b"")

    folder.prepare([folder.photos / "2020" / "IMG_0001.jpg"])

    assert mine.exists()
    assert not any(path.exists() for path in (made, folder.store, folder.video))


def test_a_demo_cannot_be_made_below_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(UserError, match="Cannot write to"):
        run_demo(tmp_path / "file" / "demo", silent, 1)


def test_the_same_plan_writes_the_same_bytes(tmp_path):
    for name in ("one", "other"):
        list(write_photos(plan_photos(tmp_path / name, 3), {}))

    one, other = (sorted((tmp_path / name).rglob("*.jpg")) for name in ("one", "other"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert len({path.read_bytes() for path in one}) == 3


def test_photos_are_dated_and_oriented_as_planned(tmp_path):
    photos, faceless = plan_photos(tmp_path, 4), plan_faceless(tmp_path)
    list(write_photos(photos, faceless))

    assert {photo.orientation for photo in photos} > {1}
    for photo in photos:
        metadata = read_metadata(photo.path.read_bytes())
        assert (metadata.width_px, metadata.height_px) == photo.size_px
        assert metadata.taken_at == photo.taken_at
    for path, (_, taken_at) in faceless.items():
        assert read_metadata(path.read_bytes()).taken_at == taken_at


def test_photos_span_the_years_and_show_the_whole_head(tmp_path):
    photos = plan_photos(tmp_path, 60)

    assert {photo.taken_at.year for photo in photos} == set(range(2000, 2021))
    assert all(photo.path.parent.name == str(photo.taken_at.year) for photo in photos)
    for photo in photos:
        middle, reach = photo.eyes.mean(0), HEAD_RADIUS_PX * scale_of(photo.photo_from_portrait)
        assert (middle >= reach - 1e-6).all()
        assert (middle <= np.array(photo.size_px) - reach + 1e-6).all()


def test_the_true_eyes_are_dark_between_light_sides(tmp_path):
    photos = plan_photos(tmp_path, 9)
    list(write_photos(photos, {}))

    for photo in photos:
        grey = np.asarray(Image.fromarray(decode(photo.path.read_bytes(), 9999).pixels).convert("L"), np.float64)
        across = photo.eyes[1] - photo.eyes[0]
        for eye in photo.eyes:
            columns, rows = np.rint([eye + share * across for share in (0.03, 0.15, -0.15)]).astype(int).T
            iris, inner, outer = grey[rows, columns]
            assert iris < inner
            assert iris < outer


def test_the_wander_is_the_mean_distance_from_the_mean_position():
    unit = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    frames = [frame_of(10, 10, unit), frame_of(10, 10, unit)]
    eyes = [[[0.0, 0.0], [0.5, 0.0]], [[0.0, 0.0], [0.5, 0.04]]]

    assert wander_px(frames, eyes, 100) == pytest.approx((0 + 0 + 2 + 2) / 4)


@pytest.mark.parametrize("size_px", [(300, 100), (100, 300), (100, 100)])
def test_a_frame_is_cropped_to_the_middle_square(size_px):
    frame = cropped(frame_of(*size_px))

    middle = (np.array(size_px) - 1) / 2
    assert frame.template_from_photo @ [*middle, 1] == pytest.approx([0.5, 0.5])
    assert frame.template_from_photo @ [*(middle - 50), 1] == pytest.approx([0, 0], abs=1e-6)


def test_a_mean_picture_rounds_the_mean():
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)

    assert (mean_picture(iter([black, white, white])) == 170).all()
    with pytest.raises(ValueError, match="no pictures"):
        mean_picture(iter([]))


def test_dates_are_those_of_a_set_clock(tmp_path):
    assert plan_photos(tmp_path, 1)[0].taken_at == datetime(2000, 3, 12, 9, 30)


def test_without_scikit_image_the_demo_says_what_to_install_and_makes_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)

    with pytest.raises(UserError, match=r'pip install "alignindex\[demo\]"'):
        run_demo(tmp_path / "demo", silent, 1)

    assert not (tmp_path / "demo").exists()
