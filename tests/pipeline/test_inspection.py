"""Looking at one photo: from the index, or on the spot."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from fakes import contents, draw_photo, frames, index

from alignimation_index.errors import UserError
from alignimation_index.pipeline.inspection import inspect_faces, look_at
from alignimation_index.store.tombstones import add_tombstones


def test_an_indexed_photo_is_not_computed_again_wherever_a_copy_of_it_lies(store, fakes, photos, tmp_path):
    photo = draw_photo(photos / "a.jpg", "red", "blue", taken_at=datetime(2011, 5, 6, 7, 8))
    index(store, fakes, photos)
    loads, before = fakes.loads, contents(store)
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(photo.read_bytes())

    seen = look_at(str(copy), store, fakes.source())

    assert seen.is_indexed and fakes.loads == loads
    assert [face.face_id for face in seen.faces] == [face.face_id for face in frames(store)]
    assert (seen.taken_at, seen.taken_at_source) == (datetime(2011, 5, 6, 7, 8), "exif")
    assert contents(store) == before


def test_on_the_spot_the_same_is_seen_as_in_the_index(store, fakes, photos):
    photo = draw_photo(photos / "a.jpg", "red", "blue", taken_at=datetime(2011, 5, 6, 7, 8))

    for nowhere in (None, store):
        seen = look_at(str(photo), nowhere, fakes.source())
        assert not seen.is_indexed and seen.taken_at == datetime(2011, 5, 6, 7, 8)
        assert [face.face_id for face in seen.faces] == [1, 2]
    index(store, fakes, photos)

    for on_the_spot, indexed in zip(seen.faces, look_at(str(photo), store, fakes.source()).faces, strict=True):
        for name in (
            "box",
            "landmarks",
            "template_from_photo",
            "residual",
            "yaw_deg",
            "roll_deg",
            "quality",
            "frontal",
        ):
            assert np.allclose(getattr(on_the_spot, name), getattr(indexed, name), atol=1e-5)


def test_looking_writes_nothing(store, fakes, photos):
    photo, before = draw_photo(photos / "a.jpg", "red"), contents(store)

    page = inspect_faces([str(photo)], store, fakes.source())

    assert page.dtype == np.uint8 and page.ndim == 3
    assert contents(store) == before


def test_a_forgotten_face_is_not_seen(store, fakes, photos):
    photo = draw_photo(photos / "a.jpg", "red", "blue")
    seen = look_at(str(photo), store, fakes.source())
    with store.writing() as session:
        add_tombstones(session, [(seen.faces[0].content_hash, seen.faces[0].box)])

    again = look_at(str(photo), store, fakes.source())

    assert [face.box.tolist() for face in again.faces] == [seen.faces[1].box.tolist()]


def test_of_a_pair_the_second_face_is_that_of_the_same_person(store, fakes, photos):
    one = draw_photo(photos / "a.jpg", "red", taken_at=datetime(2011, 5, 6))
    other = draw_photo(photos / "b.jpg", "blue", "red", shade=100, taken_at=datetime(2012, 5, 6))
    index(store, fakes, photos)

    page = inspect_faces([str(one), str(other)], store, fakes.source())

    numbers = {frame.path: frame.face_id for frame in frames(store) if frame.person_id is not None}
    chosen = inspect_faces([str(one), str(other)], store, fakes.source(), [numbers[str(one)], numbers[str(other)]])
    assert np.array_equal(page, chosen)


def test_what_cannot_be_read_or_registered_is_named(store, fakes, photos):
    (photos / "broken.jpg").write_bytes(b"")
    empty, face = draw_photo(photos / "empty.jpg"), draw_photo(photos / "a.jpg", "red")

    for path, reason in ((photos / "gone.jpg", "No such file"), (photos / "broken.jpg", "the file is empty")):
        with pytest.raises(UserError, match=f"{path.name} cannot be read: {reason}"):
            look_at(str(path), store, fakes.source())
    with pytest.raises(UserError, match=r"empty\.jpg: there is no face to register"):
        inspect_faces([str(face), str(empty)], None, fakes.source())
