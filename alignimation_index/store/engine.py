"""Opening the store: the only module that knows which database it is.

One writer at a time across processes: a write transaction begins with BEGIN IMMEDIATE, which waits for the writer in
front; write-ahead logging lets readers go on meanwhile.

SQLAlchemy is imported where a session is wanted: it takes as long as listing 50,000 files, of which often none changed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignimation_index.errors import UserError
from alignimation_index.store import schema
from alignimation_index.store.geography import distance_m

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

BUSY_TIMEOUT_S = 120

FREE_SHARE = 0.25
"""With less free space a store is not compacted: that rewrites all of it, and SQLite fills the space again anyway."""


_AGAIN = "Close other programs that use the store, make room on the disk, and run the command again."


class Store:
    """An open store at the newest schema.

    Open with `Store.open`; `reading` and `writing` give sessions of one transaction each, `listing` the bare database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _engine(self) -> Engine:
        return _engine(self.path)

    @cached_property
    def _write_engine(self) -> Engine:
        return self._engine.execution_options(sqlite_begin="IMMEDIATE")

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Store:
        """Open the store, creating it (`create`) or upgrading it where needed.

        Raises:
            UserError: the folder or file cannot be written, there is no store and `create` is off, the file is not a
                store, or it was written by a newer program.
        """
        path = path.expanduser().absolute()
        if not create and not path.exists():
            raise UserError(f"There is no store at {path} yet. Index photos first: alignindex update ~/Photos")
        try:
            _make_private(path)
            if schema.revision(path) != schema.HEAD:
                with _lock(f"{path}.schema.lock"):
                    schema.upgrade(path)
            path.chmod(0o600)  # only now is it known to be a store
        except (OSError, sqlite3.OperationalError) as error:
            raise UserError(f"Cannot open the store {path}: {error}. Choose another place with --store PATH.") from None
        except sqlite3.DatabaseError as error:
            raise UserError(f"{path} is not an alignindex store ({error}). Name another with --store PATH.") from None
        return cls(path)

    def close(self) -> None:
        """Close all connections."""
        if "_engine" in vars(self):
            self._engine.dispose()

    @contextmanager
    def listing(self) -> Iterator[sqlite3.Connection]:
        """The database as it is at one moment, for `store.known`: read through the driver alone, without a session."""
        with closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the store and never waits for a writer."""
        from sqlalchemy.orm import Session

        with Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes commit together at the end, or not at all.

        Raises:
            UserError: the disk is full or read-only, or another writer held the store for too long.
        """
        from sqlalchemy.exc import OperationalError
        from sqlalchemy.orm import Session

        try:
            with Session(self._write_engine) as session, session.begin():
                session.connection()  # begins at once, so that what is read here cannot change before it is written
                yield session
        except OperationalError as error:
            raise UserError(
                f"Cannot write to the store {self.path}: {error.orig}. Nothing of this step was kept."
            ) from error

    def backup(self, target: Path) -> None:
        """Copy the store to `target`, in place of an earlier copy.

        Raises:
            UserError: that cannot be written, or is the store itself or something else than a store.
        """
        try:
            if target.exists():
                schema.revision(target)  # fails for what is no store
                if target.samefile(self.path):
                    raise UserError(f"{target} is the store itself. Choose another place for the backup.")
            schema.backup(self.path, target)
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"Cannot back up the store to {target}: {error}. Choose another place.") from error

    def compact(self) -> int:
        """Give free space back to the disk, if it is a good share of the file; how many bytes that were.

        Raises:
            UserError: the disk has no space for the copy that this needs meanwhile, or another process writes.
        """
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S)) as connection:
                pages, free, size = (
                    int(connection.execute(f"PRAGMA {name}").fetchone()[0])
                    for name in ("page_count", "freelist_count", "page_size")
                )
                if free < FREE_SHARE * pages:
                    return 0
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return free * size
        except sqlite3.OperationalError as error:
            raise UserError(f"The space was not given back: {error}. The store is whole, only larger.") from error

    def overwrite_deleted(self) -> None:
        """Leave nothing of deleted rows in the file and its write-ahead log, whatever their size.

        Raises:
            UserError: the disk has no space for the copy that this needs meanwhile, or another process does not let go.
        """
        self.close()
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S)) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("VACUUM")
                is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            raise UserError(f"What was deleted is still in the file {self.path}: {error}. {_AGAIN}") from error
        if is_busy:
            raise UserError(f"What was deleted is still in {self.path}-wal, which another program reads. {_AGAIN}")

    @contextmanager
    def updating(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the right to run stages; a second process waits here instead of computing the same photos."""
        lock = _lock(f"{self.path}.update.lock")
        try:
            lock.acquire(blocking=False)
        except TimeoutError:
            on_wait()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def updating_if_free(self) -> Iterator[bool]:
        """Hold the right to run stages, unless another process has it; whether it is held."""
        lock = _lock(f"{self.path}.update.lock")
        try:
            lock.acquire(blocking=False)
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


def _lock(path: str) -> BaseFileLock:
    from filelock import FileLock  # imports asyncio, which a look into the store does not need

    return FileLock(path, mode=0o600)


def _make_private(path: Path) -> None:
    """Create folder (0700) and file (0600) before SQLite would with the process's umask; its side files follow."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _engine(path: Path) -> Engine:
    from sqlalchemy import create_engine, event

    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, record: Any) -> None:  # noqa: ANN401, ARG001
    # The driver's own transaction control is turned off; `_begin` says BEGIN.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite has the functions for it only where it was built with them.
    connection.create_function("distance_m", 4, distance_m, deterministic=True)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")
