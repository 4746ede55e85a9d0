"""The keys that all machines of a house share, made here once: what signs the cursors that clients bring back.

A process of the release before knows no key: it refuses our cursors, as we refuse its own.
"""

import secrets

from alembic import op
from sqlalchemy import text

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE house_key (name text PRIMARY KEY, secret bytea NOT NULL)")
    made = text("INSERT INTO house_key (name, secret) VALUES ('cursors', :secret)")
    op.execute(made.bindparams(secret=secrets.token_bytes(32)))
