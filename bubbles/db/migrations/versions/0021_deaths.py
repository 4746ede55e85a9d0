"""A step knows how often a process died over it, and whether it was tried once more after it was given up.

The release before neither reads nor writes either: it counts a death as a try.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE step ADD COLUMN deaths int NOT NULL DEFAULT 0, ADD COLUMN tried_again_at timestamptz")
