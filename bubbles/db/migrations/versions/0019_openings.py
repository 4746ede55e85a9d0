"""What figures of few people showed when they last opened."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE opening (
            bubble_id bigint NOT NULL REFERENCES bubble (id),
            audience text NOT NULL,
            figure text NOT NULL,
            shown double precision NOT NULL,
            as_of timestamptz NOT NULL,
            PRIMARY KEY (bubble_id, audience, figure)
        )
    """)
