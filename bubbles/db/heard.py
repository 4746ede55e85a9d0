"""How bubbles were heard, as of a full hour: the figures that follow from the rows of what was sent and what was heard.

An act is what one visitor adds to one figure. It is told in one of three ways:

- `exact`: what was done with a bubble while it was public, and all that programs do.
- `stepped`: what the team does, what is done with a bubble that is not public, and how many people there are. Beside
  its sum stands how many people came since it was last opened, so that whoever asks can decide whether it opens.
- `old`: what would be stepped, of a row that knows no network, and so not how many of its visitors were one person.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from bubbles.db.listening import COMPLETION_PART, LISTEN_PART, LISTEN_S, START_S, Audience
from bubbles.model.listening import Opening

FIGURES = ("downloads", "starts", "listens", "completions", "heard_s", "listeners")
CROWD_FIGURES = ("downloads", "starts")
"""A crowd's visitors are not told apart, and so no more is known of them."""

OPENED_AT_ONCE = 1_000
"""A statement takes 65,535 parameters, and each figure five."""

PARTS_OF_BUBBLE = 10
"""A play's seconds are rounded to such a part of the bubble."""


@dataclass
class Figure:
    """One figure of one audience, by the ways in which it is told."""

    exact: float = 0
    stepped: float = 0
    people_since: int = 0
    """How many people came to the stepped part since it was opened: of one network never more than it counts for."""

    shown: float | None = None
    """What the stepped part showed when it was last opened; None before."""

    old: float = 0
    old_people: int = 0
    is_told: bool = False
    """Some of what is not exact is the team's, or was done while the bubble was public."""


Figures = defaultdict[str, Figure]


@dataclass
class Heard:
    """How one bubble was heard. `closed`: it is not public."""

    closed: bool
    figures: dict[Audience, Figures] = field(
        default_factory=lambda: {audience: defaultdict(Figure) for audience in Audience}
    )


def of_bubbles(session: Session, bubble_ids: Sequence[int], *, as_of: datetime) -> dict[int, Heard]:
    """How each of some bubbles was heard before a full hour, the last one."""
    asked: dict[str, object] = {"bubble_ids": list(bubble_ids), "channel_id": None, "as_of": as_of}
    found = {row.id: Heard(closed=row.closed) for row in session.connection().execute(_CHOSEN, asked)}
    return found | _heard(session, asked)


def of_channel(session: Session, channel_id: int, *, as_of: datetime) -> tuple[dict[int, Heard], int]:
    """How each public bubble of a channel was heard of which anything was; and how many bubbles are not public."""
    asked: dict[str, object] = {"bubble_ids": [], "channel_id": channel_id, "as_of": as_of}
    closed = session.connection().execute(_CLOSED, asked).scalar_one()
    return _heard(session, asked), closed


def _heard(session: Session, asked: dict[str, object]) -> dict[int, Heard]:
    """Of those bubbles of which anything was heard."""
    run, found = session.connection().execute, dict[int, Heard]()

    def figures(row: Row[Any], audience: str) -> Figures:
        return found.setdefault(row.bubble_id, Heard(closed=row.closed)).figures[Audience(audience)]

    for row in run(_SUMS, asked | _RULES):
        _add(figures(row, row.audience)[row.figure], row)
    for row in run(_CROWDS, asked):
        for name in CROWD_FIGURES:
            figures(row, Audience.CROWD)[name].exact = getattr(row, name)
    return found


def _add(figure: Figure, row: Row[Any]) -> None:
    figure.is_told = figure.is_told or row.is_told
    if row.way == "exact":
        figure.exact = row.sum
    elif row.way == "old":
        figure.old, figure.old_people = row.sum, row.people
    else:
        figure.stepped, figure.people_since, figure.shown = row.sum, row.people_since, row.shown


def open_figures(session: Session, shown: Mapping[tuple[int, Audience, str], float], *, as_of: datetime) -> None:
    """Keeps what some figures show from an hour on, by bubble, audience and name."""
    rows = [
        {"bubble_id": bubble_id, "audience": audience, "figure": name, "shown": value, "as_of": as_of}
        for (bubble_id, audience, name), value in sorted(shown.items())
    ]
    for first in range(0, len(rows), OPENED_AT_ONCE):
        _open(session, rows[first : first + OPENED_AT_ONCE])


def _open(session: Session, rows: list[dict[str, object]]) -> None:
    made = insert(Opening).values(rows)
    newer = {"shown": made.excluded.shown, "as_of": made.excluded.as_of}
    keys = ["bubble_id", "audience", "figure"]
    session.connection().execute(
        made.on_conflict_do_update(index_elements=keys, set_=newer, where=made.excluded.as_of > Opening.as_of)
    )


_OF_CHANNEL = "channel_id = :channel_id AND (playable_at IS NOT NULL OR withdrawn_at IS NOT NULL)"
"""What is withdrawn was heard all the same: it stays in its channel's figures."""

_OF_THESE = f"(id = ANY (CAST(:bubble_ids AS bigint[])) OR ({_OF_CHANNEL} AND visibility = 'public'))"
_CHOSEN = text(f"SELECT id, visibility <> 'public' AS closed FROM bubble WHERE {_OF_THESE}")  # noqa: S608 - ours
_CLOSED = text(f"SELECT count(*) FROM bubble WHERE {_OF_CHANNEL} AND visibility <> 'public'")  # noqa: S608 - ours
_CROWDS = text(f"""
SELECT bubble.id AS bubble_id, visibility <> 'public' AS closed,
    CAST(sum(downloads) AS bigint) AS downloads, CAST(sum(starts) AS bigint) AS starts
FROM crowd JOIN bubble ON bubble.id = bubble_id
WHERE {_OF_THESE} AND hour < :as_of AND NOT crowd.closed
GROUP BY bubble.id
""")  # noqa: S608 - ours

_SUMS = text(f"""
WITH chosen AS (
    SELECT id, duration_s, visibility <> 'public' AS closed FROM bubble WHERE {_OF_THESE}
), download AS (
    SELECT DISTINCT ON (bubble_id, day, visitor, audience) bubble_id, audience, day, visitor, network, network_people,
        served.closed, coalesce(complete_at, last_at) AS at
    FROM served JOIN chosen ON id = bubble_id LEFT JOIN rendition USING (bubble_id, kind)
    WHERE coalesce(complete_at, last_at) < :as_of
        AND (complete_at IS NOT NULL OR ranges @> int8range(0, least(minute_bytes, length_bytes)))
    ORDER BY bubble_id, day, visitor, audience, at
), credited AS (
    SELECT bubble_id, audience, CAST(started_at AS date) AS day, visitor, network, network_people, play.closed,
        started_at AS at, duration_s,
        CASE WHEN last_at < :as_of THEN heard_s ELSE coalesce(heard_before_s, 0) END + :half_ms AS heard_s
    FROM play JOIN chosen ON id = bubble_id
    WHERE started_at < :as_of
), act AS (
    SELECT bubble_id, audience, day, visitor, network, network_people, closed, at, 'downloads' AS figure, 1.0 AS amount
    FROM download
    UNION ALL
    SELECT bubble_id, audience, day, visitor, network, network_people, closed, at, figure, amount
    FROM credited, LATERAL (VALUES
        ('starts', CASE WHEN heard_s >= :start_s THEN 1 END),
        ('listeners', CASE WHEN heard_s >= :start_s THEN 1 END),
        ('listens', CASE WHEN heard_s >= least(:listen_s, :listen_part * duration_s) THEN 1 END),
        ('completions', CASE WHEN heard_s >= :completion_part * duration_s THEN 1 END),
        ('heard_s', round(heard_s / duration_s * :parts) * duration_s / :parts)
    ) AS told (figure, amount)
    WHERE amount > 0
), told AS (
    SELECT act.*, coalesce(act.closed, chosen.closed) AS was_closed, CASE
        WHEN audience = 'bot' THEN 'exact'
        WHEN audience = 'listener' AND figure <> 'listeners' AND NOT coalesce(act.closed, true) THEN 'exact'
        WHEN network IS NULL THEN 'old'
        ELSE 'stepped'
    END AS way
    FROM act JOIN chosen ON id = bubble_id
), from_network AS (
    SELECT bubble_id, audience, figure, day, least(count(DISTINCT visitor), max(network_people)) AS people
    FROM told LEFT JOIN opening USING (bubble_id, audience, figure)
    WHERE way = 'stepped' AND at >= coalesce(as_of, '-infinity')
    GROUP BY bubble_id, audience, figure, day, network
), on_day AS (
    SELECT bubble_id, audience, figure, max(people) AS busiest, sum(people) - max(people) AS others
    FROM from_network
    GROUP BY bubble_id, audience, figure, day
), since AS (
    SELECT bubble_id, audience, figure, CAST(sum(others) + max(busiest) AS bigint) AS people
    FROM on_day
    GROUP BY bubble_id, audience, figure
)
SELECT bubble_id, chosen.closed, audience, figure, way, count(DISTINCT visitor) AS people,
    CASE WHEN figure = 'listeners' THEN count(DISTINCT visitor) ELSE sum(amount) END AS sum,
    coalesce(max(since.people), 0) AS people_since, max(shown) AS shown,
    bool_or(way <> 'exact' AND (audience = 'team' OR NOT was_closed)) AS is_told
FROM told JOIN chosen ON id = bubble_id
LEFT JOIN since USING (bubble_id, audience, figure) LEFT JOIN opening USING (bubble_id, audience, figure)
GROUP BY bubble_id, chosen.closed, audience, figure, way
""")  # noqa: S608 - ours
"""A day's visitor counts once for a bubble as a download, whichever renditions they were sent.

Networks of two days cannot be compared: each day has a key of its own. So the busiest network of each day is taken for
the same one, which counts once: whoever comes back every day opens no more than whoever comes on one.

What was heard comes in milliseconds: half of one is forgiven, so that rounding decides nothing.
"""

_RULES: dict[str, object] = {
    "start_s": START_S,
    "listen_s": LISTEN_S,
    "listen_part": LISTEN_PART,
    "completion_part": COMPLETION_PART,
    "half_ms": 0.0005,
    "parts": PARTS_OF_BUBBLE,
}
