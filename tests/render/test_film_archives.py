from datetime import datetime
from zipfile import ZipFile

import numpy as np
import pytest
from fakes import draw_photo, frames, index

from alignimation_index.render.film.film import Film, Look, render_film
from alignimation_index.render.film.tracks import evenly
from alignimation_index.render.stills.framing import Framing
from alignimation_index.render.stills.take import render_frame


@pytest.fixture
def packed(photos, tmp_path):
    """Two photos in a folder, and an archive that sorts before it and holds them too."""
    archive = tmp_path / "a.zip"
    with ZipFile(archive, "w") as writing:
        for shade in (50, 90):
            photo = draw_photo(photos / f"{shade}.jpg", "red", shade=shade, taken_at=datetime(2000 + shade, 1, 1))
            writing.write(photo, f"Takeout/{photo.name}")
    return archive


def test_frames_from_an_archive_are_those_from_the_files(store, other_store, fakes, photos, packed):
    index(store, fakes, photos)
    index(other_store, fakes, packed)
    assert [frame.path for frame in frames(other_store)] == [f"{packed}!/Takeout/50.jpg", f"{packed}!/Takeout/90.jpg"]
    for from_file, from_archive in zip(frames(store), frames(other_store), strict=True):
        assert np.array_equal(render_frame(from_archive, 64), render_frame(from_file, 64))


def test_frames_whose_archive_changed_are_left_out_and_named(store, fakes, photos, packed, tmp_path):
    index(store, fakes, packed)
    chosen = frames(store)
    with ZipFile(packed, "w") as archive:
        archive.write(photos / "50.jpg", "Takeout/50.jpg")
    film = Film([evenly(chosen, 2)], Look(Framing(64, 64), fps=2))
    report = render_film(film, tmp_path / "out.gif")
    assert (report.frame_count, report.left_out) == (
        2,
        [(f"{packed}!/Takeout/90.jpg", "the archive holds no such photo")],
    )
