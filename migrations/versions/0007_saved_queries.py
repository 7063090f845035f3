"""saved queries, and what was answered about photos in them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "saved_query",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("expression", sa.String(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("saved_at_utc", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_query")),
        sa.UniqueConstraint("name", name=op.f("uq_saved_query_name")),
    )
    op.create_table(
        "saved_query_photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("query_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("answered_at_utc", sa.DateTime(), nullable=False),
        sa.Column("undone_at_utc", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["query_id"],
            ["saved_query.id"],
            name=op.f("fk_saved_query_photo_query_id_saved_query"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_query_photo")),
    )
    op.create_index(op.f("ix_saved_query_photo_query_id"), "saved_query_photo", ["query_id"])
