"""Two people, and photos of them put into a store row by row."""

import shutil

import numpy as np
import pytest
from few_faces import ADA, BOB

from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Person, Template
from alignimation_index.store.tables import Root


@pytest.fixture
def session(tmp_path, new_store):
    """Two people without photos, in a store that is rolled back."""
    store = Store.open(shutil.copy(new_store, tmp_path / "store.db"))
    with store.reading() as session:
        session.add_all([Root(id=1, path="/photos"), Template(id=1, name="face", landmarks=np.zeros((5, 2)))])
        session.add_all([Person(id=ADA), Person(id=BOB)])
        session.flush()
        yield session
    store.close()
