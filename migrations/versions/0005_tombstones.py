"""faces and names that were forgotten, and whom faces were taken for with another embedder."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tombstone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
    )
    op.create_index(op.f("ix_tombstone_content_hash"), "tombstone", ["content_hash"])
    op.create_table(
        "forgotten_name",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_forgotten_name")),
    )
    op.create_table(
        "assignment_aside",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        foreign_key("assignment_aside", "face_id", "face"),
        foreign_key("assignment_aside", "person_id", "person"),
        sa.PrimaryKeyConstraint("face_id", "model", name=op.f("pk_assignment_aside")),
    )
    op.create_index(op.f("ix_assignment_aside_person_id"), "assignment_aside", ["person_id"])


def foreign_key(table, column, to):
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete="CASCADE")
