import importlib.util
import subprocess
import sys

import pytest

from alignimation_index.errors import UserError
from alignimation_index.models.backends import OFFLINE_VARIABLE
from alignimation_index.models.bodies import BODY_DETECTORS, body_models, choose_body_detector
from alignimation_index.models.weights import KEYPOINT_RCNN, MASK_RCNN, WeightStore

RCNN, MEDIAPIPE = "torchvision-rcnn", "mediapipe-pose"
MEDIAPIPE_IS_HERE = importlib.util.find_spec("mediapipe") is not None
with_mediapipe = pytest.mark.skipif(not MEDIAPIPE_IS_HERE, reason="the extra `mediapipe` is not installed")
without_mediapipe = pytest.mark.skipif(MEDIAPIPE_IS_HERE, reason="the extra `mediapipe` is installed")


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    return WeightStore(tmp_path)


@pytest.fixture
def with_rcnn(empty):
    """Files of the published sizes, all holes."""
    for weights in (MASK_RCNN, KEYPOINT_RCNN):
        with (empty.folder / weights.file_name).open("wb") as file:
            file.truncate(weights.size_bytes)
    return empty


def test_rcnn_is_chosen_where_both_its_files_are_on_disk(with_rcnn):
    assert choose_body_detector(None, None, with_rcnn) == (RCNN, None)


@with_mediapipe
def test_without_its_files_mediapipe_is_chosen_and_the_note_says_how_to_switch(empty):
    name, note = choose_body_detector(None, None, empty)
    assert name == MEDIAPIPE
    assert "alignindex models fetch torchvision-rcnn" in note
    assert "\n" not in note


@with_mediapipe
@pytest.mark.parametrize(("explicit", "pinned"), [(MEDIAPIPE, None), (None, MEDIAPIPE), (MEDIAPIPE, RCNN)])
def test_what_was_asked_for_or_used_before_wins(with_rcnn, explicit, pinned):
    assert choose_body_detector(explicit, pinned, with_rcnn) == (MEDIAPIPE, None)


@without_mediapipe
def test_without_either_the_error_says_what_to_copy_or_install(with_rcnn):
    (with_rcnn.folder / KEYPOINT_RCNN.file_name).unlink()
    with pytest.raises(UserError) as error:
        choose_body_detector(None, None, with_rcnn)
    assert KEYPOINT_RCNN.url in str(error.value)
    assert str(with_rcnn.folder / KEYPOINT_RCNN.file_name) in str(error.value)
    assert 'pip install "alignindex[mediapipe]"' in str(error.value)


@without_mediapipe
@pytest.mark.parametrize(
    "use", [lambda w: choose_body_detector(MEDIAPIPE, None, w), lambda w: body_models(MEDIAPIPE, w).load()]
)
def test_mediapipe_that_is_not_installed_is_an_error_that_says_how_to(with_rcnn, use):
    with pytest.raises(UserError, match=r'pip install "alignindex\[mediapipe\]"'):
        use(with_rcnn)


def test_a_demanded_rcnn_without_its_files_is_an_error(empty):
    with pytest.raises(UserError, match=MASK_RCNN.file_name):
        choose_body_detector(RCNN, None, empty)


@pytest.mark.parametrize("use", [lambda w: choose_body_detector("yolo", None, w), lambda w: body_models("yolo", w)])
def test_an_unknown_name_lists_the_known_ones(empty, use):
    with pytest.raises(UserError, match=r"yolo.*torchvision-rcnn, mediapipe-pose"):
        use(empty)


def test_damaged_weights_are_not_loaded(with_rcnn):
    with pytest.raises(UserError, match="not the published file"):
        body_models(RCNN, with_rcnn, "cpu").load()


def test_a_source_knows_its_model_before_it_is_loaded(empty):
    assert [body_models(name, empty).model_id for name in BODY_DETECTORS] == [RCNN, MEDIAPIPE]


def test_choosing_does_not_import_torch():
    check = "import sys, alignimation_index.models.bodies; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
