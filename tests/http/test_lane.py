"""A store that accepts and never answers holds up who wants sound, and nobody else."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from bubbles.http import lane, looks
from bubbles.http.asgi import create_app

LISTENERS = 60
PATIENCE_S = 60


@dataclass
class Stuck:
    """A store whose reads hang until `go`."""

    go: threading.Event = field(default_factory=threading.Event)
    reading: int = 0

    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        self.reading += 1
        self.go.wait(2 * PATIENCE_S)
        return iter([b"x" * (stop - start)])

    def size(self, key: str) -> int:
        self.go.wait(2 * PATIENCE_S)
        return 1


def while_stuck(house: Any, path: str, ask: Callable[[httpx.AsyncClient], Awaitable[None]]) -> list[httpx.Response]:
    """The answers to many listeners, of whom all wait for the store while `ask` runs."""
    stuck = Stuck()

    async def scene() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(replace(house, blobs=stuck)))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            listeners = [asyncio.create_task(client.get(path)) for _ in range(LISTENERS)]
            async with asyncio.timeout(PATIENCE_S):
                while stuck.reading < lane.READS_AT_ONCE:
                    await asyncio.sleep(0.01)
                await ask(client)
            stuck.go.set()
            return await asyncio.gather(*listeners)

    try:
        return asyncio.run(scene())
    finally:
        stuck.go.set()


def test_a_store_that_hangs_stops_no_other_route(house: Any, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "WAIT_S", PATIENCE_S)  # all are to be answered

    async def ask(client: httpx.AsyncClient) -> None:
        for path in ("/healthz", "/api/bubbles"):
            assert (await client.get(path)).status_code == 200

    answers = while_stuck(house, f"/media/{world.bubble(length_bytes=9).code}.m4a", ask)
    assert {answer.status_code for answer in answers} == {200}


def test_who_finds_no_place_to_read_is_told_when_to_come_again(
    house: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "WAIT_S", 1)
    monkeypatch.setattr(looks, "LOOK_MAX_S", 2)

    async def ask(client: httpx.AsyncClient) -> None:
        path = f"/media/{world.bubble(length_bytes=9).code}.ogg"
        for answer in (await client.get(path), await client.head(path)):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        while (parts := (await client.get("/readyz")).json()["parts"])["database"] != "ok":
            """A busy machine may be late with a look that does not hang."""
        assert parts["store"] == "away"

    answers = while_stuck(house, f"/media/{world.bubble(length_bytes=9).code}.m4a", ask)
    assert sorted({answer.status_code for answer in answers}) == [200, 503]


@pytest.mark.parametrize("path", ["/media/%00.%00", "/media/AAAAAAAAAAAAAAAA.%00", "/media/%00.m4a", "/media/%F0.ogg"])
def test_what_can_be_no_name_is_not_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
