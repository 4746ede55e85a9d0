"""What can be found, and finding it: by words, place, language, tags, channel and time together."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Select,
    case,
    delete,
    false,
    func,
    literal,
    null,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlmodel import Field, Session, SQLModel, col
from sqlmodel import select as select_entity

from bubbles.db import narrowing, nearby, vocabulary
from bubbles.db.bubbles import LISTED
from bubbles.db.narrowing import bubble_key
from bubbles.db.terms import SIMPLE, Asked, configuration_of
from bubbles.model.bubble import Bubble
from bubbles.model.columns import reference
from bubbles.model.query import Query, Sort
from bubbles.model.transcript import Transcript
from bubbles.model.words import spaced

WORDS_MAX = 4_000
"""Words of one field that are found: eight times what can be said in two minutes."""
RANKED_MAX = 1_000
"""By relevance the newest this many matches are ranked; to rank all that hold a common word takes seconds."""
RANKED_LATER_MAX = 2 * RANKED_MAX
"""A later page ranks what was published meanwhile too, but no more than this, whatever its cursor says."""
Rows = Select[*tuple[Any, ...]]
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
playable_at: ColumnElement[Any] = cast("ColumnElement[Any]", Bubble.playable_at)
public_code: ColumnElement[Any] = col(Bubble.code).collate("C")
"""Parts equals: it says nothing, where the sequential id would count the bubbles that nobody may know of."""


class SearchDocument(SQLModel, table=True):
    """What a bubble is found by. `lexemes` hold each word as it is, folded, and its stem in `language`."""

    __tablename__ = "search_document"

    bubble_id: int = reference("bubble.id", part_of_key=True)
    language: str | None = None
    configuration: str
    lexemes: Any = Field(sa_column=Column(TSVECTOR, nullable=False))


lexemes: ColumnElement[Any] = cast("ColumnElement[Any]", SearchDocument.lexemes)
configuration: ColumnElement[Any] = cast("ColumnElement[Any]", SearchDocument.configuration)


def index(session: Session, bubble: Bubble, transcript: Transcript | None) -> None:
    """Makes a bubble found by its title and tags, and by the sure words of its transcript; again after any change."""
    assert bubble.id is not None  # noqa: S101 - it is a row
    language = spoken_language(bubble, transcript)
    said = transcript.sure_text if transcript else ""
    fields = {"title": bubble.title, "tags": " ".join(bubble.tags), "said": said}
    words = {name: " ".join(spaced(content).split()[:WORDS_MAX]) for name, content in fields.items()}
    reading = {"language": language, "reading": configuration_of(language), "exact": SIMPLE, "bar": BAR}
    session.connection().execute(_INDEX, {"bubble_id": bubble.id} | words | reading)
    vocabulary.forget(session, bubble.id)
    vocabulary.learn(session, bubble.id, " ".join(words.values()))


BAR = "'|':1"
"""Parts two fields, so that no phrase reaches from one into the next: no word holds a bar."""
_INDEX = text(
    """
    INSERT INTO search_document (bubble_id, language, configuration, lexemes)
    SELECT :bubble_id, :language, :reading,
        setweight(to_tsvector(reading, :title), 'A') || bar || setweight(to_tsvector(exact, :title), 'A') || bar
        || setweight(to_tsvector(reading, :tags), 'B') || bar || setweight(to_tsvector(exact, :tags), 'B') || bar
        || setweight(to_tsvector(reading, :said), 'D') || bar || setweight(to_tsvector(exact, :said), 'D')
    FROM (
        SELECT CAST(:reading AS regconfig), CAST(:exact AS regconfig), CAST(:bar AS tsvector)
    ) AS constants (reading, exact, bar)
    ON CONFLICT (bubble_id) DO UPDATE
    SET (language, configuration, lexemes) = (excluded.language, excluded.configuration, excluded.lexemes)
    """
)


def spoken_language(bubble: Bubble, transcript: Transcript | None) -> str | None:
    """BCP 47: the one that was heard or corrected, else the one the author named."""
    return (transcript and transcript.language) or bubble.language


def remove(session: Session, bubble_id: int) -> None:
    """Makes a bubble found no more, by anything."""
    session.exec(delete(SearchDocument).where(col(SearchDocument.bubble_id) == bubble_id))
    vocabulary.forget(session, bubble_id)


@dataclass(frozen=True)
class Mark:
    """Where a page ended: at `(key, published, code)`, which fall from first to last (rise when the oldest come first).

    Keys are whole numbers, since a fraction is not the same after a journey through text: microseconds since 1970,
    decimetres (negative), or millionths of a rank. `published` is in microseconds since 1970, and so is `oldest`, which
    bounds what is ranked.
    """

    key: int
    published: int
    code: str
    oldest: int | None = None


@dataclass(frozen=True)
class Hit:
    """A bubble that was found, the mark to go on from, and its distance where the query has a point."""

    bubble_id: int
    mark: Mark
    distance_m: float | None


def hits(session: Session, query: Query, asked: Asked | None, *, after: Mark | None, limit: int) -> list[Hit]:
    """The next bubbles of a query, at most `limit`, in its order. `asked` are its words."""
    if asked is not None and asked.is_empty:
        return []
    session.connection().execute(PLAN_FOR_SEARCH)
    met = matching(session, query, asked)
    if query.sort is Sort.RELEVANCE and asked is not None:
        page = _by_relevance(met, asked, after)
    elif query.sort is Sort.NEAREST and query.near is not None:
        page = _by_distance(session, met, query.near, after=after, limit=limit)
    else:
        page = _by_time(met, after, oldest_first=query.sort is Sort.OLDEST)
    rows = session.connection().execute(page.limit(limit))
    return [Hit(row.id, Mark(row.key, row.published, row.code, row.oldest), row.distance_m) for row in rows]


# How common a word is decides the plan, so that one made for any word is of no use. Pages are in memory or on a disk
# without arms; a search is over before a parallel worker or a compiler has started.
PLAN_FOR_SEARCH = text(
    """
    SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true),
        set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)
    """
)


def bubbles_of(session: Session, found: list[Hit]) -> list[tuple[Hit, Bubble]]:
    """Hits with their bubbles, in order, less what was unlisted in this very moment."""
    ids = [hit.bubble_id for hit in found]
    by_id = {bubble.id: bubble for bubble in session.exec(select_entity(Bubble).where(bubble_key.in_(ids), LISTED))}
    return [(hit, by_id[hit.bubble_id]) for hit in found if hit.bubble_id in by_id]


def _by_time(chosen: Rows, after: Mark | None, *, oldest_first: bool) -> Rows:
    place = tuple_(playable_at, public_code)
    page = chosen.add_columns(_microseconds().label("key"), _no_bound())
    if after is not None:
        there = tuple_(literal(_moment(after.published)), literal(after.code))
        page = page.where(place > there if oldest_first else place < there)
    return (
        page.order_by(playable_at, public_code)
        if oldest_first
        else page.order_by(playable_at.desc(), public_code.desc())
    )


def _by_relevance(chosen: Rows, asked: Asked, after: Mark | None) -> Rows:
    """The newest matches, ranked. With ties, so that a moment tells a later page what was ranked for the first."""
    matches = chosen.add_columns(lexemes, configuration)
    if after is not None and after.oldest is not None:
        matches = matches.where(playable_at >= _moment(after.oldest))
    ranked_max = RANKED_MAX if after is None else RANKED_LATER_MAX
    newest = matches.order_by(playable_at.desc()).fetch(ranked_max, with_ties=True).subquery()
    rank = func.ts_rank(newest.c.lexemes, _question(asked, newest.c.configuration), 1)
    oldest = func.min(newest.c.published).over() if after is None else literal(after.oldest, BigInteger)
    key = sql_cast(func.round(rank * 1_000_000), BigInteger)
    ranked = select(newest.c.id, newest.c.code, newest.c.published, newest.c.distance_m, oldest.label("oldest"))
    return _falling(ranked, (key, newest.c.published, newest.c.code), after)


def _by_distance(session: Session, chosen: Rows, point: tuple[float, float], *, after: Mark | None, limit: int) -> Rows:
    """The nearest over the sphere. The index knows the nearest on the flat map: none of `limit` can lie farther."""
    key = -sql_cast(func.round(nearby.distance_m(point) * 10), BigInteger)
    page = _falling(chosen.add_columns(_no_bound()).where(nearby.has_place), (key, _microseconds(), public_code), after)
    flat = page.order_by(None).order_by(nearby.flat_distance(point)).limit(limit).subquery()
    farthest = select(func.min(flat.c.key), func.count())
    key_min, count = session.connection().execute(farthest).one()
    if count < limit:
        return page
    return page.where(nearby.indexed(nearby.around(point, (1 - key_min) / 10)), key >= key_min)


def _falling(page: Rows, place: tuple[ColumnElement[Any], ...], after: Mark | None) -> Rows:
    """Ordered by the place, which is `(key, published, code)`, the greatest first, from the mark on."""
    if after is not None:
        there = literal(after.key, BigInteger), literal(after.published, BigInteger), literal(after.code)
        page = page.where(tuple_(*place) < tuple_(*there))
    return page.add_columns(place[0].label("key")).order_by(*(part.desc() for part in place))


def _microseconds() -> ColumnElement[int]:
    return sql_cast(func.extract("epoch", playable_at) * 1_000_000, BigInteger)


def _moment(microseconds: int) -> datetime:
    return EPOCH + microseconds * MICROSECOND


def _no_bound() -> ColumnElement[Any]:
    return sql_cast(null(), BigInteger).label("oldest")


def matching(session: Session, query: Query, asked: Asked | None) -> Rows:
    """Id, code, time and distance of all listed bubbles that meet every condition, in no order."""
    distance = nearby.distance_m(query.near) if query.near is not None else sql_cast(null(), Float(53))
    named = bubble_key.label("id"), public_code.label("code"), _microseconds().label("published")
    spoken = narrowing.spoken_in(session, query.language) if query.language is not None else None
    listed = LISTED if spoken is None else spoken & narrowing.one_by_one
    chosen = select(*named, distance.label("distance_m")).where(listed, *_conditions(session, query))
    if query.bbox is not None:
        boxes = nearby.parts(query.bbox)
        chosen = chosen.where(narrowing.within(session, boxes), nearby.exact(boxes))
    if query.near is not None and query.radius_m is not None:
        around = narrowing.within(session, nearby.around(query.near, query.radius_m))
        chosen = chosen.where(around, distance <= query.radius_m)
    of_many = query.language is not None and spoken is None
    if asked is not None or of_many:
        chosen = chosen.join(SearchDocument, col(SearchDocument.bubble_id) == bubble_key)
    if of_many:
        chosen = chosen.where(_in_language(query.language or ""))
    if asked is not None:
        chosen = chosen.where(*_worded(asked))
    return chosen


def _conditions(session: Session, query: Query) -> Iterator[ColumnElement[bool]]:
    if narrowing.is_impossible(query):
        yield false()
    if query.tags:
        yield col(Bubble.tags).contains(list(query.tags))
    if query.channel is not None:
        yield narrowing.published_by(session, query.channel)
    if query.since is not None:
        yield playable_at >= query.since
    if query.until is not None:
        yield playable_at < query.until


def _in_language(tag: str) -> ColumnElement[bool]:
    language, spoken = tag.lower(), func.lower(col(SearchDocument.language))
    return or_(spoken == language, spoken.startswith(language + "-", autoescape=True))


def _worded(asked: Asked) -> Iterator[ColumnElement[bool]]:
    """The index is asked for all readings of the question at once, then each document for its own.

    The second as a function: the planner knows nothing of it and lowers its estimate by a third, not to nothing.
    """
    yield lexemes.op("@@", is_comparison=True)(sql_cast(literal(asked.any_of), TSQUERY))
    if len(asked.tsqueries) > 1:
        yield func.ts_match_vq(lexemes, _question(asked, configuration))


def _question(asked: Asked, read_as: ColumnElement[Any]) -> ColumnElement[Any]:
    """The tsquery for a document: the question as read in the document's configuration."""
    choices = [
        (read_as.in_(configurations), sql_cast(literal(tsquery), TSQUERY))
        for tsquery, configurations in asked.tsqueries.items()
    ]
    return case(*choices, else_=sql_cast(literal(""), TSQUERY))
