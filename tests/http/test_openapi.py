"""What the description says is what happens: no status, media type or failure that it does not tell."""

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from bubbles.http.asgi import create_app
from bubbles.http.routes import OPERATIONS, Operation

HEADERS: tuple[dict[str, str], ...] = (
    {}, {"Accept": "text/html"}, {"If-None-Match": "*"}, {"Range": "bytes=0-1"}, {"Range": "bytes=99-"},
    {"If-Match": '"other"'}, {"Authorization": "Bearer wrong"},
)  # fmt: skip
QUERIES = ("", "?format=csv", "?format=%00", "?before=%00", "?limit=x", "?q=%00&near=1", "?before=2026-01-01T00:00:00Z")
BODIES = (b"", b"{}", b'{"\\ud800": 1}', b'{"cues": [], "title": "New"}', b'{"title": "New"}', b'{"cues": []}')


@pytest.fixture
def client(house: Any) -> Iterator[TestClient]:
    with TestClient(create_app(house), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def asked(client: TestClient, row: Operation, path: str, owner: dict[str, str]) -> Iterator[Response]:
    """The answers to every way of asking."""
    for who in ({}, owner):
        for headers in HEADERS:
            yield client.request(row.method, path, headers=who | headers)
        for query in QUERIES if row.method == "GET" else ():
            yield client.request(row.method, path + query, headers=who)
        for body in BODIES if row.method != "GET" else ():
            yield client.request(row.method, path, headers=who, content=body)


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: f"{row.method} {row.path}")
def test_every_answer_is_described(client: TestClient, world: Any, clock: Any, row: Operation) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=9, ready_at=clock())
    described = client.get("/api/openapi.json").json()["paths"][row.path][row.method.lower()]["responses"]
    for code, handle in ((bubble.code, channel.handle), ("AAAAAAAAAAAAAAAA", "nobody"), ("%00", "%00")):
        wanted = {"code": code, "handle": handle, "account": handle, "secret": "wrong", "number": 1}
        path = row.path.format(kind="m4a", format="json", **wanted)
        for answer in asked(client, row, path, owner):
            where = f"{answer.request.method} {answer.request.url} {answer.status_code}"
            assert str(answer.status_code) in described, where
            kinds = described[str(answer.status_code)].get("content", {})
            told = answer.headers.get("content-type", "").partition(";")[0]
            assert not answer.content or any(fnmatch(told, kind) for kind in kinds), f"{where} {told}"


@pytest.mark.parametrize(
    ("base_url", "cookie"),
    [("http://localhost:8000", "bubbles_session"), ("https://bubbles.example", "__Host-bubbles_session")],
)
def test_the_session_is_described_by_the_cookie_that_holds_it(people: Any, base_url: str, cookie: str) -> None:
    described = people.browser(base_url=base_url).get("/api/openapi.json").json()
    assert described["components"]["securitySchemes"]["session"]["name"] == cookie
