"""Known browsers: in which someone has signed in to an account before."""

from datetime import datetime, timedelta

from sqlmodel import SQLModel

from bubbles.model.columns import instant, key, reference

KEPT = timedelta(days=365)
"""How long a browser stays known after its last sign-in."""


class KnownBrowser(SQLModel, table=True):
    """A browser that one account is known in, by the SHA-256 of its cookie; of several accounts it holds a row each.

    `used_at` is its last sign-in. Its owner knows it by `browser` and `system`, as they do a session. It goes when it
    is forgotten, with the other sessions when those are ended, and with its account; it is in the export without its
    digest, and in no backup, so that a restore makes nothing known again. Withdrawing and moving do not touch it.
    """

    __tablename__ = "known_browser"

    id: int = key()
    account_id: int = reference("account.id")
    secret_hash: str
    browser: str = ""
    system: str = ""
    created_at: datetime = instant()
    used_at: datetime = instant()
