"""Who has left, and what goes with them; and the bubbles of an author found by their author."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE departure (
            account_id bigint PRIMARY KEY REFERENCES account (id),
            channel_ids bigint[] NOT NULL,
            everywhere boolean NOT NULL,
            left_at timestamptz NOT NULL,
            done_at timestamptz
        );
        CREATE INDEX bubble_of_author ON bubble (author_id, id);
    """)
