import subprocess
import sys

import pytest

from alignimation_index.errors import UserError
from alignimation_index.models import backends
from alignimation_index.models.embedders import EMBEDDERS, choose_embedder, load_embedder
from alignimation_index.models.weights import FACENET_VGGFACE2, WeightStore


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv(backends.OFFLINE_VARIABLE, "1")
    return WeightStore(tmp_path)


@pytest.fixture
def with_facenet(empty):
    """A file of FaceNet's size, all holes."""
    with (empty.folder / FACENET_VGGFACE2.file_name).open("wb") as file:
        file.truncate(FACENET_VGGFACE2.size_bytes)
    return empty


def test_facenet_is_chosen_where_its_weights_are_on_disk(with_facenet):
    assert choose_embedder(None, None, with_facenet) == ("facenet-vggface2", None)


def test_without_facenet_the_embedded_one_is_chosen_and_the_note_says_how_to_switch(empty):
    name, note = choose_embedder(None, None, empty)
    assert name == "dlib-resnet"
    assert "reindex --embedder facenet-vggface2" in note
    assert "\n" not in note


def test_an_explicit_name_wins_over_the_preference(with_facenet):
    assert choose_embedder("dlib-resnet", None, with_facenet) == ("dlib-resnet", None)


def test_a_pin_wins_over_the_preference(with_facenet):
    assert choose_embedder(None, "dlib-resnet", with_facenet) == ("dlib-resnet", None)


@pytest.mark.parametrize(("explicit", "pinned"), [("facenet-vggface2", None), (None, "facenet-vggface2")])
def test_a_demanded_embedder_without_weights_is_an_error_that_says_where_to_put_them(empty, explicit, pinned):
    with pytest.raises(UserError) as error:
        choose_embedder(explicit, pinned, empty)
    assert FACENET_VGGFACE2.url in str(error.value)
    assert str(empty.folder / FACENET_VGGFACE2.file_name) in str(error.value)


def test_an_explicit_name_against_the_pin_names_the_way_to_switch(with_facenet):
    with pytest.raises(UserError, match="alignindex reindex --embedder facenet-vggface2"):
        choose_embedder("facenet-vggface2", "dlib-resnet", with_facenet)


@pytest.mark.parametrize("use", [lambda w: choose_embedder("arcface", None, w), lambda w: load_embedder("arcface", w)])
def test_an_unknown_name_lists_the_known_ones(empty, use):
    with pytest.raises(UserError, match=r"arcface.*facenet-vggface2, dlib-resnet"):
        use(empty)


def test_damaged_weights_are_not_loaded(with_facenet):
    with pytest.raises(UserError, match="not the published file"):
        load_embedder("facenet-vggface2", with_facenet)


def test_a_loaded_embedder_carries_its_registry_name(empty):
    assert load_embedder("dlib-resnet", empty).model_id == "dlib-resnet"
    assert list(EMBEDDERS) == ["facenet-vggface2", "dlib-resnet"]


def test_choosing_does_not_import_torch():
    check = "import sys, alignimation_index.models.embedders; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
