"""What was sent and what was heard, as rows, and the counts that follow from them.

The rule of a download (IAB Tech Lab Podcast Measurement Technical Guidelines) stands here: within a UTC day, the union
of the bytes that one visitor was really sent of one rendition covers its header and one minute, or all of it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import Range, insert
from sqlmodel import Session, col, delete, select

from bubbles.model.listening import DayKey, NetworkDay, Play

DAY_KEY_BYTES = 32
DAY_KEY_AGE_MAX = timedelta(hours=48)
"""From the start of its day."""

DAY_KEY_KEPT = DAY_KEY_AGE_MAX - timedelta(hours=1)
"""Upkeep, which is hourly, then leaves no key that is older."""

START_S = 1.0
LISTEN_S = 5.0
LISTEN_PART = 0.5
COMPLETION_PART = 0.9
RATE_MAX = 2.0
"""The quickest playback that is believed, in seconds heard per second gone by."""

SLACK_S = 2.0

Part = tuple[Decimal, Decimal]
"""`(start_s, end_s)` in whole milliseconds, the end not included."""


class Audience(StrEnum):
    """Who is counted apart from whom."""

    LISTENER = "listener"
    TEAM = "team"
    BOT = "bot"
    CROWD = "crowd"
    """Visitors beyond the bound of their network. No row of a visitor says so."""


@dataclass(frozen=True)
class Sent:
    """Bytes `[start, stop)` of one rendition that one visitor was sent; `day` is the UTC day the request came on.

    `network_people`: how many people the visitor's network counts for at most.
    """

    bubble_id: int
    kind: str
    day: date
    visitor: bytes
    audience: Audience
    network: bytes
    network_people: int
    start: int
    stop: int


# The key of the day


def key_of(session: Session, day: date) -> bytes:
    """The random key of a day, made at its first use; whoever asks at the same moment gets the same."""
    if (known := session.get(DayKey, day)) is not None:
        return known.secret
    made = insert(DayKey).values(day=day, secret=secrets.token_bytes(DAY_KEY_BYTES)).on_conflict_do_nothing()
    session.connection().execute(made)
    return session.get_one(DayKey, day).secret


def forget_day_keys(session: Session, now: datetime) -> int:
    """Deletes the keys that are past their time, so that no visitor of those days is known again; returns how many."""
    through = (now - DAY_KEY_KEPT).date()
    session.exec(delete(NetworkDay).where(col(NetworkDay.day) <= through))
    return session.exec(delete(DayKey).where(col(DayKey.day) <= through)).rowcount


# What was sent

RANGES_MAX = 64
"""Of one visitor and rendition. The longest are kept: who asks for every second byte makes no row grow."""


def _longest(ranges: str) -> str:
    """SQL: the longest of some ranges."""
    return f"""(
        SELECT coalesce(range_agg(part), '{{}}') FROM (
            SELECT part FROM unnest({ranges}) AS part ORDER BY upper(part) - lower(part) DESC, part LIMIT {RANGES_MAX}
        ) AS longest
    )"""  # noqa: S608 - what stands in it is ours


_ADD_SENT = text(f"""
WITH sent AS (
    SELECT bubble_id, kind, day, visitor, audience, network, network_people, start, stop
    FROM unnest(
        CAST(:bubble_id AS bigint[]), CAST(:kind AS text[]), CAST(:day AS date[]), CAST(:visitor AS bytea[]),
        CAST(:audience AS text[]), CAST(:network AS bytea[]), CAST(:network_people AS smallint[]),
        CAST(:start AS bigint[]), CAST(:stop AS bigint[])
    ) AS sent (bubble_id, kind, day, visitor, audience, network, network_people, start, stop)
), added AS (
    SELECT bubble_id, kind, day, visitor, audience, network, network_people,
        range_agg(int8range(start, stop)) AS ranges, count(*) AS requests
    FROM sent GROUP BY bubble_id, kind, day, visitor, audience, network, network_people
)
INSERT INTO served AS known (
    bubble_id, kind, day, visitor, audience, ranges, requests, last_at, network, network_people, closed, complete_at
)
SELECT
    bubble.id, added.kind, day, visitor, audience, {_longest("added.ranges")}, requests, :now, network, network_people,
    visibility <> 'public', CASE WHEN added.ranges @> int8range(0, least(minute_bytes, length_bytes)) THEN :now END
FROM added JOIN bubble ON bubble.id = added.bubble_id
LEFT JOIN rendition ON (rendition.bubble_id, rendition.kind) = (bubble.id, added.kind)
ORDER BY bubble.id, added.kind, day, visitor, audience
ON CONFLICT (bubble_id, kind, day, visitor, audience) DO UPDATE SET
    ranges = {_longest("known.ranges + excluded.ranges")},
    requests = known.requests + excluded.requests,
    last_at = greatest(known.last_at, excluded.last_at),
    closed = CASE WHEN known.complete_at IS NULL THEN known.closed OR excluded.closed ELSE known.closed END,
    complete_at = coalesce(known.complete_at, excluded.complete_at, (
        SELECT CASE WHEN known.ranges @> download.bytes THEN known.last_at
            WHEN known.ranges + excluded.ranges @> download.bytes THEN excluded.last_at END
        FROM (
            SELECT int8range(0, least(minute_bytes, length_bytes)) AS bytes FROM rendition
            WHERE (rendition.bubble_id, rendition.kind) = (known.bubble_id, known.kind)
        ) AS download
    ))
""")  # noqa: S608 - what stands in it is ours
"""Sorted, so that two that write at once never wait for each other in a ring."""


def add_sent(session: Session, sent: Sequence[Sent], *, now: datetime) -> None:
    """Adds what was sent to what had been sent; bubbles that are gone are passed over."""
    given = {field.name: [getattr(row, field.name) for row in sent] for field in fields(Sent)}
    session.connection().execute(_ADD_SENT, given | {"now": now})


# What was heard


def begin_play(session: Session, play: Play) -> None:
    """Adds a play, unless one of that name is there."""
    session.connection().execute(insert(Play).values(play.model_dump()).on_conflict_do_nothing())


def began_at(session: Session, bubble_id: int, play: str) -> datetime | None:
    """When a play began, without waiting for whoever writes it; None when there is none of that name."""
    return session.exec(select(Play.started_at).where(Play.bubble_id == bubble_id, Play.play == play)).first()


def lock_visitor(session: Session, bubble_id: int, visitor: bytes) -> None:
    """Waits for what the same visitor tells of the same bubble elsewhere; held until the transaction ends."""
    session.connection().execute(_LOCK_VISITOR, {"bubble_id": bubble_id, "visitor": visitor.hex()})


_LOCK_VISITOR = text("SELECT pg_advisory_xact_lock(hashtextextended(:visitor, :bubble_id))")


def lock_play(session: Session, bubble_id: int, play: str) -> Play | None:
    """A play as it is now, locked until the transaction ends."""
    named = (Play.bubble_id == bubble_id, Play.play == play)
    return session.exec(select(Play).where(*named).with_for_update()).first()


def plays_of(session: Session, bubble_id: int, visitor: bytes) -> int:
    """How many plays of a bubble a visitor began today: a visitor is of one day."""
    theirs = (Play.bubble_id == bubble_id, Play.visitor == visitor)
    return session.exec(select(func.count()).select_from(Play).where(*theirs)).one()


def heard_beside(session: Session, play: Play) -> tuple[float, datetime]:
    """What the visitor of a play is credited with in other plays of the bubble, and when their first of all began."""
    others_s = func.coalesce(func.sum(col(Play.heard_s)).filter(col(Play.play) != play.play), 0.0)
    theirs = (Play.bubble_id == play.bubble_id, Play.visitor == play.visitor)
    return session.exec(select(others_s, func.min(Play.started_at)).where(*theirs)).one()


def heard_of(play: Play) -> list[Part]:
    """The parts that a play claims, in order, none touching another."""
    return [(part.lower, part.upper) for part in play.heard]


def set_heard(play: Play, parts: list[Part]) -> None:
    """Replaces the parts that a play claims."""
    play.heard = [Range(start, end) for start, end in parts]
