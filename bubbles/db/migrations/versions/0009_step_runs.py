"""The latest runs of a step are found without reading all that ever ran: expected times are asked for often."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX step_ran ON step (name, finished_at DESC)
        WHERE finished_at IS NOT NULL AND started_at IS NOT NULL
    """)
