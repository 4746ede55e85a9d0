"""Tokens that are limited, apart from those for everything; when a token was last used."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A table of its own, where a process of the release before does not look: it would let a limited token do all.
    op.execute("""
        CREATE TABLE scoped_token (
            id bigint PRIMARY KEY,
            account_id bigint NOT NULL REFERENCES account (id),
            secret_hash varchar NOT NULL UNIQUE,
            name varchar NOT NULL,
            scopes text[],
            created_at timestamptz NOT NULL,
            expires_at timestamptz,
            last_used_at timestamptz
        );
        CREATE INDEX scoped_token_of_account ON scoped_token (account_id);
        CREATE INDEX scoped_token_expiry ON scoped_token (expires_at);
        ALTER TABLE token ADD COLUMN last_used_at timestamptz;
    """)
