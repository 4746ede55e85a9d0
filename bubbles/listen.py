"""Listen: bytes sent and seconds heard become rows; who asked becomes a pseudonym of the day."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from bubbles.db import listening, networks
from bubbles.db.listening import RATE_MAX, SLACK_S, Audience, Part, Sent
from bubbles.db.networks import Ask, Visit
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble, Visibility
from bubbles.model.listening import Play
from bubbles.model.times import hour_of

PSEUDONYM_BYTES = 16
PARTS_MAX = 200
"""That one beacon may tell."""

PARTS_KEPT = 32
"""Of one play, the longest: who hears every second tenth of a second makes no row grow."""

PLAYS_A_DAY_MAX = 60
"""Of one visitor and bubble."""


@dataclass(frozen=True)
class Network:
    """Where visitors come from who may all be one person: an IPv4 address, or 48 bits of IPv6."""

    name: str = field(repr=False)
    visitors_max: int
    """New visitors of one bubble on one day that are counted; those beyond are a crowd."""

    people_max: int
    """As how many people its visitors count at most, whatever they did."""


@dataclass(frozen=True)
class Visitor:
    """Who asks. The address lives in memory only, until the pseudonyms are made, and no log shows it."""

    address: str = field(repr=False)
    agent: str = field(repr=False)
    audience: Audience
    network: Network

    def pseudonym(self, secret: bytes) -> bytes:
        """16 bytes that are the same for this address and user agent under the same key of a day."""
        return _pseudonym(secret, f"{self.address}\n{self.agent}")

    def network_pseudonym(self, secret: bytes, bubble_id: int) -> bytes:
        """16 bytes that are the same for all visitors of this bubble from this network under the same key of a day."""
        return _pseudonym(secret, f"network\n{bubble_id}\n{self.network.name}")

    def visit(self, secret: bytes, *, bubble_id: int, day: date) -> Visit:
        """Who they are to a bubble on the day of a key."""
        network = self.network_pseudonym(secret, bubble_id)
        return Visit(bubble_id, day, network, self.audience, self.pseudonym(secret))


def _pseudonym(secret: bytes, name: str) -> bytes:
    return hmac.digest(secret, name.encode(), "sha256")[:PSEUDONYM_BYTES]


@dataclass(frozen=True)
class Delivery:
    """Bytes `[start, stop)` of a rendition that were handed to the socket, for a request that came at `at`."""

    bubble_id: int
    kind: str
    visitor: Visitor
    start: int
    stop: int
    at: datetime


def count(session: Session, deliveries: Sequence[Delivery], *, now: datetime) -> None:
    """Adds bytes that were really sent to the day's union of their visitor; of a crowd, what is a download by itself.

    What is known of a visitor is forgotten with the day's key, so a download's window is the calendar day (UTC).
    """
    days = sorted({_day(delivery.at) for delivery in deliveries})
    keys = {day: listening.key_of(session, day) for day in days}
    visits = [_visit(delivery, keys) for delivery in deliveries]
    bounds = {visit: delivery.visitor.network.visitors_max for visit, delivery in zip(visits, deliveries, strict=True)}
    admitted = networks.admitted(session, bounds)
    sent, asks = list[Sent](), list[Ask]()
    for visit, each in zip(visits, deliveries, strict=True):
        if visit in admitted:
            sent.append(_sent(visit, each))
        else:
            asks.append(Ask(each.bubble_id, each.kind, each.start, each.stop))
    networks.add_downloads(session, asks, now=now)
    listening.add_sent(session, sent, now=now)


def _visit(delivery: Delivery, keys: Mapping[date, bytes]) -> Visit:
    day = _day(delivery.at)
    return delivery.visitor.visit(keys[day], bubble_id=delivery.bubble_id, day=day)


def _sent(visit: Visit, delivery: Delivery) -> Sent:
    return Sent(
        bubble_id=visit.bubble_id,
        kind=delivery.kind,
        day=visit.day,
        visitor=visit.visitor,
        audience=visit.audience,
        network=visit.network,
        network_people=delivery.visitor.network.people_max,
        start=delivery.start,
        stop=delivery.stop,
    )


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def tell(
    session: Session, bubble: Bubble, visitor: Visitor, *, play: str, heard: list[tuple[float, float]], now: datetime
) -> Play | None:
    """Adds the parts `heard`, in seconds, to what a play is known to have heard.

    The first beacon of a play fixes when it began, so a player sends one, with nothing heard, as playing begins. What
    a play claims is kept as the union of all its beacons, the longest parts of it; what it is credited with, `heard_s`,
    is the length of that union, but never more than twice the time since the first beacon plus two seconds, and it
    never shrinks. A play that tells all at once at its end is thus credited with two seconds.

    None for a new visitor beyond the bound of their network: a crowd's plays are counted as they begin, and no more is
    kept of them. Raises `conflict` when another visitor began the play (a listener whose address changed begins a new
    one) or the bubble was public then and is not, and `rate_limited` past `PLAYS_A_DAY_MAX` plays a day of one bubble.
    """
    known = _known(session, bubble, visitor, play, now)
    if known is None:
        if not heard:
            networks.add_start(session, bubble.id, now=now)
        return None
    parts = merged([*listening.heard_of(known), *clipped(heard, bubble.duration_s)])
    listening.set_heard(known, longest(parts))
    if hour_of(known.last_at) < hour_of(now):
        known.heard_before_s = known.heard_s
    known.heard_s = max(known.heard_s, min(length_s(parts), _credit_s(session, known, now)))
    known.last_at = max(known.last_at, now)
    return known


def _known(session: Session, bubble: Bubble, visitor: Visitor, play: str, now: datetime) -> Play | None:
    """The play, locked, begun if need be; a play that runs past midnight keeps the key of the day it began."""
    day = _day(listening.began_at(session, bubble.id, play) or now)
    visit = visitor.visit(listening.key_of(session, day), bubble_id=bubble.id, day=day)
    # Before the play: who comes second waits with nothing in hand.
    listening.lock_visitor(session, bubble.id, visit.visitor)
    known = listening.lock_play(session, bubble.id, play)
    if known is None:
        if not networks.admitted(session, {visit: visitor.network.visitors_max}):
            return None
        closed = bubble.visibility != Visibility.PUBLIC
        _begin(session, visit, visitor.network.people_max, play=play, closed=closed, now=now)
        known = listening.lock_play(session, bubble.id, play)
    if known is None or known.visitor != visit.visitor:
        raise Refused(Code.CONFLICT, "Another listener began this play: begin a new one.")
    if known.closed is False and bubble.visibility != Visibility.PUBLIC:
        raise Refused(Code.CONFLICT, "This play began while the bubble was public: begin a new one.")
    return known


def _begin(session: Session, visit: Visit, network_people: int, *, play: str, closed: bool, now: datetime) -> None:
    if listening.plays_of(session, visit.bubble_id, visit.visitor) >= PLAYS_A_DAY_MAX:
        raise Refused(Code.RATE_LIMITED, "That is enough for a day.", retry_after_s=_until_midnight_s(now))
    begun = Play(
        bubble_id=visit.bubble_id,
        play=play,
        visitor=visit.visitor,
        audience=visit.audience,
        heard=[],
        heard_s=0,
        started_at=now,
        last_at=now,
        network=visit.network,
        network_people=network_people,
        closed=closed,
        heard_before_s=0,
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


def longest(parts: list[Part]) -> list[Part]:
    """The `PARTS_KEPT` longest of some parts, in order."""
    return sorted(sorted(parts, key=lambda part: part[0] - part[1])[:PARTS_KEPT])


def length_s(parts: list[Part]) -> float:
    """Seconds in parts that do not overlap."""
    return float(sum(end - start for start, end in parts))


def credit_s(elapsed: timedelta) -> float:
    """The most that can have been heard in that time."""
    return max(0.0, elapsed.total_seconds()) * RATE_MAX + SLACK_S
