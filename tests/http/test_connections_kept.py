"""A server that no proxy guards: how many connections it keeps, for whom, and for how long."""

import time
from contextlib import ExitStack
from typing import Any

import httpx

from tests.http.test_connection import CLOSED, GET, KEPT
from tests.http.wire import PATIENCE_S, Wire, answers, everything, served, until


def test_idle_sockets_are_let_go_and_shut_nobody_out(hasty: Wire) -> None:
    with ExitStack() as stack:
        for _ in range(190):
            stack.enter_context(hasty.connect())
        assert hasty.ask(CLOSED).status == 200
        until(lambda: hasty.open == 0)


def test_a_network_has_so_many_connections_and_gets_them_back(house: Any) -> None:
    with served(house, connections_per_network=3) as wire:
        with ExitStack() as stack:
            for _ in range(3):
                client = stack.enter_context(wire.connect())
                client.sendall(KEPT)
                assert client.recv(1000).startswith(b"HTTP/1.1 200")
            with wire.connect() as client:
                (told,) = answers(everything(client))
            assert (told.status, told.code, told.headers["retry-after"]) == (429, "rate_limited", "10")
        until(lambda: wire.open == 0)
        assert wire.ask(CLOSED).status == 200


def test_a_trusted_proxy_has_as_many_as_it_likes(house: Any) -> None:
    with served(house, connections_per_network=1, trusted_proxies="127.0.0.1") as wire, ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(wire.connect())
            client.sendall(KEPT)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")


# What stays as it was


def test_a_connection_is_kept_and_used_again(hasty: Wire) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{hasty.port}", timeout=PATIENCE_S) as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200
            assert client.post("/api/listens", json={"code": "A" * 16}).status_code in {400, 404}
            assert hasty.open == 1
        time.sleep(1.5)  # longer than a head may take: a connection between two requests is not one that drips
        assert client.get("/healthz").status_code == 200
        assert hasty.open == 1


def test_who_asks_for_another_protocol_is_answered_in_this_one(wire: Wire) -> None:
    asked = GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n"
    told = wire.ask(asked)  # it ends: what came next by it would not be read
    assert (told.status, told.headers["connection"]) == (200, "close")
