"""What is counted of what is sent: over a real server and real sockets where it matters."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from sqlmodel import select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bubbles.errors import Missing
from bubbles.model.listening import Served

WAIT_S = 60
MIB = 1024 * 1024
SMALL_BUFFER_BYTES = 64 * 1024
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def served(house: Any, bubble: Any) -> list[tuple[str, str, int, list[tuple[int, int]]]]:
    """`(kind, audience, requests, [(start, stop)])` of all that was counted."""
    with house.database.transaction() as session:
        rows = session.exec(select(Served).where(Served.bubble_id == bubble.id).order_by(Served.kind)).all()
        return [
            (row.kind, row.audience, row.requests, [(part.lower, part.upper) for part in row.ranges]) for row in rows
        ]


def until(found: Callable[[], Any]) -> Any:
    """What is found once something is; fails after a bounded wait."""
    deadline = time.monotonic() + WAIT_S
    while not (value := found()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.01)
    return value


@contextmanager
def serving(app: Starlette) -> Iterator[int]:
    """A real server whose sockets buffer little; gives its port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER_BYTES)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=False))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(WAIT_S)


def ask(port: int, path: str, *, method: str = "GET") -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    client.connect(("127.0.0.1", port))
    client.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {FIREFOX}\r\n\r\n".encode())
    return client


def read(client: socket.socket, length_bytes: int) -> bytes:
    received = b""
    while len(received) < length_bytes and (chunk := client.recv(MIB)):
        received += chunk
    return received


def reset(client: socket.socket) -> None:
    """Leaves at once, without reading what is under way."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_the_union_of_what_was_sent_is_counted(client: TestClient, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=1000)
    path = f"/media/{bubble.code}.m4a"
    for span in ("bytes=0-1", "bytes=500-599", "bytes=600-699", "bytes=550-", "bytes=2000-"):
        client.get(path, headers={"Range": span})
    client.head(path)
    client.get(path, headers={"If-None-Match": "*"})
    client.get(path, headers={"If-Match": '"other"'})
    assert served(house, bubble) == [("m4a", "listener", 4, [(0, 2), (500, 1000)])]


def test_all_of_a_long_one_is_counted(client: TestClient, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=300_000)
    client.get(f"/media/{bubble.code}.ogg")
    assert served(house, bubble) == [("ogg", "listener", 1, [(0, 300_000)])]


def test_bots_and_the_team_are_counted_apart(client: TestClient, world: Any, house: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=100)
    for headers in ({}, owner, {"User-Agent": "Googlebot/2.1"}, {"User-Agent": ""}):
        client.get(f"/media/{bubble.code}.m4a", headers=headers)
    assert sorted(row[1:3] for row in served(house, bubble)) == [("bot", 1), ("bot", 1), ("listener", 1), ("team", 1)]


def test_a_visitor_is_who_the_proxy_names(peer: Any, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=100)
    path = f"/media/{bubble.code}.m4a"
    for proxy, asker in (("10.0.0.1", "192.0.2.7"), ("10.0.0.2", "192.0.2.7"), ("10.0.0.1", "192.0.2.8")):
        peer(proxy).get(path, headers={"X-Forwarded-For": asker})
    assert sorted(row[2] for row in served(house, bubble)) == [1, 2]


def test_the_day_is_the_one_the_request_came_on(client: TestClient, world: Any, house: Any, clock: Any) -> None:
    bubble = world.bubble(length_bytes=100)
    for _ in range(2):
        client.get(f"/media/{bubble.code}.m4a")
        clock.pass_s(2 * 3600)
    assert [row[2] for row in served(house, bubble)] == [1, 1]


def test_who_leaves_early_is_counted_for_what_was_sent(app: Starlette, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=8 * MIB)
    with serving(app) as port:
        client = ask(port, f"/media/{bubble.code}.m4a")
        received = len(read(client, MIB))
        reset(client)
        ((_, _, _, parts),) = until(lambda: served(house, bubble))
    ((start, stop),) = parts
    assert start == 0
    # What had left for the socket and did not arrive: two chunks here, the kernel's buffers at both ends.
    assert received - 1000 < stop < received + MIB


def test_who_reads_all_is_counted_for_all(app: Starlette, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=3 * MIB)
    path = f"/media/{bubble.code}.m4a"
    with serving(app) as port, ask(port, path) as client:
        head, _, body = read(client, 3 * MIB).partition(b"\r\n\r\n")
        body += read(client, 3 * MIB - len(body))
        until(lambda: served(house, bubble))
    assert body == world.sounds[path]
    assert b"200 OK" in head
    assert served(house, bubble) == [("m4a", "listener", 1, [(0, 3 * MIB)])]


def test_a_store_that_fails_half_way_cuts_the_connection(app: Starlette, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=MIB)
    app.state.house = FailingHalfWay(house)
    with serving(app) as port, ask(port, f"/media/{bubble.code}.m4a") as client:
        received = read(client, 2 * MIB)
        until(lambda: served(house, bubble))
    assert len(received.partition(b"\r\n\r\n")[2]) == 100_000
    assert served(house, bubble) == [("m4a", "listener", 1, [(0, 100_000)])]


class FailingHalfWay:
    """A house whose store gives the first 100,000 bytes and fails then."""

    def __init__(self, house: Any) -> None:
        self._house = house
        self.blobs = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house, name)

    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        yield b"".join(self._house.blobs.open_range(key, start, 100_000))
        raise Missing("store", "It is away.")


def test_a_count_that_fails_harms_no_answer(
    client: TestClient, world: Any, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bubble = world.bubble(length_bytes=100)
    path = f"/media/{bubble.code}.m4a"
    with monkeypatch.context() as patch:
        patch.setattr("bubbles.listen.count", lambda *_: 1 / 0)
        assert client.get(path).content == world.sounds[path]
    assert served(house, bubble) == []
    client.get(path)
    assert len(served(house, bubble)) == 1
