"""variants of photos, and RAW files that wait for what reads them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

CAMERA_RAW = frozenset(
    "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f".split()  # noqa: SIM905
)


def upgrade() -> None:
    op.add_column("photo", sa.Column("fingerprint", sa.LargeBinary(), nullable=True))
    op.create_table(
        "variant",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_variant_photo_id_photo"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_variant")),
    )
    op.create_index(op.f("ix_variant_group_id"), "variant", ["group_id"])
    op.create_table(
        "moving_half",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_moving_half_file_id_file"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_moving_half_photo_id_photo"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_moving_half")),
    )
    op.create_index(op.f("ix_moving_half_photo_id"), "moving_half", ["photo_id"])
    free_raw_files()


def free_raw_files() -> None:
    """RAW files were errors; from now on they wait."""
    connection = op.get_bind()
    for id_, path in connection.execute(sa.text("SELECT id, path FROM file WHERE kind = 'picture'")).all():
        if path.rpartition(".")[2].lower() in CAMERA_RAW:
            connection.execute(sa.text("UPDATE file SET kind = 'raw', error = NULL WHERE id = :id"), {"id": id_})
