"""What was sent and what was heard, as rows, and the counts that follow from them.

The rule of a download (IAB Tech Lab Podcast Measurement Technical Guidelines) stands here: within a UTC day, the union
of the bytes that one visitor was really sent of one rendition covers its header and one minute, or all of it.
"""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import Range, insert
from sqlmodel import Session, col, delete, select

from bubbles.model.listening import DayKey, Play

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


@dataclass(frozen=True)
class Sent:
    """Bytes `[start, stop)` of one rendition that one visitor was sent; `day` is the UTC day the request came on."""

    bubble_id: int
    kind: str
    day: date
    visitor: bytes
    audience: Audience
    start: int
    stop: int
    at: datetime


@dataclass(frozen=True)
class Figure:
    """A sum, and how many visitors of a day are behind it."""

    sum: float = 0
    people: int = 0


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
    return session.exec(delete(DayKey).where(col(DayKey.day) <= (now - DAY_KEY_KEPT).date())).rowcount


# What was sent

_ADD_SENT = text("""
INSERT INTO served AS known (bubble_id, kind, day, visitor, audience, ranges, requests, last_at)
SELECT sent.bubble_id, kind, day, visitor, audience, range_agg(int8range(start, stop)), count(*), max(at)
FROM unnest(
    CAST(:bubble_id AS bigint[]), CAST(:kind AS text[]), CAST(:day AS date[]), CAST(:visitor AS bytea[]),
    CAST(:audience AS text[]), CAST(:start AS bigint[]), CAST(:stop AS bigint[]), CAST(:at AS timestamptz[])
) AS sent (bubble_id, kind, day, visitor, audience, start, stop, at)
JOIN bubble ON bubble.id = sent.bubble_id
GROUP BY sent.bubble_id, kind, day, visitor, audience
ORDER BY sent.bubble_id, kind, day, visitor, audience
ON CONFLICT (bubble_id, kind, day, visitor, audience) DO UPDATE SET
    ranges = known.ranges + excluded.ranges,
    requests = known.requests + excluded.requests,
    last_at = greatest(known.last_at, excluded.last_at)
""")
"""Sorted, so that two that write at once never wait for each other in a ring."""


def add_sent(session: Session, sent: Sequence[Sent]) -> None:
    """Adds what was sent to what had been sent; bubbles that are gone are passed over."""
    columns = ("bubble_id", "kind", "day", "visitor", "audience", "start", "stop", "at")
    session.connection().execute(_ADD_SENT, {name: [getattr(row, name) for row in sent] for name in columns})


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


# The counts

_DOWNLOADS = text("""
SELECT bubble_id, audience, count(*) AS downloads, count(DISTINCT visitor) AS downloads_people
FROM (
    SELECT DISTINCT bubble_id, day, visitor, audience
    FROM served JOIN rendition USING (bubble_id, kind)
    WHERE bubble_id IN (
        SELECT id FROM bubble WHERE id = ANY (CAST(:bubble_ids AS bigint[])) OR channel_id = :channel_id
    )
        AND ranges @> int8range(0, least(minute_bytes, length_bytes))
) AS download
GROUP BY bubble_id, audience
""")
"""A day's visitor counts once for a bubble, whichever renditions they were sent."""

_PLAYS = text("""
SELECT bubble_id, audience,
    count(*) FILTER (WHERE started) AS starts,
    count(DISTINCT visitor) FILTER (WHERE started) AS starts_people,
    count(*) FILTER (WHERE listened) AS listens,
    count(DISTINCT visitor) FILTER (WHERE listened) AS listens_people,
    count(*) FILTER (WHERE completed) AS completions,
    count(DISTINCT visitor) FILTER (WHERE completed) AS completions_people,
    coalesce(sum(heard_s), 0) AS heard_s,
    count(DISTINCT visitor) FILTER (WHERE heard_s > 0) AS heard_s_people,
    count(DISTINCT visitor) FILTER (WHERE started) AS listeners,
    count(DISTINCT visitor) FILTER (WHERE started) AS listeners_people
FROM (
    SELECT bubble_id, play.audience, visitor, heard_s,
        heard_s >= :start_s - :half_ms AS started,
        heard_s >= least(:listen_s, :listen_part * duration_s) - :half_ms AS listened,
        heard_s >= :completion_part * duration_s - :half_ms AS completed
    FROM play JOIN bubble ON bubble.id = play.bubble_id
    WHERE bubble.id = ANY (CAST(:bubble_ids AS bigint[])) OR channel_id = :channel_id
) AS judged
GROUP BY bubble_id, audience
""")
"""Parts come in milliseconds: half of one is forgiven, so that rounding decides nothing."""

_RULES = {
    "start_s": START_S,
    "listen_s": LISTEN_S,
    "listen_part": LISTEN_PART,
    "completion_part": COMPLETION_PART,
    "half_ms": 0.0005,
}
FIGURES = ("downloads", "starts", "listens", "completions", "heard_s", "listeners")


Counts = dict[Audience, dict[str, Figure]]
"""The `FIGURES` of one bubble for each audience."""


def counts_of_bubble(session: Session, bubble_id: int) -> Counts:
    """How one bubble was heard."""
    return counts_of_bubbles(session, [bubble_id])[bubble_id]


def counts_of_bubbles(session: Session, bubble_ids: Sequence[int]) -> dict[int, Counts]:
    """How each of some bubbles was heard."""
    found = _counts(session, bubble_ids=bubble_ids)
    return {bubble_id: found.get(bubble_id) or _nothing() for bubble_id in bubble_ids}


def counts_of_channel(session: Session, channel_id: int) -> list[Counts]:
    """How each bubble of a channel was heard; those that nobody asked for are left out."""
    return list(_counts(session, channel_id=channel_id).values())


def _counts(session: Session, *, bubble_ids: Sequence[int] = (), channel_id: int | None = None) -> dict[int, Counts]:
    found: defaultdict[int, Counts] = defaultdict(_nothing)
    for query in (_DOWNLOADS, _PLAYS):
        scope = {"bubble_ids": list(bubble_ids), "channel_id": channel_id}
        for row in session.connection().execute(query, scope | _RULES).mappings():
            figures = {name: Figure(row[name], row[f"{name}_people"]) for name in FIGURES if name in row}
            found[row["bubble_id"]][Audience(row["audience"])] |= figures
    return found


def _nothing() -> Counts:
    return {audience: dict.fromkeys(FIGURES, Figure()) for audience in Audience}
