"""The order in which files come makes no difference, nor do renames and deletions on the way."""

import shutil

from fakes import FakeModels, draw_photo, index
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sidecars import album, google, listed, picasa, put, xmp

from alignimation_index.store.engine import Store

PHOTOS = {"a.jpg": 1, "a(1).jpg": 2, "a-edited.jpg": 3, "b.jpg": 4, "IMG_20030405_060708.jpg": 5}
FOLDERS = ("Takeout/Photos from 2004", "Takeout/Trip", "Takeout/Bin", "plain")
SIDECARS = {
    "a.jpg.json": google("a.jpg", 1_100_000_000, ("Ada",), favorited=True),
    "a.jpg(1).json": google("a.jpg", 1_110_000_000, ("Bob",), trashed=True),
    "a.jpg.supplemental-metadata.json": google("a.jpg", 1_120_000_000, ("Eve",), archived=True),
    "b.jpg.json": google("b.jpg", 1_130_000_000, ("Ada", "Bob")),
    "metadata.json": album("Trip to Rome"),
    "b.xmp": xmp("Ada"),
    "a.jpg.xmp": xmp("Bob", rating=2),
    ".picasa.ini": picasa("b.jpg", "Eve"),
    "other.json": b"{}",
    "broken.json": b"{",
}

paths = st.tuples(st.sampled_from(FOLDERS), st.sampled_from([*PHOTOS, *SIDECARS])).map("/".join)
steps = st.one_of(
    st.tuples(st.just("put"), paths, st.sampled_from([*PHOTOS, *SIDECARS])),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("delete"), paths, st.none()),
    st.tuples(st.just("update"), st.none(), st.none()),
)


def take(step, root, drawn):
    """Change the folder: put some content, maybe that of another file, rename or delete; what makes no sense is not."""
    kind, path, other = step
    if kind == "put":
        name = path.rsplit("/", 1)[1]
        content = other if (other in PHOTOS) == (name in PHOTOS) else name
        put(root / path, (drawn / content).read_bytes() if content in PHOTOS else SIDECARS[content])
    elif kind == "rename" and (root / path).exists():
        (root / other).parent.mkdir(parents=True, exist_ok=True)
        (root / path).replace(root / other)
    elif kind == "delete":
        (root / path).unlink(missing_ok=True)


def known(store):
    """Everything about each photo, by its content."""
    return {
        photo.content_hash: (
            photo.paths,
            (photo.taken_at, photo.taken_at_source, photo.utc_offset, photo.rating),
            (photo.favourite, photo.archived, photo.trashed),
            (photo.albums, photo.google_people, photo.sidecars),
            [(region.name, region.box.tolist()) for region in photo.regions],
        )
        for photo in listed(store)
    }


@settings(max_examples=15, deadline=None, phases=[Phase.generate, Phase.shrink])
@given(st.lists(steps, min_size=3, max_size=24))
def test_any_history_leads_to_what_one_update_finds(tmp_path_factory, new_store, taken):
    top = tmp_path_factory.mktemp("history")
    root, drawn = top / "photos", top / "drawn"
    root.mkdir()
    for name, shade in PHOTOS.items():
        draw_photo(drawn / name, "red", shade=shade)
    stores = [Store.open(shutil.copy(new_store, top / name)) for name in ("grown.db", "fresh.db")]
    draw_photo(root / "always.jpg", "green")
    for step in taken:
        take(step, root, drawn)
        if step[0] == "update":
            index(stores[0], FakeModels(), root)
    for store in stores:
        index(store, FakeModels(), root)
    assert known(stores[0]) == known(stores[1])
    for store in stores:
        store.close()
