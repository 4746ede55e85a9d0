"""Whose turn it is in a queue, and who serves it.

A process that does not know of turns yet goes on: its steps take theirs from the clock, and its jobs come first.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE step ADD COLUMN turn_at timestamptz NOT NULL DEFAULT now()")
    op.execute("UPDATE step SET turn_at = queued_at WHERE finished_at IS NULL AND gave_up_at IS NULL")
    op.execute("""
        CREATE TABLE serving (
            process_id uuid NOT NULL,
            queue text NOT NULL,
            at_once integer NOT NULL,
            alive_until timestamptz NOT NULL,
            PRIMARY KEY (process_id, queue)
        )
    """)
