"""Whoever searches waits for others who search, though not for long; whoever listens waits for none of them."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient

from bubbles import find
from bubbles.app import open_house
from bubbles.config import Settings
from bubbles.db import towns
from bubbles.db.engine import Database, Share
from bubbles.errors import Busy
from bubbles.http import turns
from bubbles.http.asgi import create_app
from bubbles.http.routes import IN_TURN, OPERATIONS
from tests.http.wire import until

ANN, BOB = "192.0.2.1", "192.0.2.2"
BRIEF = Share(at_once=2, timeout_s=0.2)
PROGRAM, BROWSER = {"Accept": "application/json"}, {"Accept": "text/html"}
ASKED = {"/api/map": "?bbox=1,2,3,4", "/api/places": "?q=lyon"}
PATHS = [row.path + ASKED.get(row.path, "") for row in OPERATIONS if row.handler in IN_TURN]


@pytest.fixture
def brief(house: Any) -> Iterator[Any]:
    """The house with little patience for queries."""
    database = Database(house.database.libpq_url, share=BRIEF)
    settings = house.settings.model_copy(update={"query_timeout_s": BRIEF.timeout_s, "queries_at_once": BRIEF.at_once})
    yield replace(house, database=database, settings=settings)
    database.close()


@pytest.fixture
def searcher(brief: Any) -> Iterator[TestClient]:
    with TestClient(create_app(brief), raise_server_exceptions=False) as client:
        yield client


def assert_busy(answer: Any, said: str) -> None:
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["cache-control"]) == (
        503,
        "5",
        "no-store",
    )
    assert said in answer.text


def assert_listening(client: TestClient, bubble: Any) -> None:
    """All that listening asks for is there."""
    heard = {"code": bubble.code, "play": "p" * 8, "heard": [[0, 1]]}
    assert client.get(f"/media/{bubble.code}.m4a").status_code == 200
    assert client.get(f"/b/{bubble.code}").status_code == 200
    assert client.post("/api/listens", json=heard).status_code == 204
    assert client.get(f"/api/bubbles/{bubble.code}").status_code == 200


@pytest.fixture
def no_turn(searcher: TestClient) -> Iterator[None]:
    """All turns are taken."""
    places = searcher.app.state.turns._places
    holders = [object() for _ in range(BRIEF.at_once)]
    for each in holders:
        searcher.portal.call(places.acquire_on_behalf_of_nowait, each)
    yield
    for each in holders:
        searcher.portal.call(places.release_on_behalf_of, each)


@pytest.mark.parametrize("path", PATHS)
def test_whoever_asks_while_too_many_do_is_told_so_in_words(searcher: TestClient, no_turn: None, path: str) -> None:
    asked = path.format(handle="nobody", number=1)
    assert_busy(searcher.get(asked, headers=PROGRAM), "Too many ask just now")
    if not path.startswith("/api/"):
        assert_busy(searcher.get(asked, headers=BROWSER), "Too much is asked just now")


def test_whoever_listens_waits_for_no_turn(searcher: TestClient, no_turn: None, world: Any) -> None:
    assert_listening(searcher, world.bubble(length_bytes=1000))


def test_whoever_listens_needs_none_of_the_connections_of_searchers(
    searcher: TestClient, brief: Any, world: Any
) -> None:
    bubble = world.bubble(length_bytes=1000)
    with ExitStack() as taken:
        for _ in range(BRIEF.at_once):
            taken.enter_context(brief.database.query()).connection()
        assert_busy(searcher.get("/api/bubbles", headers=PROGRAM), "Too much is asked for")
        assert_listening(searcher, bubble)
    until(lambda: searcher.get("/api/bubbles").status_code == 200)


@pytest.mark.parametrize(
    "path", ["/api/bubbles", "/api/bubbles.geojson", "/api/map?bbox=1,2,3,4", "/api/places?q=x", "/search", "/map", "/"]
)
def test_a_statement_that_takes_too_long_is_told_so_in_words(
    searcher: TestClient, world: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def slow(session: Session, *_: Any, **__: Any) -> None:
        session.connection().execute(text("SELECT pg_sleep(60)"))

    for module, name in ((find, "find"), (find, "view"), (towns, "require")):
        monkeypatch.setattr(module, name, slow)
    program = path.startswith("/api/")
    answer = searcher.get(path, headers=PROGRAM if program else BROWSER)
    assert_busy(answer, "That took too long" if program else "This would take too long")
    monkeypatch.undo()
    until(lambda: searcher.get("/api/bubbles").status_code == 200)


def test_the_settings_bound_queries(postgres: str, tmp_path: Any) -> None:
    settings = Settings(data_dir=tmp_path, database_url=postgres, query_timeout_s=0.5, queries_at_once=3)
    with open_house(settings, migrate=False) as house, house.database.query() as session:
        assert session.connection().execute(text("SHOW statement_timeout")).scalar_one() == "500ms"
        assert house.database._queries.pool.size() == 3
        assert create_app(house).state.turns._places.total_tokens == 3


def test_a_turn_ends_when_the_answer_begins_however_slowly_it_is_taken() -> None:
    async def scene() -> None:
        shared, begun, taken = turns.Turns(1, 60), asyncio.Event(), asyncio.Event()

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def slowly(message: Any) -> None:
            begun.set()
            await taken.wait()

        state = SimpleNamespace(turns=shared, house=SimpleNamespace(settings=Settings()))
        scope = {"app": SimpleNamespace(state=state), "client": (ANN, 1), "headers": []}
        answering = asyncio.create_task(turns.InTurn(answer)(scope, None, slowly))
        await begun.wait()
        async with asyncio.timeout(60), shared.one(ANN):
            assert not answering.done()
        taken.set()
        await answering
        assert (shared._places.borrowed_tokens, dict(shared._of_network)) == (0, {})

    asyncio.run(scene())


@pytest.mark.parametrize("goes_wrong", [RuntimeError, asyncio.CancelledError])
def test_a_turn_is_given_back_whatever_goes_wrong(goes_wrong: type[BaseException]) -> None:
    async def scene() -> None:
        shared = turns.Turns(1, 60)
        with pytest.raises(goes_wrong):
            async with shared.one(ANN):
                raise goes_wrong
        assert (shared._places.borrowed_tokens, dict(shared._of_network)) == (0, {})

    asyncio.run(scene())


def test_one_network_takes_half_of_the_turns_and_its_crowd_waits_for_itself() -> None:
    async def scene() -> None:
        shared, crowd = turns.Turns(4, 60), []
        leave = asyncio.Event()

        async def ask() -> None:
            async with shared.one(ANN):
                await leave.wait()

        crowd = [asyncio.create_task(ask()) for _ in range(20)]
        async with asyncio.timeout(60):
            while shared._places.borrowed_tokens < 2:
                await asyncio.sleep(0)
            for _ in range(2):
                async with shared.one(BOB):
                    assert shared._places.borrowed_tokens == 3
            leave.set()
            await asyncio.gather(*crowd)
        assert (shared._places.borrowed_tokens, dict(shared._of_network)) == (0, {})

    asyncio.run(scene())


def test_who_waits_in_vain_behind_their_own_crowd_is_told_and_leaves_nothing() -> None:
    async def scene() -> None:
        shared = turns.Turns(2, 1)
        async with shared.one(ANN):
            with pytest.raises(Busy):
                async with shared.one(ANN):
                    pytest.fail("a turn beyond the network's share")
        assert (shared._places.borrowed_tokens, dict(shared._of_network)) == (0, {})

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("2001:db8:1:2::3", "", "2001:db8:1::/48"),
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("192.0.2.1", "192.0.2.7", "192.0.2.1"),
        ("198.51.100.7", "", ""),
        ("", "", ""),
    ],
    ids=["IPv4", "IPv6", "a trusted proxy", "another", "listed as shared", "no address"],
)
def test_a_turn_is_of_who_really_asks(peer: str, forwarded: str, network: str) -> None:
    settings = Settings(trusted_proxies="10.0.0.1", shared_networks="198.51.100.0/24")
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert turns.network_of({"client": (peer, 1) if peer else None, "headers": headers}, settings) == network
