from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeModels

from alignimation_index.store.engine import Store


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Networks are converted once for all tests, and not into the user's cache."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty store that the migrations built, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    Store.open(path).close()
    return path


@pytest.fixture
def store(tmp_path: Path, new_store: Path) -> Iterator[Store]:
    """An open, empty store."""
    path = tmp_path / "store" / "store.db"
    path.parent.mkdir(mode=0o700)
    opened = Store.open(Path(shutil.copy(new_store, path)))
    yield opened
    opened.close()


@pytest.fixture
def other_store(tmp_path: Path, new_store: Path) -> Iterator[Store]:
    """A second store, to compare the first with."""
    opened = Store.open(Path(shutil.copy(new_store, tmp_path / "other.db")))
    yield opened
    opened.close()


@pytest.fixture
def fakes() -> FakeModels:
    """Models that recognise drawn faces."""
    return FakeModels()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """The folder of photos; `draw_photo` fills it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder
