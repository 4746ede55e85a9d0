"""The list of places by name; rows and indexes come from the file that `make` builds, again after a crash: unlogged."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(TOWNS)


TOWNS = """
CREATE UNLOGGED TABLE town (
    id bigint PRIMARY KEY,
    name varchar NOT NULL,
    country varchar NOT NULL,
    region varchar,
    kind varchar NOT NULL,
    population bigint NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    folded varchar NOT NULL
);
CREATE UNLOGGED TABLE town_list (
    version varchar PRIMARY KEY,
    loaded_at timestamptz NOT NULL
);
"""
