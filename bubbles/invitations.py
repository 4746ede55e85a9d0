"""Invitations: made by who has an account or by the operator, used once to sign up."""

import math
from datetime import datetime, timedelta

from sqlmodel import Session

from bubbles import ids
from bubbles.db import accounts, invitations
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.invitation import Invitation

DAY = timedelta(days=1)


def make(
    session: Session, made_by: Account | None, *, now: datetime, valid_for: timedelta, per_day: int | None = None
) -> str:
    """The code of an invitation, told this once; raises `rate_limited` past `per_day` in 24 hours."""
    if made_by is not None:
        accounts.lock(session, made_by.id)
        _require_room(session, made_by, now, per_day)
    code = ids.new_typed_secret()
    session.add(
        Invitation(
            secret_hash=ids.hashed_typed(code),
            made_by=made_by.id if made_by else None,
            created_at=now,
            expires_at=now + valid_for,
        )
    )
    return code


def _require_room(session: Session, made_by: Account, now: datetime, per_day: int | None) -> None:
    if per_day is None or invitations.made_since(session, made_by.id, now - DAY) < per_day:
        return
    oldest = invitations.nth_latest(session, made_by.id, per_day) if per_day else None
    wait = oldest + DAY - now if oldest else DAY
    sentence = f"An account may make {per_day} invitations a day."
    raise Refused(Code.RATE_LIMITED, sentence, retry_after_s=max(1, math.ceil(wait.total_seconds())))


def use(session: Session, code: str, account: Account, *, now: datetime) -> None:
    """Uses an invitation up for a new account; raises `forbidden` when it is unknown, used or expired."""
    found = invitations.good(session, ids.hashed_typed(code), now, lock=True)
    if found is None:
        raise Refused(Code.FORBIDDEN, "This invitation is unknown, used or expired.")
    found.used_at, found.used_by = now, account.id
