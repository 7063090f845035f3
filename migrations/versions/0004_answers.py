"""answers about people, and what they come to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Adding columns rebuilds no table; Alembic would rebuild this one for its reference.
    op.execute(
        "ALTER TABLE answer ADD COLUMN other_id INTEGER CONSTRAINT fk_answer_other_id_person REFERENCES person (id)"
    )
    op.add_column("answer", sa.Column("entry", sa.Integer(), nullable=True))
    with op.batch_alter_table("assignment") as batch:
        batch.add_column(sa.Column("score", sa.Double(), nullable=True))
        batch.drop_column("distance")
    create_answer_face()
    create_face_verdict()
    create_person_state()
    create_assignment_before()
    create_suggestions()


def create_answer_face() -> None:
    op.create_table(
        "answer_face",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        foreign_key("answer_face", "answer_id", "answer", ondelete="CASCADE"),
        foreign_key("answer_face", "face_id", "face", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_answer_face")),
    )
    op.create_index(op.f("ix_answer_face_face_id"), "answer_face", ["face_id"])


def create_face_verdict() -> None:
    op.create_table(
        "face_verdict",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("is_face", sa.Boolean(), nullable=False),
        foreign_key("face_verdict", "face_id", "face", ondelete="CASCADE"),
        foreign_key("face_verdict", "person_id", "person"),
        sa.PrimaryKeyConstraint("face_id", name=op.f("pk_face_verdict")),
    )
    op.create_index(op.f("ix_face_verdict_person_id"), "face_verdict", ["person_id"])


def create_person_state() -> None:
    op.create_table(
        "person_state",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("goes_by_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("name_source", sa.String(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("born", sa.Date(), nullable=True),
        sa.Column("cover_face_id", sa.Integer(), nullable=True),
        foreign_key("person_state", "person_id", "person", ondelete="CASCADE"),
        foreign_key("person_state", "goes_by_id", "person", ondelete="CASCADE"),
        foreign_key("person_state", "cover_face_id", "face", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_state")),
    )
    for column in ("goes_by_id", "cover_face_id"):
        op.create_index(op.f(f"ix_person_state_{column}"), "person_state", [column])
    # Names that were answered before; the first answer to come derives all the rest.
    op.execute(
        "INSERT INTO person_state (person_id, goes_by_id, name, hidden) "
        "SELECT person_id, person_id, value, 0 FROM answer "
        "WHERE id IN (SELECT max(id) FROM answer WHERE kind = 'name' AND undone_at_utc IS NULL GROUP BY person_id)"
    )


def create_assignment_before() -> None:
    op.create_table(
        "assignment_before",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("answer_id", sa.Integer(), nullable=False),
        foreign_key("assignment_before", "face_id", "face", ondelete="CASCADE"),
        foreign_key("assignment_before", "person_id", "person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_before")),
        sqlite_autoincrement=True,
    )
    for column in ("face_id", "person_id", "answer_id"):
        op.create_index(op.f(f"ix_assignment_before_{column}"), "assignment_before", [column])


def create_suggestions() -> None:
    op.create_table(
        "suggestion",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        foreign_key("suggestion", "face_id", "face", ondelete="CASCADE"),
        foreign_key("suggestion", "person_id", "person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("face_id", name=op.f("pk_suggestion")),
    )
    op.create_index(op.f("ix_suggestion_person_id"), "suggestion", ["person_id"])
    op.create_table(
        "suggested_name",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shared", sa.Integer(), nullable=False),
        sa.Column("named", sa.Integer(), nullable=False),
        sa.Column("chance", sa.Double(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        foreign_key("suggested_name", "person_id", "person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_suggested_name")),
    )


def foreign_key(table, column, to, **options):
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), **options)
