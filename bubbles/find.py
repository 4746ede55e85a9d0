"""Find: from a query to a page of bubbles, each with the second at which it says what was asked."""

import base64
import hashlib
import json
from dataclasses import astuple, dataclass, fields
from typing import Any

from sqlmodel import Session

from bubbles import ids
from bubbles.db import bubbles, moments, search, terms
from bubbles.db import clusters as gathering
from bubbles.db.bubbles import Whole
from bubbles.db.clusters import Cluster
from bubbles.db.moments import Match
from bubbles.db.search import Hit, Mark
from bubbles.db.terms import Asked, Near
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.map_grid import Grid
from bubbles.model.query import Box, Query, Sort
from bubbles.model.words import is_word

__all__ = ["Box", "Found", "Match", "Page", "Query", "Sort", "View", "find", "view"]

CURSOR_MAX = 7_000
"""Characters of a cursor that carries as many near words as there can be; most have a hundred."""
DIGEST_LETTERS = 16
KEY_MAX = 60_000_000_000_000_000
"""In microseconds, from year 68 to 3871; no other key comes near."""


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


@dataclass(frozen=True)
class Cursor:
    """Where to go on. `near`: the words were not found, and these took their place, on every page the same."""

    mark: Mark
    near: Near | None


def find(session: Session, query: Query) -> Page:
    """A page of the listed bubbles that meet every condition of the query.

    Words that are nowhere found as they are, all conditions together, are looked for again with near words beside them.
    By relevance the newest `search.RANKED_MAX` matches are all there are. Raises `bad_request` for a cursor that is not
    of this query.
    """
    cursor = _read(query.cursor, query) if query.cursor else None
    near = cursor.near if cursor else None
    asked = _asked(session, query.q, near) if query.q else None
    hits = _hits(session, query, asked, cursor)
    if asked is not None and cursor is None and not hits:
        near = terms.near_words(session, query.q)
        asked = _asked(session, query.q, near)
        hits = _hits(session, query, asked, cursor) if near else []
    following = _write(query, Cursor(hits[query.limit - 1].mark, near)) if len(hits) > query.limit else None
    return Page(_found(session, hits[: query.limit], asked), following)


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


def _write(query: Query, cursor: Cursor) -> str:
    """Opaque, URL-safe, and of no use with another query. Nothing in it is secret or trusted."""
    body = _encoded([*astuple(cursor.mark), cursor.near])
    return _digest(query, body) + body


def _encoded(content: Any) -> str:
    return (
        base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())
        .decode()
        .rstrip("=")
    )


def _read(text: str, query: Query) -> Cursor:
    digest, body = text[:DIGEST_LETTERS], text[DIGEST_LETTERS:]
    if len(text) > CURSOR_MAX or digest != _digest(query, body):
        raise Refused(Code.BAD_REQUEST, "The cursor belongs to another query: use the one that came with this query.")
    try:
        return _cursor(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))), query)
    except (ValueError, TypeError, RecursionError):
        raise Refused(Code.BAD_REQUEST, "The cursor is damaged: begin again without one.") from None


def _cursor(content: Any, query: Query) -> Cursor:
    """A cursor from JSON that anybody could have made; raises what Python raises for what cannot be one."""
    key, published, code, oldest, near = content
    if not (_is_key(key) and _is_key(published) and isinstance(code, str) and ids.CODE_PATTERN.fullmatch(code)):
        raise ValueError("not a mark")
    if not (_is_key(oldest) if query.sort is Sort.RELEVANCE else oldest is None):
        raise ValueError("not a bound")
    if near is not None and not _are_near(near):
        raise ValueError("not words")
    return Cursor(Mark(key, published, code, oldest), near)


def _are_near(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(known, list) and all(map(is_word, known)) for known in content.values()
    )


def _is_key(value: Any) -> bool:
    return type(value) is int and abs(value) <= KEY_MAX


def _digest(query: Query, body: str) -> str:
    asked = [getattr(query, field.name) for field in fields(query) if field.compare]
    digest = hashlib.sha256(f"{asked!r} {query.sort} {body!r}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:DIGEST_LETTERS]
