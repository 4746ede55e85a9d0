"""What was erased, so that no older backup brings it back."""

from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is withdrawn by now is added by upkeep: reading all bubbles is nothing to do while a schema changes.
    op.execute("""
        CREATE TABLE erasure (
            blob_key text PRIMARY KEY,
            erased_at timestamptz NOT NULL,
            everywhere boolean NOT NULL DEFAULT false,
            marked_at timestamptz
        );
        CREATE INDEX erasure_unmarked ON erasure (erased_at) WHERE marked_at IS NULL;
    """)
