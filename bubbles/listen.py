"""Listen: bytes sent and seconds heard become rows; who asked becomes a pseudonym of the day."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from bubbles.db import listening
from bubbles.db.listening import RATE_MAX, SLACK_S, Audience, Part, Sent
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble
from bubbles.model.listening import Play

PSEUDONYM_BYTES = 16
PARTS_MAX = 200
PLAYS_A_DAY_MAX = 600


@dataclass(frozen=True)
class Visitor:
    """Who asks. The address lives in memory only, until the pseudonym is made, and no log shows it."""

    address: str = field(repr=False)
    agent: str = field(repr=False)
    audience: Audience

    def pseudonym(self, secret: bytes) -> bytes:
        """16 bytes that are the same for this address and user agent under the same key of a day."""
        return hmac.digest(secret, f"{self.address}\n{self.agent}".encode(), "sha256")[:PSEUDONYM_BYTES]


@dataclass(frozen=True)
class Delivery:
    """Bytes `[start, stop)` of a rendition that were handed to the socket, for a request that came at `at`."""

    bubble_id: int
    kind: str
    visitor: Visitor
    start: int
    stop: int
    at: datetime


def count(session: Session, deliveries: Sequence[Delivery]) -> None:
    """Adds bytes that were really sent to the day's union of their visitor.

    What is known of a visitor is forgotten with the day's key, so a download's window is the calendar day (UTC).
    """
    days = sorted({delivery.at.astimezone(UTC).date() for delivery in deliveries})
    keys = {day: listening.key_of(session, day) for day in days}
    sent = [
        Sent(
            bubble_id=delivery.bubble_id,
            kind=delivery.kind,
            day=(day := delivery.at.astimezone(UTC).date()),
            visitor=delivery.visitor.pseudonym(keys[day]),
            audience=delivery.visitor.audience,
            start=delivery.start,
            stop=delivery.stop,
            at=delivery.at,
        )
        for delivery in deliveries
    ]
    listening.add_sent(session, sent)


def tell(
    session: Session, bubble: Bubble, visitor: Visitor, *, play: str, heard: list[tuple[float, float]], now: datetime
) -> Play:
    """Adds the parts `heard`, in seconds, to what a play is known to have heard.

    The first beacon of a play fixes when it began, so a player sends one, with nothing heard, as playing begins. What
    a play claims is kept as the union of all its beacons; what it is credited with, `heard_s`, is the length of that
    union, but never more than twice the time since the first beacon plus two seconds, and it never shrinks. A play
    that tells all at once at its end is thus credited with two seconds.

    Raises `conflict` when another visitor began the play (a listener whose address changed begins a new one),
    `bad_request` for a union of more than 200 parts, and `rate_limited` past 600 plays a day of one bubble.
    """
    known = _known(session, bubble, visitor, play, now)
    parts = merged([*listening.heard_of(known), *clipped(heard, bubble.duration_s)])
    if len(parts) > PARTS_MAX:
        raise Refused(Code.BAD_REQUEST, f"A play is heard in at most {PARTS_MAX} parts.")
    listening.set_heard(known, parts)
    known.heard_s = max(known.heard_s, min(length_s(parts), _credit_s(session, known, now)))
    known.last_at = max(known.last_at, now)
    return known


def _known(session: Session, bubble: Bubble, visitor: Visitor, play: str, now: datetime) -> Play:
    """The play, locked, begun if need be; a play that runs past midnight keeps the key of the day it began."""
    assert bubble.id is not None  # noqa: S101 - it was loaded
    day = listening.began_at(session, bubble.id, play) or now
    who = visitor.pseudonym(listening.key_of(session, day.astimezone(UTC).date()))
    listening.lock_visitor(session, bubble.id, who)  # before the play: who comes second waits with nothing in hand
    known = listening.lock_play(session, bubble.id, play)
    if known is None:
        _begin(session, bubble.id, visitor.audience, play=play, who=who, now=now)
        known = listening.lock_play(session, bubble.id, play)
    if known is None or known.visitor != who:
        raise Refused(Code.CONFLICT, "Another listener began this play: begin a new one.")
    return known


def _begin(session: Session, bubble_id: int, audience: Audience, *, play: str, who: bytes, now: datetime) -> None:
    if listening.plays_of(session, bubble_id, who) >= PLAYS_A_DAY_MAX:
        raise Refused(Code.RATE_LIMITED, "That is enough for a day.", retry_after_s=_until_midnight_s(now))
    begun = Play(
        bubble_id=bubble_id,
        play=play,
        visitor=who,
        audience=audience,
        heard=[],
        heard_s=0,
        started_at=now,
        last_at=now,
    )
    listening.begin_play(session, begun)


def _credit_s(session: Session, play: Play, now: datetime) -> float:
    """The most that can have been heard: in the play's own time, in what the visitor's other plays leave of theirs."""
    others_s, first_at = listening.heard_beside(session, play)
    return min(credit_s(now - play.started_at), credit_s(now - first_at) - others_s)


def _until_midnight_s(now: datetime) -> int:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return max(1, round((midnight - now).total_seconds()))


def clipped(heard: list[tuple[float, float]], duration_s: float) -> list[Part]:
    """Finite `(start_s, end_s)` cut to `0..duration_s` and rounded to milliseconds; what is empty then is dropped."""
    cut = [(_ms(max(0.0, min(start, duration_s))), _ms(max(0.0, min(end, duration_s)))) for start, end in heard]
    return [(start, end) for start, end in cut if start < end]


def _ms(time_s: float) -> Decimal:
    return Decimal(round(time_s * 1000)) / 1000


def merged(parts: list[Part]) -> list[Part]:
    """The union of parts: sorted, none touching another."""
    union: list[Part] = []
    for start, end in sorted(parts):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((start, end))
    return union


def length_s(parts: list[Part]) -> float:
    """Seconds in parts that do not overlap."""
    return float(sum(end - start for start, end in parts))


def credit_s(elapsed: timedelta) -> float:
    """The most that can have been heard in that time."""
    return max(0.0, elapsed.total_seconds()) * RATE_MAX + SLACK_S
