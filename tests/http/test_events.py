"""Following a bubble: one look for all who follow it, seats for many networks, and no event to who may not know."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from bubbles.db import bubbles
from bubbles.http import events, follow
from bubbles.http.follow import Hub, Seen, Watch

PATIENCE_S = 60


@dataclass
class Follower:
    """A stream that is open, as an ASGI server sees it; leaves at `leave`."""

    app: Starlette
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "192.0.2.1"
    status: int = 0
    body: str = ""

    def __post_init__(self) -> None:
        self._gone = asyncio.Event()
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "method": "GET", "path": self.path,
            "query_string": b"", "client": (self.address, 1), "server": ("test", 80), "scheme": "http",
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
        }  # fmt: skip
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"").decode()

    @property
    def states(self) -> list[str]:
        """The states that were told."""
        lines = [line for line in self.body.splitlines() if line.startswith("data: ")]
        return [json.loads(line[6:])["state"] for line in lines]

    async def leave(self) -> None:
        self._gone.set()
        await self.task


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


def played(scene: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LOOK_EVERY_S", 0.02)
    asyncio.run(scene())  # type: ignore[arg-type]


@pytest.fixture
def processing(world: Any) -> Any:
    """A bubble on its way, its path, and the headers of its owner."""
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=9, playable_at=None)
    return bubble, f"/api/bubbles/{bubble.code}/events", owner


def put(house: Any, bubble: Any, **columns: Any) -> None:
    with house.database.transaction() as session:
        row = bubbles.lock(session, bubble.id)
        for name, value in columns.items():
            setattr(row, name, value)


def test_followers_of_a_bubble_share_one_look_and_all_see_it_end(
    app: Starlette, house: Any, clock: Any, processing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bubble, path, _ = processing

    async def scene() -> None:
        followers = [Follower(app, path, address=f"192.0.2.{n}") for n in range(9)]
        await until(lambda: all(follower.states for follower in followers))
        assert len(app.state.hub.watches) == 1
        put(house, bubble, playable_at=clock())
        await until(lambda: all(len(follower.states) > 1 for follower in followers))
        put(house, bubble, ready_at=clock())
        await asyncio.wait_for(asyncio.gather(*(follower.task for follower in followers)), PATIENCE_S)
        assert {tuple(follower.states) for follower in followers} == {("processing", "playable", "ready")}
        assert (app.state.hub.watches, app.state.hub.taken, app.state.hub.shares.held) == ({}, 0, {})

    played(scene, monkeypatch)


def test_an_address_has_few_seats_and_gets_them_back(
    app: Starlette, processing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path, _ = processing

    async def scene() -> None:
        own = [Follower(app, path, address=f"2001:db8::{n}") for n in range(1, 10)]
        await until(lambda: all(follower.status for follower in own))
        assert sorted(follower.status for follower in own) == [200] * 5 + [429] * 4
        other = Follower(app, path, address="2001:db8:1::1")
        await until(lambda: other.status == 200)
        for follower in (*own, other):
            await follower.leave()
        assert (app.state.hub.watches, app.state.hub.taken, app.state.hub.shares.held) == ({}, 0, {})

    played(scene, monkeypatch)


def test_a_network_of_many_households_has_no_more_seats_than_five_of_them(
    app: Starlette, processing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        one = [Follower(app, processing[1], address=f"2001:db8:1:{n:x}::1") for n in range(30)]
        await until(lambda: all(follower.status for follower in one))
        assert sorted(follower.status for follower in one) == [200] * 25 + [429] * 5
        other = Follower(app, processing[1], address="2001:db8:2::1")
        await until(lambda: other.status == 200)
        for follower in (*one, other):
            await follower.leave()
        assert (app.state.hub.taken, app.state.hub.shares.held) == (0, {})

    played(scene, monkeypatch)


def test_the_seats_of_the_house_cannot_be_passed_by_coming_at_once(
    app: Starlette, processing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "SEATS", 7)

    async def scene() -> None:
        followers = [Follower(app, processing[1], address=f"192.0.2.{n}") for n in range(20)]
        await until(lambda: all(follower.status for follower in followers))
        assert sorted(follower.status for follower in followers) == [200] * 7 + [503] * 13
        await asyncio.gather(*(follower.leave() for follower in followers))

    played(scene, monkeypatch)


def test_a_stranger_is_told_nothing_once_it_is_hidden_and_the_team_is(
    app: Starlette, house: Any, clock: Any, processing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bubble, path, owner = processing

    async def scene() -> None:
        stranger, team = Follower(app, path), Follower(app, path, owner)
        await until(lambda: stranger.states and team.states)
        put(house, bubble, held_at=clock())
        await asyncio.wait_for(stranger.task, PATIENCE_S)
        await until(lambda: len(team.states) > 1)
        assert (stranger.states, team.states) == (["processing"], ["processing", "held"])
        await team.leave()

    played(scene, monkeypatch)


def test_a_token_that_is_revoked_follows_no_longer(
    app: Starlette, house: Any, clock: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ASK_AGAIN_S", 0.05)
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=9, playable_at=None, visibility="private")

    async def scene() -> None:
        team = Follower(app, f"/api/bubbles/{bubble.code}/events", owner)
        await until(lambda: "still here" in team.body)
        with house.database.transaction() as session:
            session.connection().exec_driver_sql("UPDATE token SET revoked_at = now()")
        await asyncio.wait_for(team.task, PATIENCE_S)

    played(scene, monkeypatch)


def test_who_may_not_know_takes_no_seat(client: TestClient, app: Starlette) -> None:
    assert client.get("/api/bubbles/AAAAAAAAAAAAAAAA/events").status_code == 404
    assert (Hub.of(app).taken, Hub.of(app).shares.held) == (0, {})


def test_a_look_that_fails_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> Seen:
        raise OSError

    async def scene() -> None:
        watch, seen = Watch(look), Seen({}, is_open=True, has_ended=False)
        watch.join(seen)
        assert await watch.change(seen, timeout_s=PATIENCE_S) is None

    played(scene, monkeypatch)


def test_a_database_that_goes_away_ends_what_is_followed_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise OperationalError("SELECT 1", None, psycopg.OperationalError("server closed the connection"))

    async def look() -> Seen | None:
        return away(None)

    async def scene() -> None:
        watch, seen = Watch(look), Seen({}, is_open=True, has_ended=False)
        watch.join(seen)
        assert await watch.change(seen, timeout_s=PATIENCE_S) is None
        assert await events._may_know(None) is False  # type: ignore[arg-type] # unasked

    monkeypatch.setattr(events, "_require_known", away)
    with capture_logs() as lines:
        played(scene, monkeypatch)
    assert {line["event"] for line in lines} <= {"missing", "still_missing", "back"}
