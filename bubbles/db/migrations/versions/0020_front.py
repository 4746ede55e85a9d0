"""Through what visitors come, by process and hour: numbers, and no address."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE front (
            process_id uuid,
            hour timestamptz,
            requests bigint NOT NULL,
            forwarded bigint NOT NULL,
            forwarded_near bigint NOT NULL,
            is_one_private boolean NOT NULL,
            PRIMARY KEY (process_id, hour)
        )
    """)
