"""What the commands around folders and the store's file say, and how they exit."""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from alignimation_index.store import schema


@pytest.fixture
def own(library, tmp_path):
    """A copy of the library at its own place: known there without a photo being computed."""
    photos = tmp_path / "photos"
    shutil.copytree(library.photos, photos)
    shutil.copy(library.store, tmp_path / "store.db")
    copied = type(library)(photos, tmp_path / "store.db")
    assert copied.run("roots", "move", library.photos, photos).code == 0
    assert copied.run("update").code == 0
    return copied


def age_missing_files(store, days):
    with closing(sqlite3.connect(store)) as connection:
        connection.execute(
            "UPDATE file SET missing_since_utc = datetime(missing_since_utc, ?) WHERE missing_since_utc IS NOT NULL",
            [f"-{days} days"],
        )
        connection.commit()


def test_roots_are_listed_for_people_and_for_programs(own):
    (root,) = own.run("roots", "list", "--json").json
    assert list(root) == ["path", "files", "photos", "missing", "state", "added_at"]
    assert [*root.values()][:5] == [str(own.photos), 5, 5, 0, "ok"]
    assert abs(datetime.now() - datetime.fromisoformat(root["added_at"])) < timedelta(hours=1)
    own.photos.rename(own.photos.with_name("away"))
    own.photos.mkdir()
    header, line = own.run("roots", "list").out.splitlines()
    assert header.split() == ["path", "files", "photos", "missing", "state", "added"]
    assert "  empty where it held 5  " in line


def test_a_removed_root_is_said_to_be_recoverable_and_is(own):
    removed = own.run("roots", "remove", own.photos)
    assert removed.code == 0
    assert removed.out == (
        f"{own.photos} is not watched any more: 5 files left the index.\n"
        "5 photos were nowhere else. What was computed of them is kept until alignindex prune; "
        f"to have them back: alignindex update {own.photos}\n"
    )
    assert own.run("photos", "--json").json == []
    assert "0 photos computed" in own.run("update", own.photos).out
    assert own.run("people", "list", "--json").json[0]["name"] == "me"


def test_a_moved_root_is_said_and_an_update_finds_nothing_new(own):
    new = own.photos.rename(own.photos.with_name("Fotos"))
    moved = own.run("roots", "move", own.photos, new)
    assert (moved.code, moved.out) == (0, f"5 files are below {new} now. Nothing needs to be computed again.\n")
    assert own.run("update").out.startswith("5 files: 0 new or changed, 0 gone. 0 photos computed")


def test_an_update_says_what_moved(own):
    own.path(2003).rename(own.photos / "first.jpg")
    assert own.run("update").out.startswith("5 files: 1 new or changed (1 of them moved), 0 gone. 0 photos computed")


def test_a_prune_says_what_it_would_do_then_does_it_once(own):
    own.path(2003).unlink()
    own.run("update")
    assert own.run("prune").out == "Forgot 0 missing files, 0 photos, 0 faces and 0 people.\n"
    age_missing_files(own.store, 100)
    counted = "1 missing files, 1 photos, 1 faces and 0 people."
    assert own.run("prune", "--dry-run").out == f"Would forget {counted}\n"
    assert own.run("prune", "--older-than", "1y").out.startswith("Forgot 0")
    pruned = own.run("prune", "--older-than", "12w")
    assert pruned.code == 0
    backup = own.store.with_name("store.db.backup-prune")
    assert pruned.out == f"Forgot {counted}\nThe store as it was: {backup}\n"
    assert backup.exists()
    assert own.run("prune", "--older-than", "0d", "--no-backup").out.startswith("Forgot 0")
    assert own.run("status", "--json").json["missing"] == 0


def test_a_backup_is_a_store_with_the_same_photos(own, tmp_path):
    out = tmp_path / "copy.db"
    for _ in range(2):
        saved = own.run("db", "backup", "-o", out)
        assert (saved.code, saved.out.startswith(f"{out}: ")) == (0, True)
    assert out.stat().st_mode & 0o777 == 0o600
    assert type(own)(own.photos, out).run("photos", "--json").json == own.run("photos", "--json").json
    own.run("db", "backup")
    assert len(list(tmp_path.glob("store.db.backup-2*"))) == 1


@pytest.mark.parametrize("name", ["store.db", "photos/copy.db"])
def test_a_backup_replaces_neither_the_store_nor_lies_among_photos(own, tmp_path, name):
    before = own.run("photos", "--json").json
    refused = own.run("db", "backup", "-o", tmp_path / name)
    assert (refused.code, refused.out) == (1, "")
    assert "Choose another place" in refused.err
    assert own.run("photos", "--json").json == before
    assert len(list(own.photos.iterdir())) == 5


def test_a_backup_does_not_replace_what_is_no_store(own):
    letter = own.store.with_name("letter.txt")
    letter.write_text("Dear Ada")
    assert own.run("db", "backup", "-o", letter).code == 1
    assert letter.read_text() == "Dear Ada"


def test_a_whole_store_is_in_order(own):
    checked = own.run("db", "check")
    assert (checked.code, checked.out) == (0, f"{own.store} is in order.\n")


def damage_the_file(store):
    data = bytearray(store.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192] = b"\xff" * 8192
    store.write_bytes(data)


def lose_a_photo(store):
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("DELETE FROM photo WHERE id = 1")
        connection.commit()


def set_an_older_revision(store):
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
        connection.commit()


def replace_it(store):
    store.write_text("Dear Ada, " * 100)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (damage_the_file, "put a backup in its place"),
        (lose_a_photo, "rows refer to rows that are gone"),
        (set_an_older_revision, f"its schema is 0000, this program's is {schema.HEAD}: run alignindex db upgrade"),
        (replace_it, "it cannot be read: file is not a database"),
    ],
)
def test_a_store_that_is_not_in_order_is_told_with_the_reason(own, harm, reason):
    harm(own.store)
    before = own.store.read_bytes()
    checked = own.run("db", "check")
    assert (checked.code, checked.out) == (1, "")
    assert checked.err.startswith(f"Error: The store {own.store} is not in order:\n- ")
    assert reason in checked.err
    assert own.store.read_bytes() == before


def test_an_upgrade_of_a_current_store_says_so(own):
    upgraded = own.run("db", "upgrade")
    assert upgraded.out == f"{own.store} has schema {schema.HEAD}, which is this program's.\n"
