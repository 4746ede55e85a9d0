"""Passkeys (WebAuthn credentials), and the challenges that are answered with them."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, key, optional_instant, optional_reference, reference

NAME_MAX = 60
"""Characters of a passkey's or a token's name."""


class Passkey(SQLModel, table=True):
    """A key pair whose private half never leaves a person's device. `sign_count` stays 0 where a device keeps none."""

    id: int = key()
    account_id: int = reference("account.id")
    credential_id: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sign_count: int = Field(sa_column=Column(BigInteger, nullable=False))
    name: str
    created_at: datetime = instant()
    last_used_at: datetime | None = optional_instant()


class Challenge(SQLModel, table=True):
    """Random bytes that one answer may sign, once: to add a passkey to `account_id`, or to sign in when it is None.

    `network` is a pseudonym of the day: it bounds how many challenges one asker holds.
    """

    id: int = key()
    secret_hash: str
    account_id: int | None = optional_reference("account.id")
    network: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    expires_at: datetime = instant()
