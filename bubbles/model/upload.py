"""An upload under way or ended: what limits and idempotency keys are counted from."""

from datetime import datetime

from sqlmodel import SQLModel

from bubbles.model.columns import instant, key, optional_instant, optional_reference, reference


class Upload(SQLModel, table=True):
    """One try at posting a bubble, refused ones included.

    `fingerprint` is the SHA-256 of the fields and the sound, None once the bubble is withdrawn; `outcome` the code of
    the refusal, or `accepted`. A key whose upload was refused is free again. `seen_at` is the last sign of life of one
    under way.
    """

    id: int = key()
    account_id: int = reference("account.id")
    idempotency_key: str | None = None
    fingerprint: str | None = None
    bubble_id: int | None = optional_reference("bubble.id")
    outcome: str | None = None
    started_at: datetime = instant()
    seen_at: datetime | None = optional_instant()
    ended_at: datetime | None = optional_instant()
