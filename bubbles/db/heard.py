"""How bubbles were heard: the counts that follow from the rows of what was sent and what was heard."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from bubbles.db.listening import COMPLETION_PART, LISTEN_PART, LISTEN_S, START_S, Audience


@dataclass(frozen=True)
class Figure:
    """A sum, and how many visitors of a day are behind it."""

    sum: float = 0
    people: int = 0


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
