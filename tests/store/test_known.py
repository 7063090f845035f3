import os
import sys

import pytest
from sqlalchemy import update

from alignimation_index.found_files import FoundFile
from alignimation_index.store import files
from alignimation_index.store.files import add_root, record_found
from alignimation_index.store.known import (
    Change,
    files_at_hand,
    known_files,
    known_roots,
    root_inodes,
    sidecars_wait,
)
from alignimation_index.store.roots import remember_inode
from alignimation_index.store.sidecars import Reading, store_readings
from alignimation_index.store.tables import File, Folder, Sidecar

KEY = "1"


def note(store, *paths, kind="photo"):
    """Files of a root `/in`; the id of the first."""
    with store.writing() as session:
        if not files.roots(session):
            add_root(session, "/in")
        (root,) = files.roots(session)
        changes = [Change(FoundFile(path, 5, 6, 7, kind), None, "/in") for path in paths]
        record_found(session, root.id, changes)
        return root.id


def at_hand(store, root_id, below=None):
    with store.listing() as listing:
        return files_at_hand(listing, root_id, below)


def test_what_is_at_hand_is_as_it_was_listed(store):
    root = note(store, "/in/a.jpg", "/in/é.jpg")
    note(store, "/in/a.jpg.json", kind="sidecar")
    found = at_hand(store, root)
    assert {path: row[1:] for path, row in found.items()} == dict.fromkeys(
        ["/in/a.jpg", "/in/é.jpg", "/in/a.jpg.json"], (5, 6, 7)
    )
    assert at_hand(store, root + 1) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_names_of_any_bytes_are_those_that_a_folder_lists(store):
    name = os.fsdecode(b"/in/\xff.jpg")
    root = note(store, name)
    assert list(at_hand(store, root)) == [name]
    with store.listing() as listing:
        assert list(known_files(listing, [name], sidecars=False)) == [name]


def test_a_folder_of_a_similar_name_is_not_below(store):
    root = note(store, "/in/2001/a.jpg", "/in/2001 more/b.jpg", "/in/2001/may/c.jpg")
    assert sorted(at_hand(store, root, "/in/2001")) == ["/in/2001/a.jpg", "/in/2001/may/c.jpg"]


def test_what_is_missing_is_known_and_not_at_hand(store):
    root = note(store, "/in/a.jpg")
    with store.listing() as listing:
        known = known_files(listing, ["/in/a.jpg", "/in/b.jpg"], sidecars=False)
    assert list(known) == ["/in/a.jpg"]
    assert not known["/in/a.jpg"].missing
    with store.writing() as session:
        files.mark_missing(session, File, [known["/in/a.jpg"].id])
    assert at_hand(store, root) == {}
    with store.listing() as listing:
        assert known_files(listing, ["/in/a.jpg"], sidecars=False)["/in/a.jpg"].missing


def test_what_could_not_be_read_is_never_as_it_was(store):
    root = note(store, "/in/a.jpg")
    with store.writing() as session:
        session.execute(update(File).values(error="damaged"))
    assert at_hand(store, root)["/in/a.jpg"][1] is None


def test_a_sidecar_that_made_no_sense_is_as_it_was_and_one_that_could_not_be_read_is_not(store):
    root = note(store, "/in/a.json", "/in/b.json", kind="sidecar")
    with store.writing() as session:
        store_readings(session, [Reading(1, "other", {}, "no JSON"), Reading(2, None, None, "no access")])
    assert {path: row[1] for path, row in at_hand(store, root).items()} == {"/in/a.json": 5, "/in/b.json": None}


def test_sidecars_wait_until_they_are_read_and_their_folders_paired(store):
    def wait():
        with store.listing() as listing:
            return sidecars_wait(listing, KEY)

    assert not wait()
    note(store, "/in/a.json", kind="sidecar")
    assert wait()
    with store.writing() as session:
        store_readings(session, [Reading(1, "other", {})])
    assert wait()
    with store.writing() as session:
        session.execute(update(Folder).values(pairing_key=KEY))
    assert not wait()
    with store.writing() as session:
        session.execute(update(Folder).values(pairing_key="another"))
    assert wait()
    with store.writing() as session:
        session.execute(update(Folder).values(pairing_key=KEY))
        session.execute(update(Sidecar).values(kind=None, error=None))
    assert wait()


def test_roots_and_their_inodes(store):
    root = note(store)
    with store.writing() as session:
        remember_inode(session, root, 12)
    with store.listing() as listing:
        assert known_roots(listing) == [(root, "/in")]
        assert root_inodes(listing) == {root: 12}


def test_a_listing_is_not_written(store):
    with store.listing() as listing, pytest.raises(Exception, match="readonly"):
        listing.execute("DELETE FROM root")
