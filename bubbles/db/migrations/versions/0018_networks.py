"""How many visitors come from one network, and who of them no row is kept of.

Rows of before, and those that a process of the release before adds, know no network.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE served
            ADD COLUMN network bytea,
            ADD COLUMN network_people smallint,
            ADD COLUMN closed boolean,
            ADD COLUMN complete_at timestamptz
    """)
    op.execute("""
        ALTER TABLE play
            ADD COLUMN network bytea,
            ADD COLUMN network_people smallint,
            ADD COLUMN closed boolean,
            ADD COLUMN heard_before_s double precision
    """)
    op.execute("""
        CREATE TABLE network_day (
            bubble_id bigint NOT NULL REFERENCES bubble (id),
            day date NOT NULL,
            network bytea NOT NULL,
            audience text NOT NULL,
            visitors integer NOT NULL,
            PRIMARY KEY (bubble_id, day, network, audience)
        )
    """)
    op.execute("""
        CREATE TABLE crowd (
            bubble_id bigint NOT NULL REFERENCES bubble (id),
            hour timestamptz NOT NULL,
            closed boolean NOT NULL,
            downloads bigint NOT NULL,
            starts bigint NOT NULL,
            PRIMARY KEY (bubble_id, hour)
        )
    """)
