import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, select

import alignimation_index.store.body_tables
import alignimation_index.store.forgotten_tables
import alignimation_index.store.identity_tables
import alignimation_index.store.listed_tables
import alignimation_index.store.saved_tables  # noqa: F401 - more of the same tables
from alignimation_index.cli import run
from alignimation_index.errors import UserError
from alignimation_index.library.takeout.folders import export_folder
from alignimation_index.pipeline.identity import refresh
from alignimation_index.query.people import find_person
from alignimation_index.store import answer_log, schema
from alignimation_index.store.engine import Store
from alignimation_index.store.face_tables import Assignment, Face
from alignimation_index.store.tables import Base, Photo, Root

REPOSITORY = Path(__file__).parents[2]

# Rebuilds a table that others refer to: the case in which cascades could empty them.
NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("photo", recreate="always") as batch:
        batch.add_column(sa.Column("stars", sa.Integer()))
"""


class Death(Exception):  # noqa: N818 - of the program
    pass


@pytest.fixture
def next_release(tmp_path, monkeypatch):
    """Turns the program into its next release, with one more migration."""

    def release():
        migrations = shutil.copytree(REPOSITORY / "migrations", tmp_path / "next" / "migrations")
        (migrations / "versions" / "next.py").write_text(NEXT_MIGRATION.format(head=schema.HEAD))
        monkeypatch.setattr(schema, "_PACKAGE", tmp_path / "next")
        monkeypatch.setattr(schema, "HEAD", "next")

    return release


def mode(path):
    return path.stat().st_mode & 0o777


def set_revision(path, revision):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


def test_the_migrations_build_what_the_models_say(new_store):
    engine = create_engine(f"sqlite:///{new_store}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_head_is_the_newest_migration(new_store):
    scripts = ScriptDirectory.from_config(schema.migration_config(new_store))
    assert scripts.get_heads() == [schema.HEAD]
    assert schema.revision(new_store) == schema.HEAD


def test_an_older_store_is_backed_up_and_upgraded_with_its_data(store, next_release):
    with store.writing() as session:
        session.add(Photo(id=7, content_hash="aa"))
        session.flush()
        session.add(Face(photo_id=7, box=[0, 0, 1, 1], score=1, detected_landmarks=[[0, 0]] * 5))
    store.close()
    before = schema.HEAD
    next_release()
    Store.open(store.path).close()
    backup = store.path.with_name(f"store.db.backup-{before}")
    assert mode(backup) == 0o600
    assert schema.revision(backup) == before
    with closing(sqlite3.connect(backup)) as old, closing(sqlite3.connect(store.path)) as new:
        for connection in (old, new):
            assert connection.execute("SELECT id, content_hash FROM photo").fetchall() == [(7, "aa")]
            assert connection.execute("SELECT photo_id FROM face").fetchall() == [(7,)]
        assert new.execute("SELECT stars FROM photo").fetchall() == [(None,)]


def test_an_upgrade_by_command_says_from_where_to_where_and_names_the_backup(store, next_release, capfd):
    store.close()
    before = schema.HEAD
    next_release()
    assert run(["--store", str(store.path), "db", "upgrade"]) == 0
    backup = schema.backup_path(store.path, before)
    assert capfd.readouterr().out == (f"{store.path}: from schema {before} to next. The store as it was: {backup}\n")
    assert backup.exists()


def test_a_store_of_the_first_schema_keeps_its_data_and_knows_its_folders(tmp_path):
    path = tmp_path / "store.db"
    path.touch()
    command.upgrade(schema.migration_config(path), "0001")
    export = "/p/takeout-20240101T000000Z-002.zip!/Takeout/Bilder/a.jpg"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"""
            INSERT INTO root VALUES (1, '/p', '2024-01-01');
            INSERT INTO photo (id, content_hash, taken_at) VALUES (7, 'aa', '2001-02-03 00:00:00');
            INSERT INTO file (id, root_id, path, size, mtime_ns, inode, photo_id)
                VALUES (3, 1, '{export}', 1, 2, 3, 7), (4, 1, '/p/c.jpg', 1, 2, 4, NULL);
            INSERT INTO face (id, photo_id, box, score, detected_landmarks) VALUES (5, 7, x'00', 1, x'00');
            INSERT INTO person VALUES (1, '2024-01-01');
            INSERT INTO answer (kind, person_id, value, answered_at_utc) VALUES ('name', 1, 'Ada', '2024-01-01');
        """)
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, photo_id, folder, kind FROM file ORDER BY id").fetchall() == [
            (3, 7, export_folder(export), "photo"),
            (4, None, "/p", "photo"),
        ]
        assert connection.execute("SELECT path, pairing_key FROM folder ORDER BY path").fetchall() == [
            ("/p", None),
            ("/p/takeout-20240101T000000Z/Takeout/Bilder", None),
        ]
        assert connection.execute("SELECT id, taken_at FROM photo").fetchall() == [(7, "2001-02-03 00:00:00")]
        assert connection.execute("SELECT id, photo_id FROM face").fetchall() == [(5, 7)]
        assert connection.execute("SELECT value, source FROM answer").fetchall() == [("Ada", None)]


@pytest.mark.parametrize("released", ["0001", "0002"])
def test_a_released_store_keeps_who_is_who_and_what_was_answered(tmp_path, released):
    path = tmp_path / "store.db"
    path.touch()
    command.upgrade(schema.migration_config(path), released)
    box = np.array([0, 0, 40, 40], "<f4").tobytes().hex()
    said = "person_id, content_hash, box, value, undone_at_utc, answered_at_utc"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"""
            INSERT INTO photo (id, content_hash) VALUES (7, 'aa');
            INSERT INTO face (id, photo_id, box, score, detected_landmarks) VALUES (5, 7, x'{box}', 1, x'00');
            INSERT INTO person VALUES (1, '2024-01-01'), (2, '2024-01-01');
            INSERT INTO assignment (face_id, person_id, distance) VALUES (5, 1, 0.25);
            INSERT INTO answer (kind, {said}) VALUES
                ('name', 1, NULL, NULL, 'Eda', NULL, '2024-01-01'),
                ('name', 1, NULL, NULL, 'Ada', NULL, '2024-01-02'),
                ('name', 2, NULL, NULL, 'Bob', '2024-01-03', '2024-01-02'),
                ('confirm', 2, 'aa', x'{box}', NULL, NULL, '2024-01-04');
        """)
    with closing(Store.open(path)) as store:
        with store.reading() as session:
            assert session.execute(select(Assignment.face_id, Assignment.person_id)).all() == [(5, 1)]
            assert (find_person(session, "ada"), find_person(session, "bob")) == (1, None)
            before = answer_log.version(session)
        with store.writing() as session:
            assert (refresh(session).faces, answer_log.version(session)) == ({5: 2}, before)
            assert find_person(session, "ada") == 1
            assert answer_log.record(session, "merge", 1, other_id=2) == 5


def test_raw_files_of_the_second_schema_are_no_errors_any_more(tmp_path):
    path = tmp_path / "store.db"
    path.touch()
    command.upgrade(schema.migration_config(path), "0002")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            INSERT INTO root VALUES (1, '/p', '2024-01-01');
            INSERT INTO photo (id, content_hash, facts) VALUES (7, 'aa', '{}');
            INSERT INTO file (id, root_id, path, kind, size, mtime_ns, inode, photo_id, error) VALUES
                (3, 1, '/p/a.jpg', 'photo', 1, 2, 3, 7, NULL),
                (4, 1, '/p/a.NEF', 'picture', 1, 2, 4, NULL, 'NEF pictures are not supported'),
                (5, 1, '/p/a.psd', 'picture', 1, 2, 5, NULL, 'PSD pictures are not supported');
        """)
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, kind, photo_id, error FROM file ORDER BY id").fetchall() == [
            (3, "photo", 7, None),
            (4, "raw", None, None),
            (5, "picture", None, "PSD pictures are not supported"),
        ]
        assert connection.execute("SELECT id, facts, fingerprint FROM photo").fetchall() == [(7, "{}", None)]


def test_a_store_of_the_fifth_schema_keeps_its_template_of_faces_with_its_transforms(tmp_path):
    path = tmp_path / "store.db"
    path.touch()
    command.upgrade(schema.migration_config(path), "0005")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            INSERT INTO photo (id, content_hash) VALUES (7, 'aa');
            INSERT INTO face (id, photo_id, box, score, detected_landmarks) VALUES (5, 7, x'00', 1, x'00');
            INSERT INTO template VALUES (3, 'face', x'00');
            INSERT INTO transform VALUES (5, 3, x'00', 0.25, 'welsch-landmarks');
        """)
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, name, kind, is_medoid, mask FROM template").fetchall() == [
            (3, "face", "face", 0, None)
        ]
        assert connection.execute("SELECT face_id, template_id, residual FROM transform").fetchall() == [(5, 3, 0.25)]


def test_a_current_store_is_not_backed_up(store):
    Store.open(store.path).close()
    assert not list(store.path.parent.glob("*backup*"))


def test_a_newer_store_is_refused_and_left_as_it_is(store):
    with store.writing() as session:
        session.add(Root(path="/photos"))
    store.close()
    set_revision(store.path, "9999")
    before = store.path.read_bytes()
    with pytest.raises(UserError, match=r"newer alignindex \(schema 9999.*Nothing was touched.*Upgrade the program"):
        Store.open(store.path)
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("kind", ["picture", "other database"])
def test_a_file_that_is_no_store_is_refused_and_left_as_it_is(tmp_path, kind):
    path = tmp_path / "thing"
    if kind == "picture":
        path.write_bytes(b"\xff\xd8\xff" * 1000)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE song (title)")
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"thing is not an alignindex store.*--store PATH"):
        Store.open(path)
    assert path.read_bytes() == before
    assert mode(path) == 0o644


@contextmanager
def cut_short(before):
    """Let the program die ahead of the first statement for which `before` is true."""

    def cut(connection, cursor, statement, *_):  # noqa: ARG001
        if before(statement.strip()):
            raise Death

    event.listen(Engine, "before_cursor_execute", cut)
    try:
        with pytest.raises(Death):
            yield
    finally:
        event.remove(Engine, "before_cursor_execute", cut)


@pytest.mark.parametrize("statements", [1, 2, 3, 4, 6, 10, 20, 30])
def test_a_store_whose_creation_was_cut_short_is_created_by_the_next_run(tmp_path, statements):
    countdown = iter(range(statements, 0, -1))
    with cut_short(lambda _: next(countdown) == 1):
        Store.open(tmp_path / "store.db")
    Store.open(tmp_path / "store.db").close()
    assert schema.revision(tmp_path / "store.db") == schema.HEAD


def test_an_upgrade_that_was_cut_short_is_done_by_the_next_run(store, next_release):
    with store.writing() as session:
        session.add(Photo(content_hash="aa"))
    store.close()
    next_release()
    with cut_short(lambda statement: "RENAME TO photo" in statement):
        Store.open(store.path)
    Store.open(store.path).close()
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT content_hash, stars FROM photo").fetchall() == [("aa", None)]
