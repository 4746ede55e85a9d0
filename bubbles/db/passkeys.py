"""Passkeys and challenges, as rows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, delete, select

from bubbles.db import accounts
from bubbles.model.passkey import Challenge, Passkey


def of_account(session: Session, account_id: int) -> Sequence[Passkey]:
    """The passkeys of an account, oldest first."""
    return session.exec(select(Passkey).where(Passkey.account_id == account_id).order_by(col(Passkey.id))).all()


def by_credential(session: Session, credential_id: bytes) -> Passkey | None:
    """The passkey of a credential, locked until the transaction ends: its count must never run backwards.

    Its account is locked first.
    """
    whose = session.exec(select(Passkey.account_id).where(Passkey.credential_id == credential_id)).first()
    if whose is None:
        return None
    accounts.lock(session, whose)
    return session.exec(select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()).first()


def open_challenges(session: Session, network: bytes, now: datetime) -> int:
    """How many challenges a network holds that may still be answered."""
    held = (Challenge.network == network, Challenge.expires_at > now)
    return session.exec(select(func.count()).select_from(Challenge).where(*held)).one()


def use_challenge(session: Session, secret_hash: str, *, account_id: int | None, now: datetime) -> bool:
    """Uses a challenge up; False when it is unknown, expired or was made for something else."""
    is_theirs = col(Challenge.account_id).is_not_distinct_from(account_id)
    good = (col(Challenge.secret_hash) == secret_hash, col(Challenge.expires_at) > now)
    return session.exec(delete(Challenge).where(is_theirs, *good)).rowcount == 1


def forget_challenges(session: Session, now: datetime) -> int:
    """Deletes challenges that have expired; returns how many."""
    return session.exec(delete(Challenge).where(col(Challenge.expires_at) <= now)).rowcount
