"""The pages of the sitemap: all listed bubbles by the time at which they came out, each in exactly one page.

Where a page begins is kept, so that a page of old bubbles stays as it is whatever comes and goes elsewhere.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Column, Integer, text
from sqlmodel import Field, Session, SQLModel

from bubbles.model.columns import instant

PAGE_BUBBLES = 5_000
"""Bubbles of a page when the next one begins; later it may lose some, and gain what is made public late."""
PAGE_BUBBLES_MAX = 49_000
"""Of 50,000 addresses (sitemaps.org). Only bubbles that were made public later, by tens of thousands, reach it."""
BEGUN_AT_ONCE = 50
"""Pages that are begun in one transaction: a few milliseconds each."""


class SitemapPage(SQLModel, table=True):
    """The second and later pages: the first bubble, listed or not, by moment and number of its row.

    It tells of nobody more than the bubble's row does. Backups hold it; withdrawing changes nothing here.
    """

    __tablename__ = "sitemap_page"

    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    from_at: datetime = instant()
    from_id: int = Field(sa_column=Column(BigInteger, nullable=False))


@dataclass(frozen=True)
class Pages:
    """Pages are numbered from 1 to `last`. Not `all_begun`: there are bubbles for more, which are begun next time."""

    last: int
    all_begun: bool


BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)


def begin_pages(session: Session) -> Pages:
    """Begins the pages that there are bubbles for, at most `BEGUN_AT_ONCE`; others wait meanwhile."""
    connection = session.connection()
    connection.execute(text("LOCK TABLE sitemap_page IN SHARE ROW EXCLUSIVE MODE"))
    for _ in range(BEGUN_AT_ONCE):
        if not connection.execute(_BEGIN_NEXT, {"size": PAGE_BUBBLES, "beginning": BEGINNING}).rowcount:
            return Pages(_last(session), all_begun=True)
    return Pages(_last(session), all_begun=False)


def _last(session: Session) -> int:
    return int(session.connection().execute(text("SELECT coalesce(max(number), 1) FROM sitemap_page")).scalar_one())


def bubbles_of(session: Session, number: int) -> str | None:
    """The listed bubbles of a page in order, a line for each: its code, a space, when it came out (RFC 3339).

    None where there is no such page.
    """
    pages = session.connection().execute(_BOUNDS, {"number": number, "beginning": BEGINNING, "end": END}).first()
    if pages is None:
        return None
    asked = dict(zip(("from_at", "from_id", "until_at", "until_id"), pages, strict=True))
    return str(session.connection().execute(_LINES, asked | {"most": PAGE_BUBBLES_MAX}).scalar_one())


# From the row that is one further than a page is long.
_BEGIN_NEXT = text(
    """
    INSERT INTO sitemap_page (number, from_at, from_id)
    SELECT last.number + 1, first.playable_at, first.id
    FROM (
        (SELECT number, from_at, from_id FROM sitemap_page ORDER BY number DESC LIMIT 1)
        UNION ALL SELECT 1, :beginning, 0 ORDER BY number DESC LIMIT 1
    ) AS last CROSS JOIN LATERAL (
        SELECT playable_at, id FROM bubble
        WHERE listed AND (playable_at, id) >= (last.from_at, last.from_id)
        ORDER BY playable_at, id OFFSET :size LIMIT 1
    ) AS first
    """
)
_BOUNDS = text(
    """
    SELECT page.from_at, page.from_id, coalesce(next.from_at, :end), coalesce(next.from_id, 0)
    FROM (
        SELECT number, from_at, from_id FROM sitemap_page UNION ALL SELECT 1, :beginning, 0
    ) AS page LEFT JOIN sitemap_page AS next ON next.number = page.number + 1
    WHERE page.number = :number
    """
)
_LINES = text(
    """
    SELECT coalesce(string_agg(
        code || ' ' || to_char(playable_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), E'\n'
        ORDER BY playable_at, id
    ), '')
    FROM (
        SELECT code, playable_at, id FROM bubble
        WHERE listed AND (playable_at, id) >= (:from_at, :from_id) AND (playable_at, id) < (:until_at, :until_id)
        ORDER BY playable_at, id LIMIT :most
    ) AS page
    """
)
