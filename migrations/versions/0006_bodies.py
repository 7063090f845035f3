"""where masks of bodies lie, templates made from bodies, and the transforms to them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("body", sa.Column("photo_from_mask", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("template") as batch:
        batch.add_column(sa.Column("kind", sa.String(), server_default="face", nullable=False))
        batch.add_column(sa.Column("keypoint_names", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("keypoint_scores", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("mask", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("content_hash", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("box", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("is_medoid", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(sa.Column("person_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_template_person_id_person"), "person", ["person_id"], ["id"], ondelete="SET NULL"
        )
    op.create_table(
        "body_transform",
        sa.Column("body_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("matrix", sa.LargeBinary(), nullable=True),
        sa.Column("residual", sa.Double(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("loss_before", sa.Double(), nullable=True),
        sa.Column("loss_after", sa.Double(), nullable=True),
        foreign_key("body_transform", "body_id", "body"),
        foreign_key("body_transform", "template_id", "template"),
        sa.PrimaryKeyConstraint("body_id", "template_id", name=op.f("pk_body_transform")),
    )
    op.create_index(op.f("ix_body_transform_template_id"), "body_transform", ["template_id"])


def foreign_key(table, column, to):
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete="CASCADE")
