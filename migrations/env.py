"""Alembic's entry: runs the migrations against the store named in the configuration.

Foreign keys stay off here (SQLite's default): rebuilding a table drops the old one, and with them on ON DELETE CASCADE
would empty its children. They are checked before the migration commits.

SQLite can undo a CREATE TABLE, so that a migration cut short leaves the store as it was; but its driver would commit
before each, hence transactions are begun here.

Rebuilding a table drops its triggers, and fails while triggers of other tables refer to it: they are made anew after.
"""

from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.types import TypeDecorator

import alignimation_index.store.body_tables
import alignimation_index.store.forgotten_tables
import alignimation_index.store.identity_tables  # noqa: F401 - more of the same tables
from alignimation_index.store import listed_triggers
from alignimation_index.store.tables import Base


def render_item(kind, item, autogen_context):
    """Write our column types as what they are in the database, so that old migrations need none of today's code."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def configure(connection, _) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA cache_size = -262144")  # in KiB; rows are looked up all over the store


def run() -> None:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=render_item,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            listed_triggers.drop_triggers(connection)
            context.run_migrations()
            listed_triggers.rebuild(connection)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"{len(broken)} rows refer to rows that are gone; the first: {broken[0]}")
    engine.dispose()


run()
