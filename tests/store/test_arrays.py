import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from alignimation_index.store.arrays import FloatArray, PathText
from alignimation_index.store.face_tables import Template
from alignimation_index.store.tables import Root

# Code points that stand for bytes which are not UTF-8: in no file system's names.
RESERVED = [chr(code) for code in range(0x10FF00, 0x10FF80)]

file_names = (
    st.binary(min_size=1).map(os.fsdecode).filter(lambda name: "\0" not in name and not set(name) & set(RESERVED))
)


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.just(2))))
def test_an_array_comes_back_as_it_was(array):
    column = FloatArray(-1, 2)
    back = column.process_result_value(column.process_bind_param(array, None), None)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, array)


def test_nothing_stays_nothing():
    for column in (FloatArray(2), PathText()):
        assert column.process_bind_param(None, None) is None
        assert column.process_result_value(None, None) is None


@pytest.mark.parametrize("shape", [(2,), (2, 3), (0,), (1, 2, 2)])
def test_an_array_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected an array of shape \(-1, 2\), got"):
        FloatArray(-1, 2).process_bind_param(np.zeros(shape), None)


def test_an_array_goes_through_the_store(store):
    landmarks = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
    with store.writing() as session:
        session.add(Template(name="eyes", landmarks=landmarks))
    with store.reading() as session:
        np.testing.assert_array_equal(session.scalars(select(Template.landmarks)).one(), landmarks)


def test_an_array_of_another_shape_is_not_written(store):
    with pytest.raises(StatementError, match="expected an array"), store.writing() as session:
        session.add(Template(name="eyes", landmarks=np.zeros(3)))


@given(file_names)
def test_a_file_name_of_any_bytes_comes_back_as_it_was(name):
    column = PathText()
    stored = column.process_bind_param(name, None)
    stored.encode()  # what SQLite can hold
    assert column.process_result_value(stored, None) == name


def test_file_names_go_through_the_store_and_are_found_by_name(store):
    names = ["/photos/été.jpg", os.fsdecode(b"/photos/\xe9t\xe9 \xff\x80.jpg"), "/фото/😀.jpg"]
    with store.writing() as session:
        session.add_all(Root(path=name) for name in names)
    with store.reading() as session:
        assert set(session.scalars(select(Root.path))) == set(names)
        for name in names:
            assert session.scalar(select(Root.path).where(Root.path == name)) == name


def test_a_readable_file_name_is_stored_as_it_reads(store):
    with store.writing() as session:
        session.add(Root(path="/photos/été.jpg"))
    with store.reading() as session:
        assert session.execute(text("SELECT path FROM root")).scalar() == "/photos/été.jpg"
