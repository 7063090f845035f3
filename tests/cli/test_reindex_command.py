"""Changing the embedder on the command line; without a network, the other one cannot be had."""

import shutil

import pytest

from alignimation_index.models.weights import FACENET_VGGFACE2


@pytest.fixture
def mine(library, tmp_path):
    """The indexed library with its store copied, to be changed."""
    shutil.copy(library.store, tmp_path / "store.db")
    return type(library)(library.photos, tmp_path / "store.db")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "Say one of --embedder NAME, --back, --drop-old."),
        (("--back", "--drop-old"), 2, "Say one of"),
        (("--embedder", "dlib-resnet"), 1, "this store's faces are embedded with it already"),
        (("--embedder", "arcface"), 1, "no such model; choose one of"),
        (("--embedder", "facenet-vggface2"), 1, FACENET_VGGFACE2.file_name),
        (("--back",), 1, "There is nothing to go back to"),
        (("--drop-old",), 0, ""),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(mine, arguments, code, says):
    before = mine.run("status", "--json").json
    done = mine.run("reindex", *arguments)
    assert done.code == code
    assert says in done.err
    assert mine.run("status", "--json").json == before


def test_an_update_with_another_embedder_names_the_way_to_switch(mine):
    done = mine.run("update", "--embedder", "facenet-vggface2")
    assert done.code == 1
    assert "or switch: alignindex reindex --embedder facenet-vggface2" in done.err
