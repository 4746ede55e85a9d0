"""Find: from a query to a page of bubbles, each with the second at which it says what was asked."""

from dataclasses import dataclass

from sqlmodel import Session

from bubbles.db import bubbles, cursors, moments, search, terms
from bubbles.db import clusters as gathering
from bubbles.db.bubbles import Whole
from bubbles.db.clusters import Cluster
from bubbles.db.cursors import Cursor
from bubbles.db.moments import Match
from bubbles.db.search import Hit
from bubbles.db.terms import Asked, Near
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.map_grid import Grid
from bubbles.model.query import Box, Query, Sort

__all__ = ["Box", "Found", "Match", "Page", "Query", "Sort", "View", "find", "view"]


@dataclass(frozen=True)
class Found:
    """A bubble that was found: `match` where the query has words, `distance_m` where it has a point."""

    whole: Whole
    match: Match | None
    distance_m: float | None


@dataclass(frozen=True)
class Page:
    """Some of what was found, and the cursor of the next page while there is one."""

    items: list[Found]
    next: str | None


def find(session: Session, query: Query) -> Page:
    """A page of the listed bubbles that meet every condition of the query.

    Words that are nowhere found as they are, all conditions together, are looked for again with near words beside them.
    By relevance the newest `search.RANKED_MAX` matches are all there are. Raises `bad_request` for a cursor that is not
    of this query.
    """
    cursor = cursors.read(session, query.cursor, query) if query.cursor else None
    near = cursor.near if cursor else None
    asked = _asked(session, query.q, near) if query.q else None
    hits = _hits(session, query, asked, cursor)
    if asked is not None and cursor is None and not hits:
        near = terms.near_words(session, query.q)
        asked = _asked(session, query.q, near)
        hits = _hits(session, query, asked, cursor) if near else []
    page = hits[: query.limit]
    following = cursors.write(session, query, Cursor(page[-1].mark, near)) if len(hits) > len(page) else None
    return Page(_found(session, page, asked), following)


@dataclass(frozen=True)
class View:
    """What a map shows: clusters, and by id the bubbles that are alone in theirs. `is_capped`: there are older ones."""

    clusters: list[Cluster]
    alone: dict[int, tuple[Bubble, Channel]]
    is_capped: bool


def view(session: Session, query: Query, grid: Grid) -> View:
    """The listed bubbles with a place that meet the query's conditions, gathered in a grid; near words as in `find`."""
    asked = _asked(session, query.q, None) if query.q else None
    found = gathering.clusters(session, query, asked, grid)
    if asked is not None and not found and (near := terms.near_words(session, query.q)):
        found = gathering.clusters(session, query, _asked(session, query.q, near), grid)
    count = sum(cluster.count for cluster in found)
    return View(found, gathering.alone(session, found), is_capped=count >= gathering.COUNTED_MAX)


def _asked(session: Session, question: str, near: Near | None) -> Asked:
    return terms.ask_near(session, question, near) if near else terms.ask(session, question)


def _hits(session: Session, query: Query, asked: Asked | None, cursor: Cursor | None) -> list[Hit]:
    """One more than a page holds, to know whether there is another."""
    return search.hits(session, query, asked, after=cursor.mark if cursor else None, limit=query.limit + 1)


def _found(session: Session, hits: list[Hit], asked: Asked | None) -> list[Found]:
    listed = search.bubbles_of(session, hits)
    wholes = bubbles.whole(session, [bubble for _, bubble in listed])
    matches = moments.matches(session, wholes, asked) if asked else [None] * len(wholes)
    return [Found(whole, match, hit.distance_m) for (hit, _), whole, match in zip(listed, wholes, matches, strict=True)]
