"""What nobody meets is found out without a walk through all bubbles; what few meet is found all the same."""

import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import Session

from bubbles import find
from bubbles.db import indexes, narrowing
from bubbles.db.engine import Database
from bubbles.find import Box, Query, Sort
from bubbles.model.map_grid import grid
from tests.find.test_conditions import START, titles
from tests.find.test_pages import NEAR

FEW = 50
"""Rows: of the few that are meant, and of words near those that are asked for."""

WORLD = Box(-180.0, -90.0, 180.0, 90.0)
ORDERS: list[dict[str, Any]] = [
    {},
    {"order": Sort.OLDEST},
    {"near": NEAR},
    {"near": NEAR, "radius_m": 2e7, "order": Sort.OLDEST},
    {"bbox": WORLD},
    {"q": "lemon"},
    {"q": "lemon", "order": Sort.NEWEST},
]
NOBODY: list[dict[str, Any]] = [
    {"language": "ja"},
    {"language": "pt-AO"},
    {"channel": "nobody"},
    {"since": START, "until": START},
]
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'bubble'"


def rows_read(session: Session) -> int:
    """Rows of bubbles that this transaction has read."""
    return int(session.connection().execute(text(READ)).scalar_one() or 0)


@pytest.fixture
def many(session: Session, publish: Any) -> None:
    """Five hundred bubbles around, of which the planner knows."""
    bubble = publish("lemon", language="en", where=NEAR)
    columns = (
        "channel_id, author_id, version, title, tags, visibility, latitude, longitude, radius_m, precision, place_role"
    )
    rest = "duration_s, recording_sha256, recording_bytes, keep_recording, recorded_at, created_at"
    session.connection().execute(
        text(
            f"""
            INSERT INTO bubble (code, playable_at, {columns}, {rest})
            SELECT 'many' || lpad(n::text, 12, '0'), playable_at - n * interval '1 minute', {columns}, {rest}
            FROM bubble, generate_series(1, 500) AS n WHERE id = :id
            """  # noqa: S608 - columns
        ),
        {"id": bubble.id},
    )
    session.connection().execute(
        text(
            """
            INSERT INTO search_document (bubble_id, language, configuration, lexemes)
            SELECT bubble.id, search_document.language, configuration, lexemes FROM bubble, search_document
            WHERE code LIKE 'many%' AND bubble_id = :id
            """
        ),
        {"id": bubble.id},
    )
    session.connection().execute(text("ANALYZE bubble, search_document"))


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("order", ORDERS, ids=repr)
@pytest.mark.parametrize("nobody", NOBODY, ids=repr)
def test_what_nobody_meets_walks_through_nothing(session, order, nobody) -> None:
    before = rows_read(session)
    assert titles(session, **order, **nobody) == []
    assert order.keys() & {"bbox", "radius_m"} or rows_read(session) - before < FEW  # a region is counted first


@pytest.mark.usefixtures("many")
def test_a_map_of_what_nobody_meets_walks_through_nothing(session) -> None:
    before = rows_read(session)
    for nobody in NOBODY:
        assert find.view(session, Query(bbox=Box(1.0, 1.0, 2.0, 2.0), **nobody), grid(WORLD, 1)).clusters == []
    assert rows_read(session) - before < FEW


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("order", ORDERS, ids=repr)
def test_the_few_in_a_language_are_found_one_by_one(session, publish, order) -> None:
    wanted = publish("lemon pt", language="pt-BR", where=NEAR, at=START)
    publish("lemon ptx", language="ptx", where=NEAR, at=START)
    before = rows_read(session)
    assert titles(session, language="pt", **order) == [wanted.title]
    assert "bbox" in order or "radius_m" in order or rows_read(session) - before < FEW


@pytest.mark.parametrize("spoken_max", [0, 1, 2, 3])
@pytest.mark.parametrize("order", ORDERS, ids=repr)
def test_few_or_many_in_a_language_are_the_same_bubbles(session, publish, monkeypatch, order, spoken_max) -> None:
    monkeypatch.setattr(narrowing, "SPOKEN_MAX", spoken_max)
    for language in ("pt", "pt-BR", "PT-ao", "ptx", "en"):
        publish(f"lemon {language}", language=language, where=NEAR, at=START)
    hidden = publish("lemon hidden", language="pt", where=NEAR, visibility="private")
    found = titles(session, language="pt", **order)
    assert sorted(found) == ["lemon PT-ao", "lemon pt", "lemon pt-BR"] and hidden.title not in found


def test_a_channel_that_lists_nothing_is_asked_by_its_number(session, publish) -> None:
    publish("private", channel="radio", visibility="private")
    publish("open", channel="ann")
    assert titles(session, channel="radio") == []
    assert titles(session, channel="ann") == ["open"]


# The indexes that are made beside


def names(database: Database) -> set[str]:
    with database.transaction() as session:
        valid = "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indisvalid"
        return set(session.connection().execute(text(valid)).scalars())


def test_indexes_are_made_once_and_anew_where_a_crash_left_half_of_one(database: Database) -> None:
    indexes.make(database)
    assert names(database) >= set(indexes.WANTED)
    assert indexes.make(database) == []
    (name, *_) = indexes.WANTED
    with psycopg.connect(database.libpq_url, autocommit=True) as connection:
        connection.execute(f"DROP INDEX {name}")
        connection.execute("CREATE TABLE twice AS SELECT 1 AS number FROM generate_series(1, 2)")
        with pytest.raises(psycopg.errors.UniqueViolation):  # and half an index of that name is left
            connection.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON twice (number)")
    assert name not in names(database)
    assert indexes.make(database) == [name]
    assert name in names(database)


def test_only_one_process_makes_them(database: Database) -> None:
    with database.transaction() as session:
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": indexes.LOCK})
        assert indexes.make(database) == []


def test_nobody_who_writes_waits_for_an_index_that_waits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long look at the table holds the index up, and nothing else."""
    monkeypatch.setattr(indexes, "WANTED", {"search_document_again": "search_document (language)"})
    with database.transaction() as reader:
        reader.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        reader.connection().execute(text("SELECT count(*) FROM search_document")).scalar_one()
        making = threading.Thread(target=indexes.make, args=(database,))
        making.start()
        while "search_document_again" not in _all_names(database):
            making.join(0.01)
        with database.transaction() as writer:
            writer.connection().execute(text("SET LOCAL statement_timeout = '60s'"))
            writer.connection().execute(text("DELETE FROM search_document WHERE bubble_id < 0"))
        assert making.is_alive()
    making.join(60)
    assert "search_document_again" in names(database)


def _all_names(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(session.connection().execute(text("SELECT indexname FROM pg_indexes")).scalars())
