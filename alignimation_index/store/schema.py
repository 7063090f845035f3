"""Creating and upgrading the schema: by Alembic's migrations only, after a backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from alignimation_index.errors import UserError

if TYPE_CHECKING:
    from alembic.config import Config

# The newest migration, spelled out so that opening a current store need not import Alembic (a test compares them).
HEAD = "0009"

# Rows of `setting`: the face embedder that is pinned, the smallest face where it is not the usual one, and when a root
# was last removed, ISO 8601 in UTC.
EMBEDDER_SETTING, MIN_FACE_SETTING, REMOVAL_SETTING = "embedder", "min face share", "last root removed"
# The body detector that was used last, and whether masks are kept at full size: "full" or "reduced".
BODY_MODEL_SETTING, BODY_MASKS_SETTING = "body model", "body masks"
ROOT_INODE_SETTING = "root inode "  # and the id of a root: which folder it was when photos were last found there
VARIANTS_SETTING = "variants"  # the key under which photos are grouped; not there where something changed since
# The embedder that a reindex is under way to; the one that was pinned before; when that changed, ISO 8601 in UTC.
REINDEX_SETTING, EMBEDDER_BEFORE_SETTING, SWITCHED_SETTING = "reindex to", "embedder before", "embedder switched"
EMBED = "embed"
BODIES = "bodies"
DESCRIBE = "describe"  # the stage whose run goes when anything that speaks of the photo changes
ASSIGN = "assign"  # the stage whose run goes when something is answered that its faces may depend on

_PACKAGE = Path(__file__).parents[1]


def upgrade(path: Path) -> None:
    """Bring the SQLite file at `path` to HEAD; an older store is first backed up beside itself.

    Raises:
        UserError: the store's revision is not among the migrations, so a newer program wrote it; it is left alone.
    """
    current = revision(path)
    if current == HEAD:
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    config = migration_config(path)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise UserError(
            f"The store {path} was written by a newer alignindex (schema {current}, this program knows {HEAD}). "
            "Nothing was touched. Upgrade the program: pip install --upgrade alignindex"
        )
    if current is not None:
        backup(path, backup_path(path, current))
    command.upgrade(config, "head")


def revision(path: Path) -> str | None:
    """The schema revision of the file; None if it is new. sqlite3.DatabaseError if it is something else."""
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise sqlite3.DatabaseError("its tables are those of another program")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row and str(row[0])


def backup_path(path: Path, of: str) -> Path:
    """Where a backup of the store lies, beside it, by what it is a backup of: a revision, a time."""
    return path.with_name(f"{path.name}.backup-{of}")


def backup(path: Path, target: Path) -> None:
    """Copy a live store to `target` as one consistent file, readable by its owner only; complete or not there."""
    unfinished = target.with_name(f".{target.name}.part")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as copy:
        source.backup(copy)
    unfinished.replace(target)


def migration_config(path: Path) -> Config:
    """Alembic's configuration for the store at `path`: migrations of the wheel, else of the checkout."""
    from alembic.config import Config

    shipped = _PACKAGE / "migrations"
    config = Config()
    config.set_main_option("script_location", str(shipped if shipped.is_dir() else _PACKAGE.parent / "migrations"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}".replace("%", "%%"))
    return config
