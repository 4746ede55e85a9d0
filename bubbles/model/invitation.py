"""Invitations to sign up."""

from datetime import datetime

from sqlmodel import SQLModel

from bubbles.model.columns import instant, key, optional_instant, optional_reference


class Invitation(SQLModel, table=True):
    """Lets one person make an account. `made_by` is None when the operator made it."""

    id: int = key()
    secret_hash: str
    made_by: int | None = optional_reference("account.id")
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = optional_instant()
    used_by: int | None = optional_reference("account.id")
