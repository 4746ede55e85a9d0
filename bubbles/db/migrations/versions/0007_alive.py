"""When an upload under way last gave a sign of life."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE upload ADD COLUMN seen_at timestamptz")
