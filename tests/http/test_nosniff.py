"""No browser guesses what an answer is: every one says that its type is what it says, whoever made it."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from bubbles.http.asgi import create_app
from bubbles.http.assets import Assets
from bubbles.http.routes import OPERATIONS
from bubbles.scrape import served as scraped
from tests.http.wire import PATIENCE_S, Wire, answers

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
PATHS = sorted({row.path for row in OPERATIONS} | {"/nothing", "/assets/nothing.js", "/api/nothing", "/search/"})


@pytest.fixture
def client(house: Any) -> Iterator[TestClient]:
    with TestClient(create_app(house), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def require(answer: Any) -> None:
    told = (str(answer.request.method), str(answer.request.url), answer.status_code)
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"], told


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_of_every_route_bears_it_once(client: TestClient, world: Any, path: str) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=100, ready_at=world.house.now())
    named = {"code": bubble.code, "kind": "m4a", "format": "txt", "handle": channel.handle, "secret": "none"}
    named |= {"account": channel.handle, "number": "1"}
    sent = {"Sec-Fetch-Site": "same-origin"}
    for address in (path.format(**named), path.format(**dict.fromkeys(named, "none"))):
        for method in METHODS:
            require(client.request(method, address, headers=sent))
        require(client.get(address, headers=sent | {"Accept": "text/html"}))
        require(client.get(address, headers=sent | owner | {"If-None-Match": "*", "Range": "bytes=999999-"}))


def test_media_bears_it_whole_in_part_unchanged_and_out_of_range(client: TestClient, world: Any) -> None:
    path = f"/media/{world.bubble(length_bytes=100).code}.m4a"
    whole = client.get(path)
    for headers, status in (
        ({}, 200),
        ({"Range": "bytes=0-9"}, 206),
        ({"If-None-Match": whole.headers["etag"]}, 304),
        ({"Range": "bytes=500-"}, 416),
    ):
        answer = client.get(path, headers=headers)
        assert answer.status_code == status
        require(answer)


def test_built_files_bear_it(client: TestClient, house: Any) -> None:
    path = Assets.of(house.settings.pages_dir).url("src/pages/record.ts")
    first = client.get(path)
    for answer in (first, client.get(path, headers={"If-None-Match": first.headers["etag"]})):
        require(answer)


def test_what_breaks_bears_it(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("bubbles.http.bubbles.find.find", broken)
    answer = client.get("/api/bubbles")
    assert answer.status_code == 500
    require(answer)


def test_an_application_that_breaks_before_it_answers_is_answered_for(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("bubbles.http.log.RequestLog.__call__", broken)
    told = wire.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (told.status, told.headers["x-content-type-options"]) == (500, "nosniff")
    assert told.code == "unavailable"


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 9000)])
def test_what_the_server_itself_refuses_bears_it(wire: Wire, sent: bytes) -> None:
    assert wire.ask(sent).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("line", ["GET /metrics", "GET /", "POST /metrics", "BREW /metrics", "GET /" + "a" * 70_000])
def test_a_workers_metrics_bear_it(line: str) -> None:
    with scraped("127.0.0.1", 0) as port, socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
        client.sendall(f"{line} HTTP/1.0\r\n\r\n".encode())
        received = b""
        while b"\r\n\r\n" not in received:
            part = client.recv(1 << 16)
            assert part, received
            received += part
    assert answers(received)[0].headers["x-content-type-options"] == "nosniff"
