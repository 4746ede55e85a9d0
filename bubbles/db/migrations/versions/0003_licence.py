"""What others may do with a bubble, and which terms its author published under."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE bubble
            ADD COLUMN licence varchar NOT NULL DEFAULT 'all-rights-reserved'
                CHECK (licence IN ('all-rights-reserved', 'CC-BY-4.0', 'CC-BY-SA-4.0', 'CC-BY-NC-4.0', 'CC0-1.0')),
            ADD COLUMN consent_version varchar NOT NULL DEFAULT 'none';
    """)
