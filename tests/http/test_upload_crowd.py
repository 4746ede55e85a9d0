"""A crowd that uploads at once waits for itself, and holds up nobody who listens."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from bubbles.db import uploads
from bubbles.http.asgi import create_app

CROWD = 60
"""More than an application has threads, or connections to its database."""

PATIENCE_S = 60


async def while_waiting(app: Starlette, house: Any, headers: dict[str, str], account_id: int, path: str) -> Any:
    """A listener's answer while a crowd of uploads of one account waits for its lock."""
    transport = httpx.ASGITransport(app)
    listener = httpx.AsyncClient(transport=transport, base_url="http://test", headers={"User-Agent": "x"})
    async with app.router.lifespan_context(app), listener as client:
        with house.database.transaction() as session:
            uploads.lock_account(session, account_id)
            crowd = [
                asyncio.create_task(client.post("/api/bubbles", files={"audio": b"x"}, headers=headers))
                for _ in range(CROWD)
            ]
            while not await asyncio.to_thread(waiting, house):
                await asyncio.sleep(0.01)
            async with asyncio.timeout(PATIENCE_S):
                heard = await client.get(path)
        return heard, await asyncio.gather(*crowd)


def waiting(house: Any) -> int:
    """How many transactions wait for a lock."""
    with house.database.transaction() as session:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        return int(session.connection().execute(text(query)).scalar_one())


def test_no_two_chunks_are_read_without_a_breath_between(
    house: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who listens waits for one chunk at most, and not for one of each of many uploads."""
    turns: list[int] = []
    turn = 0
    monkeypatch.setattr("bubbles.http.multipart._Reader.feed", lambda *_: turns.append(turn))

    async def ticking() -> None:
        nonlocal turn
        while True:
            await asyncio.sleep(0)
            turn += 1

    async def scene() -> None:
        app = create_app(house)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
        async with app.router.lifespan_context(app), client:
            ticker = asyncio.create_task(ticking())
            sent = [client.post("/api/bubbles", files={"audio": b"x"}, headers=world.channel()[1]) for _ in range(8)]
            await asyncio.gather(*sent)
            ticker.cancel()

    asyncio.run(scene())
    assert len(turns) >= 8
    assert len(set(turns)) == len(turns)


def test_who_listens_does_not_wait_for_who_uploads(house: Any, world: Any) -> None:
    channel, headers = world.channel()
    path = f"/media/{world.bubble(channel, length_bytes=1000).code}.ogg"
    account_id = 0
    with house.database.transaction() as session:
        account_id = session.connection().execute(text("SELECT max(account_id) FROM token")).scalar_one()
    heard, crowd = asyncio.run(while_waiting(create_app(house), house, headers, account_id, path))
    assert heard.content == world.sounds[path]
    codes = {answer.status_code for answer in crowd}
    assert codes <= {415, 422, 429}
    assert all(answer.headers["retry-after"] for answer in crowd if answer.status_code == 429)
