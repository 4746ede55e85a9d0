"""The keys that all machines of a house share, made here once; and where the pages of the sitemap begin.

What signs the cursors that clients bring back is such a key. A process of the release before knows none: it refuses our
cursors, as we refuse its own. It writes a sitemap of its own.
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
    op.execute("""
        CREATE TABLE sitemap_page (
            number integer PRIMARY KEY,
            from_at timestamptz NOT NULL,
            from_id bigint NOT NULL
        )
    """)
