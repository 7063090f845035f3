"""Variants by the command line: a portrait with its edited copy, a copy from a messenger, a live photo and a video."""

import pytest
from command_line import Library, save_dated
from PIL import Image, ImageEnhance
from skimage import data

LEFT_OUT = "variants of another photo (--all-variants keeps them)"


@pytest.fixture(scope="module")
def with_variants(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")
    library = Library(folder / "photos", folder / "store.db")
    library.photos.mkdir()
    portrait = Image.fromarray(data.astronaut())
    save_dated(portrait, library.photos / "a.jpg", 2010)
    save_dated(ImageEnhance.Brightness(portrait).enhance(1.3), library.photos / "a-edited.jpg", 2010)
    portrait.resize((300, 300)).save(library.photos / "sent.jpg", quality=70)
    for i in range(2):
        save_dated(portrait.rotate(8 * i + 6), library.photos / f"IMG_{i}.jpg", 2012 + i)
    for name in ("IMG_1.MOV", "trip.mp4"):
        (library.photos / name).write_bytes(b"video")

    updated = library.run("update", library.photos, "--embedder", "dlib-resnet")
    assert updated.code == 0, updated.err
    return library


def names(outcome):
    return [line.rsplit("/", 1)[-1] for line in outcome.out.splitlines()]


def test_a_query_takes_the_best_and_says_how_many_it_left_out(with_variants):
    chosen = with_variants.run("query", "person:me", "--paths")
    assert names(chosen) == ["a-edited.jpg", "IMG_0.jpg", "IMG_1.jpg"]
    assert f"Left out 2 frames: {LEFT_OUT}" in chosen.err
    everything = with_variants.run("query", "person:me", "--paths", "--all-variants")
    assert len(names(everything)) == 5
    assert "Left out" not in everything.err


def test_faces_and_photos_list_everything(with_variants):
    assert len(with_variants.run("faces", "--json").json) == 5
    photos = {photo["path"].rsplit("/", 1)[1]: photo for photo in with_variants.run("photos", "--json").json}
    of_copies = photos["a.jpg"]["group"]["id"]
    assert photos["a-edited.jpg"]["group"] == {"id": of_copies, "kind": "edited", "role": "edited", "best": True}
    assert photos["a.jpg"]["group"] == {"id": of_copies, "kind": "edited", "role": "original", "best": False}
    assert photos["sent.jpg"]["group"] == {"id": of_copies, "kind": "edited", "role": "duplicate", "best": False}
    assert photos["IMG_0.jpg"]["group"] is None
    assert photos["IMG_1.jpg"]["group"] == {"id": None, "kind": "live", "role": "still", "best": True}
    assert photos["IMG_1.jpg"]["videos"] == [str(with_variants.photos / "IMG_1.MOV")]


def test_a_film_takes_the_best_and_says_so(with_variants, tmp_path):
    made = with_variants.run("render", "--any-pose", "--size", 32, "-o", tmp_path / "out")
    assert made.code == 0, made.err
    assert f"Left out 2 photos: {LEFT_OUT}" in made.out
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_status_counts_groups_and_names_videos(with_variants):
    lines = with_variants.run("status").out.splitlines()
    trip, moving = (with_variants.photos / name for name in ("trip.mp4", "IMG_1.MOV"))
    assert f"videos: 2 (not indexed; {trip}; {moving})" in lines
    assert "groups: 1 edited, 1 live" in lines
    assert not any(line.startswith("raw") for line in lines)
    status = with_variants.run("status", "--json").json
    assert (status["groups"], status["some_videos"]) == ({"edited": 1, "live": 1}, [str(trip), str(moving)])


def test_videos_are_listed_with_their_stills(with_variants):
    trip, moving, still = (with_variants.photos / name for name in ("trip.mp4", "IMG_1.MOV", "IMG_1.jpg"))
    assert with_variants.run("photos", "--videos", "--json").json == [
        {"path": str(moving), "still": str(still)},
        {"path": str(trip), "still": None},
    ]
    assert str(trip) in with_variants.run("photos", "list", "--videos").out
