"""sidecars, and what photos are described by."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

EXPORT_PART = re.compile(r"(takeout-\d{8}T\d{6}Z(?:-\d+)?)-\d{3,}(?: ?\(\d+\))?(?:\.(?:zip|tgz|tar\.gz)!)?", re.ASCII)


def upgrade() -> None:
    # Adding columns rebuilds no table.
    op.add_column("file", sa.Column("folder", sa.Text(), server_default="", nullable=False))
    op.add_column("file", sa.Column("kind", sa.String(), server_default="photo", nullable=False))
    op.create_index(op.f("ix_file_folder"), "file", ["folder"])
    op.add_column("answer", sa.Column("source", sa.String(), nullable=True))
    for column in (
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("latitude_deg", sa.Double(), nullable=True),
        sa.Column("longitude_deg", sa.Double(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("favourite", sa.Boolean(), nullable=True),
        sa.Column("archived", sa.Boolean(), nullable=True),
        sa.Column("trashed", sa.Boolean(), nullable=True),
    ):
        op.add_column("photo", column)
    for table in ("photo_album", "photo_google_person"):
        op.create_table(
            table,
            sa.Column("photo_id", sa.Integer(), nullable=False),
            sa.Column("name", sa.String(), nullable=False),
            sa.ForeignKeyConstraint(
                ["photo_id"], ["photo.id"], name=op.f(f"fk_{table}_photo_id_photo"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("photo_id", "name", name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_name"), table, ["name"])
    create_sidecars()
    fill_folders()


def create_sidecars() -> None:
    op.create_table(
        "sidecar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), server_default="", nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mtime_ns", sa.Integer(), nullable=False),
        sa.Column("inode", sa.Integer(), nullable=False),
        sa.Column("missing_since_utc", sa.DateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["root_id"], ["root.id"], name=op.f("fk_sidecar_root_id_root"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sidecar")),
        sa.UniqueConstraint("path", name=op.f("uq_sidecar_path")),
    )
    op.create_index(op.f("ix_sidecar_folder"), "sidecar", ["folder"])
    op.create_index(op.f("ix_sidecar_root_id"), "sidecar", ["root_id"])
    op.create_table(
        "pairing",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("sidecar_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_pairing_file_id_file"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["sidecar_id"], ["sidecar.id"], name=op.f("fk_pairing_sidecar_id_sidecar"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "sidecar_id", name=op.f("pk_pairing")),
    )
    op.create_index(op.f("ix_pairing_sidecar_id"), "pairing", ["sidecar_id"])
    op.create_table(
        "folder",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("in_export", sa.Boolean(), nullable=False),
        sa.Column("pairing_key", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_folder")),
    )


def fill_folders() -> None:
    connection = op.get_bind()
    files = connection.execute(sa.text("SELECT id, path FROM file")).all()
    folders = {id_: export_folder(path) for id_, path in files}
    for id_, folder in folders.items():
        connection.execute(sa.text("UPDATE file SET folder = :folder WHERE id = :id"), {"folder": folder, "id": id_})
    for folder in sorted(set(folders.values())):
        connection.execute(sa.text("INSERT INTO folder (path, in_export) VALUES (:path, 0)"), {"path": folder})


def export_folder(path: str) -> str:
    """As the program of this revision has it, see library.takeout_folders."""
    *folders, _ = unicodedata.normalize("NFC", path).split("/")
    parts = [(folder, EXPORT_PART.fullmatch(folder)) for folder in folders]
    return "/".join(part[1] if part else folder for folder, part in parts)
