"""A server that no proxy guards: heads without end, bytes that drip, bodies that stop half-way, crowds of sockets."""

import socket
import time
from contextlib import ExitStack
from typing import Any

import pytest

from bubbles.http import connection, uploads
from bubbles.http.bounds import HEADERS_MAX, LINE_MAX_BYTES, PIPELINED_MAX
from bubbles.http.routes import OPERATIONS
from bubbles.model.bubble import Bubble
from tests.http.wire import PATIENCE_S, Answer, Wire, answers, everything, served, until

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
KEPT = GET + b"\r\n"
CLOSED = GET + b"Connection: close\r\n\r\n"
MIB = 1 << 20
AT_MOST_MIB = 32
"""What a client could send at most before it was stopped: what the kernel holds at both ends, and some."""


def flood(wire: Wire, begin: bytes, piece: bytes) -> tuple[Answer | None, int]:
    """Sends `piece` again and again until it is stopped; what it was told, and how many MiB it got rid of."""
    sent_bytes = 0
    with wire.connect() as client:
        client.sendall(begin)
        try:
            while sent_bytes < 200 * MIB:
                client.sendall(piece)
                sent_bytes += len(piece)
        except ConnectionError:
            pass
        told = answers(everything(client))
    return told[-1] if told else None, sent_bytes // MIB


def drip(client: socket.socket, text: bytes) -> bytes:
    """Sends a byte every tenth of a second, for as long as the server listens; what it said."""
    client.settimeout(0.1)
    for each in text:
        try:
            client.sendall(bytes([each]))
            if found := client.recv(1 << 16):
                client.settimeout(PATIENCE_S)
                return found + everything(client)
            return b""
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    raise AssertionError("it listens for ever")


# How long a request may be


@pytest.mark.parametrize(
    ("begin", "piece", "statuses"),
    [
        (GET, b"X-%d: " % 1 + b"a" * 1000 + b"\r\n", {431}),
        (GET + b"X: ", b"a" * 65536, {431}),
        (GET, b"a" * 65536, {431, 400}),
        (b"GET /", b"a" * 65536, {414}),
        (b"GET /?", b"a" * 65536, {414}),
        (b"", b"A" * 65536, {400}),
        (b"", b"\r\n" * 30000, {431}),
        (b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1", b";a=b" * 16384, {400}),
        (b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n" * 8192, {400}),
        (b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a" * 65536, {400}),
        (b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", b"a" * 65536, {413, 403}),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", b"a" * 65536, {200}),
    ],
    ids=[
        "headers",
        "a header's value",
        "a header's name",
        "path",
        "query",
        "method",
        "empty lines",
        "chunk extension",
        "trailers",
        "a trailer's value",
        "a body",
        "a body nobody reads",
    ],
)
def test_what_has_no_end_is_stopped(
    house: Any, monkeypatch: pytest.MonkeyPatch, *, begin: bytes, piece: bytes, statuses: set[int]
) -> None:
    monkeypatch.setattr(connection, "LINGERS_S", 0.2)
    with served(house, request_max_bytes=MIB) as wire:
        told, sent_mib = flood(wire, begin, piece)
        assert sent_mib < AT_MOST_MIB
        assert told is None or told.status in statuses
        until(lambda: wire.open == 0)
        assert wire.ask(CLOSED).status == 200


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * LINE_MAX_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "too_large"),
        (GET + b"A: b\r\n" * HEADERS_MAX + b"\r\n", 431, "too_large"),
        (GET + b"".join(b"A%d: %s\r\n" % (n, b"b" * 7000) for n in range(5)) + b"\r\n", 431, "too_large"),
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad_request"),
    ],
    ids=["line", "count", "bytes", "nonsense", "TLS"],
)
def test_what_is_too_long_is_told_as_a_problem(wire: Wire, sent: bytes, status: int, code: str) -> None:
    told = wire.ask(sent)
    assert (told.status, told.code, told.headers["content-type"]) == (status, code, "application/problem+json")
    assert (told.headers["x-content-type-options"], told.headers["connection"]) == ("nosniff", "close")


def test_what_is_long_and_not_too_long_passes(wire: Wire) -> None:
    sent = b"GET /healthz?" + b"a" * (LINE_MAX_BYTES - 20) + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    sent += b"".join(b"A%d: %s\r\n" % (n, b"b" * 200) for n in range(HEADERS_MAX - 2))
    assert wire.ask(sent + b"\r\n").status == 200
    for at_once in (1, 100):  # of which nothing depends on how it comes
        with wire.connect() as client:
            for at in range(0, len(CLOSED), at_once):
                client.sendall(CLOSED[at : at + at_once])
            assert answers(everything(client))[0].status == 200


def test_many_requests_by_one_connection_are_answered_in_order(wire: Wire) -> None:
    asked = [b"/healthz", b"/nothing", b"/robots.txt"] * (PIPELINED_MAX // 3)
    sent = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in asked[:-1]) + CLOSED
    with wire.connect() as client:
        client.sendall(sent)
        statuses = [each.status for each in answers(everything(client))]
    assert statuses == [200, 404, 200] * (len(asked) // 3 - 1) + [200, 404, 200]


def test_requests_that_nobody_waits_for_the_answers_of_are_not_kept(wire: Wire) -> None:
    _, sent_mib = flood(wire, b"", KEPT * 2000)
    assert sent_mib < AT_MOST_MIB
    assert wire.ask(CLOSED).status == 200


# How long it may take


@pytest.mark.parametrize(
    "text",
    [GET + b"X: " + b"a" * 500, b"\r\n" * 300, b"G" + b"E" * 300],
    ids=["a header", "empty lines", "a method"],
)
def test_a_head_that_drips_ends(hasty: Wire, text: bytes) -> None:
    with hasty.connect() as client:
        told = drip(client, text)
    assert not told or answers(told)[0].status in {408, 400}
    until(lambda: hasty.open == 0)


def test_a_head_that_stops_is_told_so(hasty: Wire) -> None:
    told = hasty.ask(GET)
    assert (told.status, told.code) == (408, "bad_request")


def test_empty_lines_after_an_answer_keep_no_connection(hasty: Wire) -> None:
    with hasty.connect() as client:
        client.sendall(KEPT)
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
        drip(client, b"\r\n" * 300)
    until(lambda: hasty.open == 0)


READ = [row for row in OPERATIONS if row.takes and row.method != "GET"]


def half_sent(world: Any, row: Any) -> bytes:
    """A request of its kind whose body stops after five bytes."""
    channel, headers = world.channel()
    named = {"code": world.bubble(channel, length_bytes=9).code, "handle": channel.handle, "account": channel.handle}
    path = row.path.format(secret="none", **named)
    kind = "multipart/form-data; boundary=x" if row.takes == "Upload" else "application/json"
    lines = {"Host": "x", "Content-Type": kind, "Content-Length": "5000", "Sec-Fetch-Site": "same-origin", **headers}
    head = f"{row.method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{head}\r\n--x\r\n".encode()


def test_a_body_that_stops_half_way_ends_on_every_route_and_leaves_nothing(hasty: Wire, world: Any) -> None:
    asked = {f"{row.method} {row.path}": half_sent(world, row) for row in READ}
    with ExitStack() as stack:
        clients = {}
        for name, sent in asked.items():  # each at once: a head may take a second
            clients[name] = stack.enter_context(hasty.connect())
            clients[name].sendall(sent)
        told = {name: everything(client) for name, client in clients.items()}
    statuses = {name: answers(received)[0].status for name, received in told.items()}
    assert set(statuses.values()) <= {303, 400, 401, 403, 404, 408}, statuses
    assert statuses["POST /api/bubbles"] == statuses["POST /api/listens"] == 408
    until(lambda: hasty.open == 0)
    until(lambda: not [*hasty.house.settings.uploads_dir.glob("*")])


def test_a_body_that_drips_ends(hasty: Wire, world: Any) -> None:
    _, headers = world.channel()
    head = f"POST /api/listens HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['Authorization']}\r\n"
    with hasty.connect() as client:
        client.sendall(f"{head}Content-Length: 500\r\n\r\n".encode())
        told = answers(drip(client, b"{" + b" " * 499))
    assert (told[0].status, told[0].code) == (408, "bad_request")


def test_a_body_that_comes_slowly_and_steadily_is_taken(house: Any) -> None:
    """In all it takes longer than what a body may pause; no pause does, on a busy machine either."""
    body = b'{"code": "AAAAAAAAAAAAAAAA"' + b" " * 5000 + b"}"
    with served(house, body_timeout_s=10, body_rate_min=10) as wire, wire.connect() as client:
        lines = b"Host: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.sendall(b"POST /api/listens HTTP/1.1\r\n" + lines)
        began_s = time.monotonic()
        for at in range(0, len(body), 220):
            client.sendall(body[at : at + 220])
            time.sleep(0.5)
        assert time.monotonic() - began_s > wire.house.settings.body_timeout_s
        assert answers(everything(client))[0].status == 400  # of what it says, not of how it came


def test_who_waits_to_be_told_to_go_on_is_waited_for(house: Any, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client sends nothing until then, and it is the house that takes its time."""

    def slow(request: Any, take: Any = uploads._open) -> Any:
        time.sleep(2.5)
        return take(request)

    monkeypatch.setattr(uploads, "_open", slow)
    _, headers = world.channel()
    lines = f"Host: x\r\nAuthorization: {headers['Authorization']}\r\nExpect: 100-continue\r\nConnection: close\r\n"
    kind = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n\r\n"
    with served(house, body_timeout_s=1) as wire, wire.connect() as client:
        client.sendall(f"POST /api/bubbles HTTP/1.1\r\n{lines}{kind}".encode())
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"--x--")
        assert answers(everything(client))[0].code == "bad_request"


def test_who_takes_nothing_of_what_they_are_sent_is_let_go(house: Any, world: Any) -> None:
    bubble = world.bubble(length_bytes=30 * MIB)
    with served(house, send_timeout_s=1) as wire, wire.connect() as client:
        client.sendall(f"GET /media/{bubble.code}.m4a HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(1)
        until(lambda: wire.open == 0)


def test_a_stray_line_end_after_a_request_breaks_off_no_answer(house: Any, world: Any) -> None:
    bubble = world.bubble(length_bytes=9, playable_at=None)
    with served(house, head_timeout_s=3) as wire, wire.connect() as client:
        client.sendall(f"GET /api/bubbles/{bubble.code}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received = client.recv(1 << 16)
        client.sendall(b"\r\n")
        time.sleep(4)
        with house.database.transaction() as session:
            session.get_one(Bubble, bubble.id).playable_at = house.now()
        while b'"playable"' not in received:
            part = client.recv(1 << 16)
            assert part, "it was broken off"
            received += part


def test_bodies_that_follow_each_other_are_each_judged_for_themselves(house: Any) -> None:
    """The second begins in the packet in which the first ends."""
    head = b"POST /api/listens HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    with served(house, body_timeout_s=6, body_rate_min=50) as wire, wire.connect() as client:
        client.sendall(head % 6000 + b"{" + b" " * 3000)
        time.sleep(0.2)
        client.sendall(b" " * 2998 + b"}" + head % 900 + b"{" + b" " * 500)
        time.sleep(6.5)
        client.sendall(b" " * 398 + b"}" + CLOSED)
        assert [each.status for each in answers(everything(client))] == [400, 400, 200]
