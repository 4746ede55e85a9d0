"""How many new visitors a network brings a bubble in a day, and what those beyond its bound did: a crowd, in counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Session

from bubbles.db.listening import Audience

PEOPLE_MAX = 2
SHARED_PEOPLE_MAX = 30
"""For how many people the visitors of one network count at most, when a hidden figure is opened."""


@dataclass(frozen=True, order=True)
class Visit:
    """A visitor of a bubble on a day, and the network they come from, both as pseudonyms of that day."""

    bubble_id: int
    day: date
    network: bytes
    audience: Audience
    visitor: bytes


@dataclass(frozen=True)
class Ask:
    """Bytes `[start, stop)` of a rendition that one of a crowd was sent."""

    bubble_id: int
    kind: str
    start: int
    stop: int


def admitted(session: Session, visits: Mapping[Visit, int]) -> set[Visit]:
    """Which of some visits are counted, each with the bound of its network: known visitors, and new ones within it.

    Whoever admits a new visitor adds their row in the same transaction. However many ask at once, no more are admitted.
    """
    known = _known(session, list(visits))
    new = sorted(visits.keys() - known)  # sorted, so that two that admit at once never wait for each other in a ring
    return known | {visit for visit in new if _admit(session, visit, visits[visit])}


def _admit(session: Session, visit: Visit, visitors_max: int) -> bool:
    run, values = session.connection().execute, _values(visit) | {"visitors_max": visitors_max}
    has_room = run(_TAKE_ROOM, values).first() is not None
    if not _known(session, [visit]):
        return has_room
    if has_room:  # they came in by another request, while this one waited for the row
        run(_GIVE_ROOM_BACK, values)
    return True


_TAKE_ROOM = text("""
INSERT INTO network_day AS known (bubble_id, day, network, audience, visitors)
SELECT id, :day, :network, :audience, 1 FROM bubble WHERE id = :bubble_id
ON CONFLICT (bubble_id, day, network, audience) DO UPDATE SET visitors = known.visitors + 1
WHERE known.visitors < :visitors_max
RETURNING visitors
""")
"""The row is locked even when there is no room, so that what is looked up next is all that was committed before."""

_GIVE_ROOM_BACK = text("""
UPDATE network_day SET visitors = visitors - 1
WHERE bubble_id = :bubble_id AND day = :day AND network = :network AND audience = :audience
""")


def _values(visit: Visit) -> dict[str, object]:
    return {field.name: getattr(visit, field.name) for field in fields(visit)}


def _known(session: Session, visits: Sequence[Visit]) -> set[Visit]:
    """Those of whom a row is kept already."""
    given = {name: [getattr(visit, name) for visit in visits] for name in ("bubble_id", "day", "visitor")}
    return {visits[number - 1] for number in session.connection().execute(_KNOWN, given).scalars()}


_KNOWN = text("""
SELECT number FROM unnest(CAST(:bubble_id AS bigint[]), CAST(:day AS date[]), CAST(:visitor AS bytea[]))
    WITH ORDINALITY AS visit (bubble_id, day, visitor, number)
WHERE EXISTS (SELECT FROM play WHERE play.bubble_id = visit.bubble_id AND play.visitor = visit.visitor)
OR EXISTS (
    SELECT FROM rendition JOIN served USING (bubble_id, kind)
    WHERE rendition.bubble_id = visit.bubble_id AND served.day = visit.day AND served.visitor = visit.visitor
)
""")


def add_start(session: Session, bubble_id: int, *, now: datetime) -> None:
    """Counts a play that one of a crowd says to begin."""
    session.connection().execute(_ADD_START, {"bubble_id": bubble_id, "now": now})


_ADD_START = text("""
INSERT INTO crowd AS known (bubble_id, hour, closed, downloads, starts)
SELECT id, date_trunc('hour', CAST(:now AS timestamptz)), visibility <> 'public', 0, 1
FROM bubble WHERE id = :bubble_id
ON CONFLICT (bubble_id, hour) DO UPDATE SET starts = known.starts + 1, closed = known.closed OR excluded.closed
""")


def add_downloads(session: Session, asks: Sequence[Ask], *, now: datetime) -> None:
    """Counts what a crowd was sent at one go, where that alone is a download."""
    given = {field.name: [getattr(ask, field.name) for ask in asks] for field in fields(Ask)}
    session.connection().execute(_ADD_DOWNLOADS, given | {"now": now})


_ADD_DOWNLOADS = text("""
INSERT INTO crowd AS known (bubble_id, hour, closed, downloads, starts)
SELECT bubble.id, date_trunc('hour', CAST(:now AS timestamptz)), visibility <> 'public', count(*), 0
FROM unnest(
    CAST(:bubble_id AS bigint[]), CAST(:kind AS text[]), CAST(:start AS bigint[]), CAST(:stop AS bigint[])
) AS ask (bubble_id, kind, start, stop)
JOIN bubble ON bubble.id = ask.bubble_id JOIN rendition ON (rendition.bubble_id, rendition.kind) = (bubble.id, ask.kind)
WHERE int8range(start, stop) @> int8range(0, least(minute_bytes, length_bytes))
GROUP BY bubble.id
ORDER BY bubble.id
ON CONFLICT (bubble_id, hour) DO UPDATE
SET downloads = known.downloads + excluded.downloads, closed = known.closed OR excluded.closed
""")
