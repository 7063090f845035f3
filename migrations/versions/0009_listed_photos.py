"""what queries ask of photos, in one row each, and of faces in a row that has their photo's with it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

OF_VARIANTS = (
    *("variant_group", "variant_rank", "hidden", "person_id", "frontal", "faces", "favourite", "reviewed", "quality"),
    *("size_px", "yaw_deg", "pitch_deg", "residual", "age_years", "people", "camera", "latitude_deg", "longitude_deg"),
    *("more_paths", "path"),
)


def about_photo():
    return (
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("favourite", sa.Boolean(), nullable=False),
        sa.Column("people", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=True),
        sa.Column("latitude_deg", sa.Double(), nullable=True),
        sa.Column("longitude_deg", sa.Double(), nullable=True),
        sa.Column("variant_group", sa.Integer(), nullable=True),
        sa.Column("more_paths", sa.Boolean(), nullable=False),
    )


def upgrade() -> None:
    op.drop_table("listed_face")
    op.create_table(
        "listed_photo",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("moment", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Integer(), nullable=False),
        sa.Column("variant_rank", sa.Integer(), nullable=False),
        *about_photo(),
        sa.PrimaryKeyConstraint("path", "photo_id", name=op.f("pk_listed_photo")),
        sqlite_with_rowid=False,
    )
    # What is asked most comes first: SQLite reads a row up to the last column that it needs.
    op.create_table(
        "listed_face",
        sa.Column("moment", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Integer(), nullable=False),
        sa.Column("variant_rank", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("frontal", sa.Boolean(), nullable=True),
        sa.Column("reviewed", sa.Boolean(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("size_px", sa.Double(), nullable=True),
        sa.Column("yaw_deg", sa.Double(), nullable=True),
        sa.Column("pitch_deg", sa.Double(), nullable=True),
        sa.Column("residual", sa.Double(), nullable=True),
        sa.Column("age_years", sa.Double(), nullable=True),
        *about_photo(),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("moment", "photo_id", "face_id", name=op.f("pk_listed_face")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_listed_photo_photo_id", "listed_photo", ["photo_id"], unique=True)
    op.create_index("ix_listed_face_face_id", "listed_face", ["face_id"], unique=True)
    op.create_index("ix_listed_face_photo_id", "listed_face", ["photo_id", "person_id"])
    op.create_index("ix_listed_face_person_id", "listed_face", ["person_id", "moment", "photo_id", "face_id"])
    grouped = sa.text("variant_group IS NOT NULL")
    op.create_index("ix_listed_face_variant_group", "listed_face", OF_VARIANTS, sqlite_where=grouped)
    op.drop_index("ix_photo_latitude_deg_longitude_deg", "photo")
