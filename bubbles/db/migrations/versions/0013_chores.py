"""How what runs by itself last went."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE chore (
            name text PRIMARY KEY,
            ran_at timestamptz NOT NULL,
            took_s double precision NOT NULL DEFAULT 0,
            failed_at timestamptz,
            latest jsonb NOT NULL DEFAULT '{}',
            totals jsonb NOT NULL DEFAULT '{}'
        )
    """)
