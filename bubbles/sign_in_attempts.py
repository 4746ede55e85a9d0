"""Attempts to get in: counted before they are judged, so that many at once gain nothing, then as right or as wrong.

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
    """How many attempts an hour one asker may make; `kind` keeps what is counted apart.

    An attempt counts under every limit until it is judged; then a right one is taken back from the limits of wrong
    ones, and a wrong one from the limits `of_right`.
    """

    kind: str
    who: str = field(repr=False)
    per_hour: int
    of_right: bool = False

    def subject(self, key: bytes) -> bytes:
        """A pseudonym under the key of a day."""
        return hmac.digest(key, f"{self.kind}\n{self.who}".encode(), "sha256")


@dataclass(frozen=True)
class Begun:
    """An attempt that counts, by its rows: under limits of wrong ones, and under limits of right ones."""

    wrong: Sequence[int]
    right: Sequence[int]


def begin(session: Session, limits: Sequence[Limit], *, now: datetime) -> Begun:
    """Counts an attempt under each limit and returns what `settle` and `forgive` take; raises `rate_limited`.

    What is refused here is not counted, so that Retry-After is true.
    """
    today, before = (listening.key_of(session, at.astimezone(UTC).date()) for at in (now, now - attempts.HOUR))
    for subject in sorted(limit.subject(today) for limit in limits):  # in one order, so that none waits in a ring
        attempts.lock(session, subject)
    for limit in limits:
        _require_room(session, limit, {limit.subject(today), limit.subject(before)}, now)
    made = [(Attempt(subject=limit.subject(today), tried_at=now), limit.of_right) for limit in limits]
    session.add_all(attempt for attempt, _ in made)
    session.flush()
    return Begun(
        wrong=[attempt.id for attempt, of_right in made if not of_right],
        right=[attempt.id for attempt, of_right in made if of_right],
    )


def _require_room(session: Session, limit: Limit, subjects: set[bytes], now: datetime) -> None:
    if wait_s := attempts.full_for_s(session, subjects, per_hour=limit.per_hour, now=now):
        raise Refused(Code.RATE_LIMITED, "There were too many attempts; try again later.", retry_after_s=wait_s)


def settle(session: Session, begun: Begun, *, is_right: bool) -> None:
    """Counts an attempt as what it was, and as nothing else."""
    attempts.forgive(session, begun.wrong if is_right else begun.right)


def forgive(session: Session, begun: Begun) -> None:
    """Takes back an attempt that nobody judged."""
    attempts.forgive(session, [*begun.wrong, *begun.right])
