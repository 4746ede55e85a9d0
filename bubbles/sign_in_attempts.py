"""Attempts to get in: counted before they are judged, so that many at once gain nothing, and forgiven when in order.

What is counted is a pseudonym of the handle typed or of the network, under the random key of the day: neither is kept,
and a handle that nobody has is bounded like any other.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlmodel import Session

from bubbles.db import attempts, listening
from bubbles.errors import Code, Refused
from bubbles.model.attempt import Attempt


@dataclass(frozen=True)
class Limit:
    """How many attempts an hour one asker may make; `kind` keeps what is counted apart."""

    kind: str
    who: str = field(repr=False)
    per_hour: int

    def subject(self, key: bytes) -> bytes:
        """A pseudonym under the key of a day."""
        return hmac.digest(key, f"{self.kind}\n{self.who}".encode(), "sha256")


def begin(session: Session, limits: Sequence[Limit], *, now: datetime) -> list[int]:
    """Counts an attempt under each limit and returns what `forgive` takes; raises `rate_limited`.

    What is refused here is not counted, so that Retry-After is true.
    """
    today, before = (listening.key_of(session, at.astimezone(UTC).date()) for at in (now, now - attempts.HOUR))
    for subject in sorted(limit.subject(today) for limit in limits):  # in one order, so that none waits in a ring
        attempts.lock(session, subject)
    for limit in limits:
        _require_room(session, limit, {limit.subject(today), limit.subject(before)}, now)
    made = [Attempt(subject=limit.subject(today), tried_at=now) for limit in limits]
    session.add_all(made)
    session.flush()
    return [each.id for each in made]


def _require_room(session: Session, limit: Limit, subjects: set[bytes], now: datetime) -> None:
    if wait_s := attempts.full_for_s(session, subjects, per_hour=limit.per_hour, now=now):
        raise Refused(Code.RATE_LIMITED, "There were too many attempts; try again later.", retry_after_s=wait_s)


def forgive(session: Session, begun: Sequence[int]) -> None:
    """Takes back attempts that were in order."""
    attempts.forgive(session, begun)
