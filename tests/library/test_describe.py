from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.library.describe import NamedRegion, PhotoFile, describe
from alignimation_index.library.metadata import PhotoFacts, PhotoMetadata
from alignimation_index.library.sidecars.regions import FaceRegion
from alignimation_index.library.sidecars.xmp import Xmp
from alignimation_index.library.takeout.sidecar import GoogleAlbum, GoogleSidecar

SAID = GoogleSidecar("a.jpg", "", datetime(2010, 1, 2), 1.5, 2.5, ("Bob",), False, False, False)
FACTS = PhotoFacts(PhotoMetadata(200, 100, None, None, None, None), None, 1, Xmp())
TOP_LEFT = FaceRegion("Ada", (0.0, 0.0, 0.5, 0.5))


def file(path="/p/a.jpg", *sidecars, in_export=True, mtime_ns=10**18):
    return PhotoFile(path, mtime_ns, in_export, sidecars)


def described(*files, facts=FACTS, answered=None):
    return describe(facts, files, answered)


@pytest.mark.parametrize(
    ("folder", "sidecars", "albums"),
    [
        ("Rome", [], ("Rome",)),
        ("Rome", [GoogleAlbum("Trip to Rome", "")], ("Trip to Rome",)),
        ("Rome ", [GoogleAlbum(" ", "")], ("Rome",)),
        ("Fotos von 2015", [GoogleAlbum("Fotos von 2015", "")], ()),
        ("Papierkorb", [], ()),
        ("Untitled(2)", [], ()),
        ("Untitled(2)", [GoogleAlbum("Rome", "")], ("Rome",)),
    ],
)
def test_albums_are_the_folders_of_an_export_that_people_made(folder, sidecars, albums):
    assert described(file(f"/p/{folder}/a.jpg", *sidecars)).albums == albums
    assert described(file(f"/p/{folder}/a.jpg", in_export=False)).albums == ()


@pytest.mark.parametrize(
    ("path", "year"),
    [
        ("/p/2004/a.jpg", 2004),
        ("/p/2004/06/a.jpg", 2004),
        ("/p/2004/Rome 2005/a.jpg", 2005),
        ("/p/2004/more/deep/a.jpg", 2001),
    ],
)
def test_the_year_of_the_nearest_folder_is_a_date(path, year):
    assert described(file(path, mtime_ns=1_000_000_000 * 10**9)).date.taken_at.year == year


def test_an_answer_with_an_offset_is_by_the_wall_clock():
    zone = timezone(timedelta(hours=2))
    date = described(file(), answered=datetime(1999, 5, 6, 7, 8, tzinfo=zone)).date
    assert (date.taken_at, date.source, date.utc_offset) == (datetime(1999, 5, 6, 7, 8), "answer", "+02:00")


def test_the_camera_knows_best_where_it_was():
    assert described(file("/p/a.jpg", SAID)).position == (1.5, 2.5)
    assert described(file("/p/a.jpg", SAID), facts=replace(FACTS, position=(3.0, 4.0))).position == (3.0, 4.0)


def test_a_later_rating_counts_more_than_the_embedded_one():
    embedded = replace(FACTS, xmp=Xmp(rating=1))
    assert described(file(), facts=embedded).rating == 1
    assert described(file("/p/a.jpg", Xmp(rating=5), Xmp(rating=3)), facts=embedded).rating == 5
    assert described(file("/p/a.jpg", SAID)).rating is None


def test_a_photo_is_hidden_only_if_all_of_its_files_are():
    trashed, archived = replace(SAID, trashed=True), replace(SAID, archived=True)
    for sidecars, hidden in (([trashed, archived], (False, False)), ([trashed, trashed], (False, True))):
        found = described(*(file(f"/p/{i}/a.jpg", sidecar) for i, sidecar in enumerate(sidecars)))
        assert (found.archived, found.trashed) == hidden


def test_regions_are_in_pixels_of_the_upright_photo():
    facts = replace(FACTS, orientation=6, xmp=Xmp(regions=(TOP_LEFT,)))
    found = described(
        file("/p/A.JPG", Xmp(regions=(TOP_LEFT,)), {"a.jpg": (TOP_LEFT,), "b.jpg": (TOP_LEFT,)}), facts=facts
    )
    right, left = (99.5, -0.5, 199.5, 49.5), (-0.5, -0.5, 99.5, 49.5)
    assert found.regions == (
        NamedRegion("Ada", right, "embedded"),
        NamedRegion("Ada", left, "picasa"),
        NamedRegion("Ada", right, "xmp"),
    )


def test_a_photo_that_could_not_be_read_is_described_by_the_rest():
    found = described(file("/p/Rome/a.jpg", SAID, Xmp(regions=(TOP_LEFT,))), facts=None)
    assert (found.date.source, found.google_people, found.albums, found.regions) == ("sidecar", ("Bob",), ("Rome",), ())


FILES = [
    file("/p/Photos from 2004/a.jpg", SAID, Xmp(datetime(2003, 1, 1), rating=2)),
    file("/p/Rome/IMG_20050607_080910.jpg", replace(SAID, people=("Ada",), latitude=1.0), GoogleAlbum("Roma", "")),
    file("/p/b.jpg", Xmp(rating=3, regions=(TOP_LEFT,)), in_export=False, mtime_ns=10**17),
]


@given(st.permutations(FILES))
def test_the_order_of_the_files_makes_no_difference(files):
    assert described(*files) == described(*FILES)
