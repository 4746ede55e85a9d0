"""Who leaves takes along what they posted in the teams that they are in: which those are is kept."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Departures under way were promised that all of theirs goes, whichever team they are in.
    op.execute("""
        ALTER TABLE departure ADD COLUMN shared_ids bigint[] NOT NULL DEFAULT '{}';
        UPDATE departure SET shared_ids =
            ARRAY(SELECT DISTINCT channel_id FROM bubble WHERE author_id = account_id) WHERE everywhere;
        ALTER TABLE departure ALTER COLUMN shared_ids DROP DEFAULT, DROP COLUMN everywhere;
    """)
