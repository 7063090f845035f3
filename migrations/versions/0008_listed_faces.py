"""what queries ask of faces, in one row each; the rows and their triggers are made at the end of every upgrade."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "listed_face",
        sa.Column("moment", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("frontal", sa.Boolean(), nullable=True),
        sa.Column("yaw_deg", sa.Double(), nullable=True),
        sa.Column("pitch_deg", sa.Double(), nullable=True),
        sa.Column("size_px", sa.Double(), nullable=True),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("residual", sa.Double(), nullable=True),
        sa.Column("favourite", sa.Boolean(), nullable=False),
        sa.Column("trashed", sa.Boolean(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("variant_group", sa.Integer(), nullable=True),
        sa.Column("variant_rank", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name=op.f("fk_listed_face_face_id_face"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("moment", "face_id", name=op.f("pk_listed_face")),
        sa.UniqueConstraint("face_id", name=op.f("uq_listed_face_face_id")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_listed_face_photo_id", "listed_face", ["photo_id", "person_id"])
    op.create_index("ix_listed_face_person_id", "listed_face", ["person_id", "moment", "face_id", "photo_id"])
    op.create_index("ix_listed_face_variant_group", "listed_face", ["variant_group", "person_id", "variant_rank"])
    op.create_index("ix_photo_camera", "photo", ["camera"])
    op.create_index("ix_photo_latitude_deg_longitude_deg", "photo", ["latitude_deg", "longitude_deg"])
    op.drop_index("ix_file_photo_id", "file")
    op.create_index("ix_file_photo_id", "file", ["photo_id", "missing_since_utc", "path"])
